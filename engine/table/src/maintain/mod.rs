//! Operations on a Delta table as a whole: restore, optimize, vacuum, checkpoint; one file each.
//!
//! They commit through a guarded log store, and every commit carries the operation's id.

mod checkpoint;
mod optimize;
mod restore;
mod vacuum;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::execution::SessionState;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::{DeltaTable, DeltaTableError};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::TableContext;
use super::delta::Source;
use super::delta_change::library_state;
use super::delta_log::DeltaLog;
use super::error::TableError;
use super::own_paths::check_paths;
use crate::commit::PointOfNoReturn;

pub use checkpoint::Checkpoint;
pub use optimize::{Optimize, PartitionFilter};
pub use restore::Restore;
pub(crate) use vacuum::hours_text;
pub use vacuum::{Vacuum, expired_files};

/// An operation on a whole table.
#[async_trait]
pub trait Maintenance: Send + Sync + 'static {
    /// What it says when it is done.
    type Report: Send + 'static;

    /// Does it.
    async fn run(&self, table: &Maintained<'_>) -> Result<Self::Report, TableError>;
}

/// The table that an operation works on.
pub struct Maintained<'a> {
    source: Source,
    context: &'a TableContext<'a>,
    point: PointOfNoReturn,
}

impl<'a> Maintained<'a> {
    /// Names the table; a commit passes the point when it begins to write its entry.
    pub fn new(
        definition: &TableDefinition,
        context: &'a TableContext<'a>,
        point: PointOfNoReturn,
    ) -> Result<Self, TableError> {
        Ok(Self {
            source: Source::new(definition, context)?,
            context,
            point,
        })
    }

    /// Loads a version for reading.
    pub(crate) async fn load(&self, version: TableVersion) -> Result<DeltaTable, TableError> {
        self.source.load(version, self.context).await
    }

    /// Loads the newest version as a table whose commits are guarded.
    pub(crate) async fn guarded(&self) -> Result<DeltaTable, TableError> {
        let newest = self.load(TableVersion::Latest).await?;
        let state = newest.snapshot().map_err(|error| self.failed(error))?;
        let mut table = DeltaTable::new(self.point.guard(newest.log_store(), Some(state)));
        table.state = Some(state.clone());
        Ok(table)
    }

    /// Refuses a table whose files are not its own, for operations that read them.
    fn check_paths(&self, table: &DeltaTable) -> Result<(), TableError> {
        check_paths(&self.source, table, self.context)
    }

    /// What every commit of the operation carries.
    pub(crate) fn commit(&self) -> CommitProperties {
        self.point.commit_properties(false)
    }

    /// The session's state, as the library's operations need it: its memory limit holds for them.
    fn state(&self) -> Arc<SessionState> {
        Arc::new(library_state(self.context.state))
    }

    async fn log(&self) -> Result<DeltaLog, TableError> {
        self.source.log().await
    }

    pub(crate) fn failed(&self, error: DeltaTableError) -> TableError {
        self.source.failed(error)
    }

    /// The operation's commit and what it does before.
    pub(crate) fn point(&self) -> &PointOfNoReturn {
        &self.point
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn context(&self) -> &TableContext<'a> {
        self.context
    }

    /// Says that another writer came first, after which the operation begins anew.
    pub(crate) fn overtaken(&self, version: u64) -> TableError {
        self.failed(DeltaTableError::VersionAlreadyExists(version))
    }

    fn location(&self) -> &str {
        &self.source.location.display
    }
}

/// Returns the number of a table's version.
pub(crate) fn version_of(table: &DeltaTable) -> u64 {
    table.version().unwrap_or_default()
}
