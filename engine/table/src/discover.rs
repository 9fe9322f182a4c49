//! Discovery: the tables below a folder, found by listing alone; nothing is opened.
//!
//! A folder with a Delta log, with `key=value` folders or with the parts of one Parquet data set is
//! one table; any other data file is a table of its own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use lakesh_catalog::definition::{DELTA, TableDefinition};
use object_store::path::Path as ObjectPath;
use object_store::{ListResult, ObjectStore};

use super::delta_log::LOG_FOLDER;
use super::error::TableError;
use super::files::{self, suffix_of};
use super::glob::is_hidden;
use super::listing;
use super::location::Location;
use super::{TableContext, TableFormat, store};

/// How many folders deep tables are looked for.
const DEPTH: usize = 8;

/// A table that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The path below the folder without suffix, its parts joined with dots.
    pub name: String,
    /// The name of the format.
    pub format: &'static str,
    /// The absolute path or URL.
    pub location: String,
}

impl Discovered {
    /// Returns the definition by which the table is opened.
    pub fn definition(&self, options: &BTreeMap<String, String>) -> TableDefinition {
        TableDefinition {
            format: self.format.to_owned(),
            locations: vec![self.location.clone()],
            options: options.clone(),
            ..TableDefinition::default()
        }
    }
}

/// Finds the tables below a folder, sorted by name.
pub async fn discover(
    folder: &str,
    context: &TableContext<'_>,
) -> Result<Vec<Discovered>, TableError> {
    let place = Place::new(folder, context)?;
    let mut tables = Vec::new();
    match place.look(&place.location.base).await? {
        Look::Table(format) => {
            tables.push(place.table(&[place.own_name()], format, &place.location.base))
        }
        Look::Folder(children) => place.collect(children, Vec::new(), &mut tables).await?,
    }
    if tables.is_empty() && !place.exists() {
        return Err(listing::not_found(&place.location));
    }
    tables.sort_by(|left, right| (&left.name, &left.location).cmp(&(&right.name, &right.location)));
    let mut uses: HashMap<String, usize> = HashMap::new();
    for table in &tables {
        *uses.entry(table.name.to_lowercase()).or_default() += 1;
    }
    let mut taken: HashSet<String> = HashSet::new();
    for table in &mut tables {
        // Neither keeps the bare name, or it would change hands when a file is added.
        if uses[&table.name.to_lowercase()] > 1 {
            table.name = format!("{}_{}", table.name, table.format);
        }
        let name = table.name.clone();
        let mut number = 1;
        while !taken.insert(table.name.to_lowercase()) {
            number += 1;
            table.name = format!("{name}_{number}");
        }
    }
    Ok(tables)
}

/// Finds one table by its name, listing only the folders on the way to it.
pub async fn discover_one(
    folder: &str,
    name: &str,
    context: &TableContext<'_>,
) -> Result<Option<Discovered>, TableError> {
    let place = Place::new(folder, context)?;
    let segments: Vec<&str> = name.split('.').collect();
    let mut path = place.location.base.clone();
    let mut look = place.look(&path).await?;
    for (depth, segment) in segments.iter().enumerate() {
        let Look::Folder(children) = look else {
            break;
        };
        let last = depth + 1 == segments.len();
        let names = |text: &str| text == *segment || text.eq_ignore_ascii_case(segment);
        let mut files = children
            .files
            .iter()
            .filter(|(file, _)| last && names(file));
        let file = files.next();
        if files.next().is_some() {
            break;
        }
        let found =
            |format, path: &ObjectPath| Some(place.table(&[name.to_string()], format, path));
        let child = children
            .folders
            .iter()
            .find(|path| names(&table_name(path)));
        match (child, file) {
            // Numbering those of one name is the full listing's business.
            (Some(_), Some(_)) => break,
            (_, Some((_, path))) => {
                let format = format_of(path.as_ref()).map_or("parquet", |format| format.name());
                return Ok(found(format, path));
            }
            (Some(child), None) => path = child.clone(),
            (None, None) => break,
        }
        look = place.look(&path).await?;
        if let (true, Look::Table(format)) = (last, &look) {
            return Ok(found(*format, &path));
        }
    }
    // Numbered names and a folder that is a table itself.
    let tables = discover(folder, context).await?;
    Ok(tables
        .into_iter()
        .find(|table| table.name.eq_ignore_ascii_case(name)))
}

