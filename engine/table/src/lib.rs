//! Tables: from a definition to something DataFusion can scan, one file per format.
//!
//! Adding a format means one file with a [`TableFormat`] and one line in [`FORMATS`]. Nothing here
//! knows the catalog or SQL text, and the process environment is never read.

#![forbid(unsafe_code)]

mod arrow;
mod avro;
mod believed;
mod bounded;
mod cache;
mod change_account;
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
mod durable;
mod error;
mod exact_number;
mod facts;
mod file_parts;
mod file_table;
mod files;
mod footprint;
mod format;
mod formats;
mod glob;
mod guarded_read;
mod guarded_store;
mod hive;
mod json;
mod links;
mod listing;
mod location;
mod log_bounds;
mod maintain;
mod mended_log;
mod merge;
mod noted_writes;
mod options;
mod own_paths;
mod parquet;
mod parquet_metadata;
mod parquet_pages;
#[cfg(test)]
mod parquet_tests;
mod reader;
#[cfg(test)]
mod reader_tests;
mod sample;
mod staged;
mod store;
mod stored_types;
#[cfg(test)]
mod testing;
mod text;
mod types;

pub use cache::TableCache;
pub use change_account::accounting_state;
pub use check::{RepairReport, RepairStep, RepairTable, check_delta, check_schema, repair_steps};
#[cfg(test)]
use delta::{delta_commit_times, delta_table};
pub use delta::{delta_partition_columns, delta_range};
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
    SchemaChange, WriteInput, WriteMode, WriteReport, WriteRequest, write_delta, write_rows,
};
pub use detect::detect;
pub use discover::{Discovered, discover, discover_one};
pub use error::{TableError, conflict_reason, unknown_partition_column};
pub use facts::{TableFiles, known_files};
pub use file_table::fingerprint;
pub use files::suffix_of;
pub use footprint::footprint;
pub use format::{OpenTable, TableContext, TableFormat};
pub use formats::{FORMATS, format, has_versions, open};
pub use guarded_store::guarded_stores;
pub use location::Location;
pub use maintain::{
    Checkpoint, Maintained, Maintenance, Optimize, PartitionFilter, Restore, Vacuum, expired_files,
};
pub use noted_writes::WriteNotes;
pub use options::{OptionKind, OptionSpec, parse_boolean};
pub use reader::{Argument, READERS, ReaderSignature, read};
pub use store::connect;
pub use stored_types::stored_columns;
