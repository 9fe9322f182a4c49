//! What is known of a table's files without reading rows: sizes, counts, partition columns.

use std::sync::Arc;

use datafusion::common::GetExt;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::TableSource;

use super::delta_scan::DeltaScan;
use super::file_table::FileTable;

/// The files of a table as it was opened.
#[derive(Debug, Clone, Default)]
pub struct TableFiles {
    /// The name of the format: `parquet`, `delta`, `csv`, `json`, …
    pub format: String,
    /// The compression of text files, as in `gz`; empty where there is none.
    pub compression: String,
    /// The columns by which the files are partitioned.
    pub partition_columns: Vec<String>,
    /// The files.
    pub files: Vec<KnownFile>,
}

/// One file of a table.
#[derive(Debug, Clone)]
pub struct KnownFile {
    /// The path inside the store; for Delta the path inside the table.
    pub path: String,
    pub bytes: u64,
    /// Rows, where the table's log knows them.
    pub rows: Option<u64>,
    /// Whether a deletion vector belongs to the file.
    pub has_deletions: bool,
}

/// Lists the files of a table of ours; `None` for views, functions and tables in memory.
pub fn known_files(source: &Arc<dyn TableSource>) -> Option<TableFiles> {
    let provider = source_as_provider(source).ok()?;
    if let Some(table) = provider.downcast_ref::<FileTable>() {
        return Some(files_of(table));
    }
    provider.downcast_ref::<DeltaScan>()?.known_files()
}

fn files_of(table: &FileTable) -> TableFiles {
    let first = table.layouts.first();
    let files = table.layouts.iter().flat_map(|layout| &layout.files);
    TableFiles {
        format: first.map_or_else(String::new, |layout| layout.format.get_ext()),
        compression: first
            .and_then(|layout| layout.format.compression_type())
            .map_or_else(String::new, |compression| {
                compression.get_ext().trim_start_matches('.').to_owned()
            }),
        partition_columns: table
            .partition_fields
            .iter()
            .map(|field| field.name().clone())
            .collect(),
        files: files
            .map(|file| KnownFile {
                path: file.object_meta.location.to_string(),
                bytes: file.object_meta.size,
                rows: None,
                has_deletions: false,
            })
            .collect(),
    }
}
