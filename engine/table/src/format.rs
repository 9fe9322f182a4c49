//! What a format of tables is, and what opening one needs and gives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_text::erased::Erased;
use url::Url;

use super::cache::TableCache;
use super::error::TableError;
use super::options::OptionSpec;

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

    /// Returns whether its values stand in the files as text, so that reading them is parsing them.
    fn is_text(&self) -> bool {
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
