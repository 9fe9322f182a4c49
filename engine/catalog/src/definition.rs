//! What the catalog knows of a table or a view, and the state in which a statement reads one: data without
//! behaviour.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

/// The format of tables that have a log: the only one whose tables can be changed and have versions.
pub const DELTA: &str = "delta";

/// Where a table lies and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableDefinition {
    /// A name in the registry of table formats: `parquet`, `delta`, `csv`, `json`, `arrow`, `avro`, `text`.
    pub format: String,
    /// Paths or URLs of files, globs or folders; at least one.
    pub locations: Vec<String>,
    /// Options of the format, keys in lower case; never a secret's value.
    pub options: BTreeMap<String, String>,
    /// The declared columns, partition columns included; `None` infers them.
    pub schema: Option<SchemaRef>,
    /// Names of the hive partition columns; empty infers them from `key=value` folders.
    pub partition_columns: Vec<String>,
    /// What the user wrote about the table.
    pub comment: Option<String>,
}

impl TableDefinition {
    /// Names a Delta table by where it lies.
    pub fn delta(location: impl Into<String>) -> Self {
        Self {
            format: DELTA.to_owned(),
            locations: vec![location.into()],
            ..Self::default()
        }
    }

    /// Says whether it is a Delta table.
    pub fn is_delta(&self) -> bool {
        self.format == DELTA
    }
}

/// A stored query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewDefinition {
    /// The query's text as the user wrote it.
    pub query: String,
    /// Names of the columns, where the view gives its own.
    pub columns: Vec<String>,
    /// The schema that unqualified names in the query refer to.
    pub current_schema: String,
    /// The folder that relative paths in the query start from; `None` for the session's own.
    pub folder: Option<String>,
    /// What the user wrote about the view.
    pub comment: Option<String>,
    /// Of a feature view: what its rows are about, and from when on.
    pub feature: Option<FeatureKeys>,
}

/// What the rows of a feature view are about, and from when on they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureKeys {
    /// The columns that say what a row is about.
    pub keys: Vec<String>,
    /// The column with the time from which on a row is known.
    pub timestamp: String,
}

/// Which state of a table is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TableVersion {
    /// The newest at the start of the statement.
    #[default]
    Latest,
    /// The numbered version.
    Number(u64),
    /// The newest version that was committed at or before this moment.
    Timestamp(DateTime<Utc>),
}

/// A table that a statement reads, in the state in which it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    /// The name or path that the statement gives it.
    pub name: String,
    /// The version, for formats that have versions.
    pub version: Option<u64>,
    /// What files it consists of, as a hash, for formats without versions.
    pub fingerprint: Option<u64>,
    /// Where the table lies, for tables that are named or have a path.
    pub location: Option<String>,
}

impl TableRead {
    /// Writes the table with its version: `t@v3`.
    pub fn shown(&self) -> String {
        match self.version {
            Some(version) => format!("{}@v{version}", self.name),
            None => self.name.clone(),
        }
    }
}
