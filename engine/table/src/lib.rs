//! Tables: from a definition to something DataFusion can scan, one file per format.
//!
//! Adding a format means one file with a [`TableFormat`] and one line in [`FORMATS`]. Nothing here
//! knows the catalog or SQL text, and the process environment is never read.

#![forbid(unsafe_code)]

mod arrow;
mod avro;
mod believed;
mod cache;
mod check;
mod checked_filters;
mod checkpoint_interval;
pub mod commit;
mod csv;
mod csv_sniff;
#[cfg(test)]
mod csv_tests;
mod delta;
mod delta_change;
mod delta_convert;
mod delta_detail;
mod delta_diff;
mod delta_feed;
mod delta_history;
mod delta_log;
mod delta_mapping;
mod delta_scan;
#[cfg(test)]
mod delta_tests;
mod delta_write;
mod detect;
mod discover;
mod error;
mod exact_number;
mod facts;
mod file_table;
mod files;
mod footprint;
mod glob;
mod guarded_store;
mod hive;
mod json;
mod links;
mod listing;
mod location;
mod log_bounds;
mod maintain;
mod merge;
mod options;
mod own_paths;
mod parquet;
mod parquet_metadata;
#[cfg(test)]
mod parquet_tests;
mod reader;
#[cfg(test)]
mod reader_tests;
mod sample;
mod store;
#[cfg(test)]
mod testing;
mod text;
mod types;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::similar::closest;
use url::Url;

pub use cache::TableCache;
pub use check::{RepairReport, RepairStep, RepairTable, check_delta, check_schema, repair_steps};
pub use delta::{delta_commit_times, delta_partition_columns, delta_range, delta_table};
pub use delta_change::{
    CONSTRAINT_PREFIX, FILE_COLUMN, GENERATION_EXPRESSION, OpenForChange, generated_columns,
    keys_row_by_row, library_state, row_by_row,
};
pub use delta_convert::convert_to_delta;
pub use delta_detail::{delta_detail, detail_schema};
pub use delta_diff::{Difference, Side, delta_difference};
pub use delta_feed::delta_feed;
pub use delta_history::{delta_history, history_schema};
pub use delta_write::{
    SchemaChange, WriteInput, WriteMode, WriteReport, WriteRequest, create_delta, write_delta,
    write_rows,
};
pub use detect::detect;
pub use discover::{Discovered, discover, discover_one};
pub use error::{TableError, conflict_reason};
pub use facts::{TableFiles, known_files};
pub use file_table::fingerprint;
pub use files::suffix_of;
pub use footprint::footprint;
pub use guarded_store::guarded_stores;
pub use location::Location;
pub use maintain::{
    Checkpoint, Maintained, Maintenance, Optimize, PartitionFilter, Restore, Vacuum, expired_files,
};
pub use options::{OptionKind, OptionSpec, parse_boolean};
pub use reader::{Argument, READERS, ReaderSignature, read};
pub use store::connect;

/// What opening a table needs from its surroundings.
#[derive(Clone, Copy)]
pub struct TableContext<'a> {
    /// Settings, functions and the runtime with its object stores.
    pub state: &'a Erased<SessionState>,
    /// Where relative paths start; absolute.
    pub working_directory: &'a Path,
    /// Variables such as `HOME` and `AWS_REGION`; the only environment that is looked at.
    pub environment: &'a BTreeMap<String, String>,
    /// What one session remembers from statement to statement.
    pub cache: &'a Erased<TableCache>,
    /// Whether a Delta table may have files outside of its own folder, as a shallow clone has.
    pub outside_files: bool,
    /// Whether a checkpoint may be written where many commits are read without one.
    pub keeps_checkpoints: bool,
}

/// A table that is ready to be scanned.
#[derive(Debug, Clone)]
pub struct OpenTable {
    /// What DataFusion scans; it sees the files that were there when the table was opened.
    pub provider: Arc<dyn TableProvider>,
    /// The version that is read, for formats that have versions.
    pub version: Option<u64>,
    /// The name of the format.
    pub format: &'static str,
    /// The table's file or folder; the first one if there are several.
    pub location: Url,
}

/// A format of tables: its name, how its files are recognised, and how it is opened.
#[async_trait]
pub trait TableFormat: Send + Sync {
    /// Returns the name that definitions use.
    fn name(&self) -> &'static str;

    /// Returns the suffixes of its files, without the dot and without a compression suffix.
    fn suffixes(&self) -> &'static [&'static str];

    /// Returns whether files may carry a compression suffix such as `.gz`.
    fn compressible(&self) -> bool {
        false
    }

    /// Tells by the first bytes of a file whether it is of this format; text formats say no.
    fn has_magic(&self, _head: &[u8]) -> bool {
        false
    }

    /// Returns the options that it understands, in groups.
    fn options(&self) -> Vec<&'static [OptionSpec]>;

    /// Returns whether its tables have versions.
    fn has_versions(&self) -> bool {
        false
    }

    /// Opens a table; `version` is `Latest` unless the format has versions.
    async fn open(
        &self,
        definition: &TableDefinition,
        version: TableVersion,
        context: &TableContext<'_>,
    ) -> Result<OpenTable, TableError>;
}

/// Every table format.
pub static FORMATS: &[&dyn TableFormat] = &[
    &parquet::Parquet,
    &delta::Delta,
    &csv::Csv,
    &json::Json,
    &arrow::Arrow,
    &avro::Avro,
    &text::Text,
];

/// Finds a format by its name, in any case.
pub fn format(name: &str) -> Result<&'static dyn TableFormat, TableError> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| TableError::UnknownName {
            what: "table format",
            name: name.to_string(),
            known: FORMATS.iter().map(|format| format.name()).collect(),
        })
}

/// Opens a table as it is now, or at a version if its format keeps them.
///
/// A version that cannot be had is an error, never another version.
pub async fn open(
    definition: &TableDefinition,
    version: TableVersion,
    context: &TableContext<'_>,
) -> Result<OpenTable, TableError> {
    let format = format(&definition.format)?;
    if version != TableVersion::Latest && !format.has_versions() {
        return Err(TableError::NoHistory {
            format: format.name().to_string(),
        });
    }
    if definition.locations.is_empty() {
        return Err(TableError::Location {
            location: String::new(),
            reason: "a table needs at least one location".into(),
        });
    }
    format.open(definition, version, context).await
}

/// Explains a partition column that is not among a table's columns.
pub fn unknown_partition_column(column: &str, schema: &Schema) -> Failure {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let failure = Failure::new(
        FailureKind::Plan,
        format!("partition column `{column}` is not a column of the rows"),
    );
    match closest(column, names) {
        Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
        None => failure,
    }
}