/// Finds the format of a data file; texts are notes more often than tables.
fn format_of(name: &str) -> Option<&'static dyn TableFormat> {
    files::format_of(name).filter(|format| format.name() != "text")
}

struct Place {
    location: Location,
    store: Arc<dyn ObjectStore>,
}

/// What a folder is.
enum Look {
    Table(&'static str),
    Folder(Children),
}

/// The tables and folders directly inside a folder.
struct Children {
    files: Vec<(String, ObjectPath)>,
    folders: Vec<ObjectPath>,
}

impl Place {
    fn new(folder: &str, context: &TableContext<'_>) -> Result<Self, TableError> {
        let location = Location::parse_folder(folder, context)?;
        let store = store::connect(&location, &Default::default(), context)?;
        Ok(Self { location, store })
    }

    fn exists(&self) -> bool {
        self.location.local_path().is_none_or(|path| path.is_dir())
    }

    fn own_name(&self) -> String {
        table_name(&self.location.base)
    }

    fn table(&self, name: &[String], format: &'static str, path: &ObjectPath) -> Discovered {
        Discovered {
            name: name.join("."),
            format,
            location: self.location.display_of(path),
        }
    }

    /// Lists one folder and tells what it is.
    async fn look(&self, folder: &ObjectPath) -> Result<Look, TableError> {
        let prefix = (!folder.as_ref().is_empty()).then_some(folder);
        let listed = match self.store.list_with_delimiter(prefix).await {
            Ok(listed) => listed,
            Err(object_store::Error::NotFound { .. }) => ListResult {
                common_prefixes: Vec::new(),
                objects: Vec::new(),
            },
            Err(error) => return Err(TableError::store(&self.location.display, error)),
        };
        let named = |path: &ObjectPath| path.filename().unwrap_or_default().to_string();
        if listed
            .common_prefixes
            .iter()
            .any(|path| named(path) == LOG_FOLDER)
        {
            return Ok(Look::Table(DELTA));
        }
        let mut folders: Vec<ObjectPath> = listed
            .common_prefixes
            .into_iter()
            .filter(|path| !is_hidden(&named(path)))
            .collect();
        folders.sort();
        if let Some(partition) = folders.iter().find(|path| named(path).contains('='))
            && let Some(format) = self.first_format(partition).await?
        {
            return Ok(Look::Table(format));
        }
        let mut files: Vec<(String, ObjectPath)> = listed
            .objects
            .into_iter()
            .map(|meta| meta.location)
            .filter(|path| !is_hidden(&named(path)) && format_of(&named(path)).is_some())
            .map(|path| (table_name(&path), path))
            .collect();
        files.sort();
        if *folder != self.location.base && folders.is_empty() && are_parts(&files) {
            return Ok(Look::Table("parquet"));
        }
        Ok(Look::Folder(Children { files, folders }))
    }

    /// Finds the format of some file below a folder.
    async fn first_format(&self, folder: &ObjectPath) -> Result<Option<&'static str>, TableError> {
        let mut files = self.store.list(Some(folder));
        while let Some(file) = files.next().await {
            let file = file.map_err(|error| TableError::store(&self.location.display, error))?;
            let name = file.location.filename().unwrap_or_default();
            if let Some(format) = format_of(name).filter(|_| !is_hidden(name)) {
                return Ok(Some(format.name()));
            }
        }
        Ok(None)
    }

    fn collect<'a>(
        &'a self,
        children: Children,
        above: Vec<String>,
        tables: &'a mut Vec<Discovered>,
    ) -> BoxFuture<'a, Result<(), TableError>> {
        Box::pin(async move {
            let below = |name: String| {
                let mut names = above.clone();
                names.push(name);
                names
            };
            for (name, path) in children.files {
                if let Some(format) = format_of(path.as_ref()) {
                    tables.push(self.table(&below(name), format.name(), &path));
                }
            }
            for folder in children.folders {
                let names = below(table_name(&folder));
                match self.look(&folder).await? {
                    Look::Table(format) => tables.push(self.table(&names, format, &folder)),
                    Look::Folder(children) if names.len() < DEPTH => {
                        self.collect(children, names, tables).await?;
                    }
                    Look::Folder(_) => {}
                }
            }
            Ok(())
        })
    }
}

