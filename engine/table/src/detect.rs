//! Detection: which format a path, URL, pattern or folder has.
//!
//! A `_delta_log` makes a folder a Delta table; otherwise the files' suffixes decide, and for files
//! without a known suffix their first bytes.

use std::sync::Arc;

use futures::StreamExt;
use lakesh_catalog::definition::{DELTA, TableDefinition};
use object_store::ObjectStore;

use super::delta_log::{LOG_FOLDER, log_folder};
use super::error::TableError;
use super::files::{format_of, suffix_of};
use super::listing::{self, ListedFile};
use super::location::Location;
use super::sample::read_sample;
use super::{FORMATS, TableContext, TableFormat, store};

/// How many bytes are looked at.
const HEAD: usize = 64;

/// Finds out what lies at a location and returns a definition that opens it.
///
/// The definition's location is absolute.
pub async fn detect(
    location: &str,
    context: &TableContext<'_>,
) -> Result<TableDefinition, TableError> {
    let location = Location::parse(location, context)?;
    let store = store::connect(&location, &Default::default(), context)?;
    let format = match is_delta(&location, store.as_ref()).await? {
        true => super::format(DELTA)?,
        false => {
            let files = listing::list(&location, store.as_ref()).await?;
            format_of_files(&location, &files, &store, context).await?
        }
    };
    Ok(TableDefinition {
        format: format.name().to_string(),
        locations: vec![location.display],
        ..TableDefinition::default()
    })
}

/// Tells whether a location is the folder of a Delta table.
pub(crate) async fn is_delta(
    location: &Location,
    store: &dyn ObjectStore,
) -> Result<bool, TableError> {
    if location.pattern.is_some() || location.store.scheme().starts_with("http") {
        return Ok(false);
    }
    if let Some(path) = location.local_path() {
        return Ok(path.join(LOG_FOLDER).is_dir());
    }
    let log = log_folder(&location.base);
    match store.list(Some(&log)).next().await {
        None | Some(Err(object_store::Error::NotFound { .. })) => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(TableError::store(&location.display, error)),
    }
}

async fn format_of_files(
    location: &Location,
    files: &[ListedFile],
    store: &Arc<dyn ObjectStore>,
    context: &TableContext<'_>,
) -> Result<&'static dyn TableFormat, TableError> {
    let mut found: Vec<(&'static dyn TableFormat, &ListedFile)> = Vec::new();
    for file in files {
        let Some(format) = format_of(&file.display) else {
            continue;
        };
        if !found.iter().any(|(known, _)| known.name() == format.name()) {
            found.push((format, file));
        }
    }
    // Notes beside data are no data.
    if found.len() > 1 {
        found.retain(|(format, _)| format.name() != "text");
    }
    match found.as_slice() {
        [(format, _)] => Ok(*format),
        [] => sniff(&files[0], store, context).await,
        several => Err(TableError::MixedFormats {
            location: location.display.clone(),
            formats: several
                .iter()
                .map(|(format, file)| format!("{} (`{}`)", format.name(), file.relative.join("/")))
                .collect(),
        }),
    }
}

/// Tells the format of a file from its first bytes.
async fn sniff(
    file: &ListedFile,
    store: &Arc<dyn ObjectStore>,
    context: &TableContext<'_>,
) -> Result<&'static dyn TableFormat, TableError> {
    let pool = &context.state.runtime_env().memory_pool;
    let head = read_sample(store, file, suffix_of(&file.display).1, HEAD, pool).await?;
    if let Some(format) = FORMATS
        .iter()
        .copied()
        .find(|format| format.has_magic(&head))
    {
        return Ok(format);
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{' | b'[') => super::format("json"),
        _ => Err(TableError::UnknownFile {
            location: file.display.clone(),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn formats_are_told_by_log_suffix_or_content() {
        let bench = Bench::new();
        bench.write("delta/_delta_log/00000000000000000000.json", "{}");
        bench.write("hive/k=1/part-0.snappy.parquet", "");
        bench.write("hive/_SUCCESS", "");
        bench.write("hive/README.md", "");
        bench.write("a.csv.gz", "");
        bench.write("b.jsonl.zst", "");
        bench.write("c.TSV", "");
        bench.write("d/nosuffix", "PAR1....PAR1");
        bench.write("e", " [{\"x\":1}]");
        bench.write("f.feather", "");
        for (location, expect) in [
            ("delta", "delta"),
            ("delta/", "delta"),
            ("hive", "parquet"),
            ("hive/*/*.parquet", "parquet"),
            ("a.csv.gz", "csv"),
            ("b.jsonl.zst", "json"),
            ("c.TSV", "csv"),
            ("d", "parquet"),
            ("d/nosuffix", "parquet"),
            ("e", "json"),
            ("f.feather", "arrow"),
        ] {
            let found = detect(location, &bench.context()).await.unwrap();
            assert_eq!(found.format, expect, "{location}");
            assert!(found.locations[0].starts_with('/'));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_told_is_an_error_with_a_path() {
        let bench = Bench::new();
        bench.write("trips.parquet", "");
        bench.write("mixed/a.csv", "");
        bench.write("mixed/sub/b.parquet", "");
        bench.write("strange", "?");
        bench.write("outer/t/_delta_log/00000000000000000000.json", "{}");
        bench.write("outer/t/x.parquet", "");
        std::fs::create_dir(bench.folder().join("empty")).unwrap();
        let here = bench.folder().display();
        for (location, expect) in [
            (
                "trip.parquet",
                format!("no file or folder at `{here}/trip.parquet`"),
            ),
            ("empty", format!("no data files at `{here}/empty`")),
            (
                "mixed",
                format!(
                    "`{here}/mixed` holds files of several formats: csv (`a.csv`), parquet (`sub/b.parquet`)"
                ),
            ),
            (
                "strange",
                format!("cannot tell the format of `{here}/strange`"),
            ),
            (
                "nothing/*.csv",
                format!("no data files at `{here}/nothing/*.csv`"),
            ),
            (
                "outer",
                format!(
                    "cannot use `{here}/outer` as a location: it holds the Delta table `{here}/outer/t`"
                ),
            ),
        ] {
            let error = detect(location, &bench.context()).await.unwrap_err();
            assert_eq!(error.to_string(), expect);
        }
        let failure = lakesh_text::failure::Failure::from(
            detect("trip.parquet", &bench.context()).await.unwrap_err(),
        );
        assert_eq!(
            failure.hints,
            [format!("did you mean `{here}/trips.parquet`?")]
        );
    }
}
