//! Tests of the catalog as a whole, by topic; small ones stand beside the code.

mod files;
mod names;
mod sharing;
mod trusting;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use tempfile::TempDir;

use super::{Access, Catalog, Entry, locate};
use crate::definition::{TableDefinition, ViewDefinition};

/// A project folder with `.lakesh` in it and a user's data folder, both new.
struct Home {
    _root: TempDir,
    root: PathBuf,
}

#[allow(clippy::unwrap_used)]
impl Home {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        std::fs::create_dir_all(path.join("project/.lakesh")).unwrap();
        Self {
            _root: root,
            root: path,
        }
    }

    fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    fn user_data(&self) -> PathBuf {
        self.root.join("data")
    }

    fn database(&self) -> PathBuf {
        self.project().join(".lakesh/catalog.db")
    }

    /// Opens the project's catalog as a process started in the project folder would.
    fn catalog(&self) -> Catalog {
        self.catalog_with(Access::ReadWrite)
    }

    fn catalog_with(&self, access: Access) -> Catalog {
        Catalog::new(locate(&self.project(), None, &self.user_data()), access)
    }
}

fn memory() -> Catalog {
    let location = locate(Path::new("/"), Some(Path::new(":memory:")), Path::new("/x"));
    Catalog::new(location, Access::ReadWrite)
}

fn table(location: &str) -> Entry {
    Entry::Table {
        definition: TableDefinition {
            format: "parquet".to_owned(),
            locations: vec![location.to_owned()],
            ..TableDefinition::default()
        },
        managed: false,
    }
}

fn view(query: &str) -> Entry {
    Entry::View(ViewDefinition {
        query: query.to_owned(),
        columns: Vec::new(),
        current_schema: "main".to_owned(),
        folder: None,
        comment: None,
        feature: None,
    })
}

/// A table that uses every part of a definition.
fn rich_table(locations: Vec<String>) -> Entry {
    let inner = Field::new("größe", DataType::Decimal128(38, 9), true)
        .with_metadata(HashMap::from([("unit".to_owned(), "€".to_owned())]));
    let zone = Some(Arc::from("Europe/Berlin"));
    let schema = Schema::new(vec![
        Field::new("at", DataType::Timestamp(TimeUnit::Nanosecond, zone), false),
        Field::new("nested", DataType::List(Arc::new(inner)), true),
        Field::new_dictionary("day", DataType::UInt16, DataType::Utf8View, false),
    ]);
    Entry::Table {
        definition: TableDefinition {
            format: "csv".to_owned(),
            locations,
            options: BTreeMap::from([("delimiter".to_owned(), "\t".to_owned())]),
            schema: Some(Arc::new(schema)),
            partition_columns: vec!["day".to_owned()],
            comment: Some("what `it` is".to_owned()),
        },
        managed: true,
    }
}