/// Makes a name without dots from a file's or folder's name.
fn table_name(path: &ObjectPath) -> String {
    let name = path.filename().unwrap_or("table");
    let mut stem = name;
    if format_of(name).is_some() {
        for ending in [".gz", ".bz2", ".xz", ".zst"] {
            stem = strip_ignoring_case(stem, ending);
        }
        if let (Some(suffix), _) = suffix_of(stem) {
            stem = strip_ignoring_case(stem, &format!(".{suffix}"));
        }
    }
    stem.replace('.', "_")
}

fn strip_ignoring_case<'a>(name: &'a str, ending: &str) -> &'a str {
    match name.len().checked_sub(ending.len()) {
        Some(at)
            if name
                .get(at..)
                .is_some_and(|end| end.eq_ignore_ascii_case(ending)) =>
        {
            &name[..at]
        }
        _ => name,
    }
}

/// Tells whether files are the parts of one Parquet data set: alike but for numbers and ids.
fn are_parts(files: &[(String, ObjectPath)]) -> bool {
    let parquet = |path: &ObjectPath| {
        format_of(path.as_ref()).is_some_and(|format| format.name() == "parquet")
    };
    let shapes: HashSet<String> = files.iter().map(|(name, _)| shape(name)).collect();
    let all_parquet = files.iter().all(|(_, path)| parquet(path));
    let numbered = files.iter().all(|(name, _)| shape(name) != *name);
    all_parquet && shapes.len() == 1 && (numbered || files[0].0.starts_with("part"))
}

/// Leaves out digits and hexadecimal ids.
fn shape(name: &str) -> String {
    name.split(['-', '_'])
        .filter(|piece| {
            let hexadecimal = piece.bytes().all(|byte| byte.is_ascii_hexdigit());
            !(hexadecimal && (piece.len() >= 4 && piece.bytes().any(|byte| byte.is_ascii_digit())))
        })
        .map(|piece| piece.trim_end_matches(|last: char| last.is_ascii_digit()))
        .filter(|piece| !piece.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn lake() -> Bench {
        let bench = Bench::new();
        for path in [
            "sales/_delta_log/00000000000000000000.json",
            "sales/part-0.parquet",
            "trips/year=2024/a.parquet",
            "raw/zones.csv.gz",
            "raw/events.2024.jsonl",
            "raw/one.parquet",
            "raw/two.parquet",
            "raw/parts/part-00000-5f3a9c01.snappy.parquet",
            "raw/parts/part-00001-77aa0b12.snappy.parquet",
            "deep/er/x.avro",
            "x.parquet",
            "x.csv",
            "_hidden/y.csv",
            "notes.pdf",
            "README.md",
        ] {
            bench.write(&format!("lake/{path}"), "");
        }
        bench
    }

    #[tokio::test]
    async fn tables_are_found_by_listing() {
        let bench = lake();
        let found = discover("lake", &bench.context()).await.unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|table| {
                let path = table
                    .location
                    .strip_prefix(&format!("{}/lake/", bench.folder().display()));
                format!("{} {} {}", table.name, table.format, path.unwrap())
            })
            .collect();
        assert_eq!(
            found,
            [
                "deep.er.x avro deep/er/x.avro",
                "raw.events_2024 json raw/events.2024.jsonl",
                "raw.one parquet raw/one.parquet",
                "raw.parts parquet raw/parts",
                "raw.two parquet raw/two.parquet",
                "raw.zones csv raw/zones.csv.gz",
                "sales delta sales",
                "trips parquet trips",
                "x_csv csv x.csv",
                "x_parquet parquet x.parquet",
            ]
        );
    }

    #[tokio::test]
    async fn one_table_is_found_as_in_the_full_listing() {
        let bench = lake();
        for table in discover("lake", &bench.context()).await.unwrap() {
            let one = discover_one("lake", &table.name, &bench.context())
                .await
                .unwrap();
            assert_eq!(one, Some(table));
        }
        for missing in ["nothing", "raw", "raw.parts.part", "sales.x"] {
            assert_eq!(
                discover_one("lake", missing, &bench.context())
                    .await
                    .unwrap(),
                None
            );
        }
        assert!(discover("lak", &bench.context()).await.is_err());
    }

    #[tokio::test]
    async fn a_folder_that_is_a_table_is_found_under_its_own_name() {
        let bench = lake();
        let found = discover("lake/sales", &bench.context()).await.unwrap();
        assert_eq!((found.len(), found[0].name.as_str()), (1, "sales"));
        let one = discover_one("lake/sales", "sales", &bench.context())
            .await
            .unwrap();
        assert_eq!(one.as_ref(), found.first());
    }
}
