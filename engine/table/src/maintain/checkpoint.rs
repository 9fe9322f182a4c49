//! CHECKPOINT: writes the state of the newest version into one file, so that readers skip the log.

use async_trait::async_trait;
use deltalake::DeltaTableError;
use deltalake::checkpoints::create_checkpoint;
use lakesh_catalog::definition::TableVersion;

use super::{Maintained, Maintenance, version_of};
use crate::durable::Durable;
use crate::error::TableError;

/// Writes a checkpoint of the newest version.
pub struct Checkpoint;

#[async_trait]
impl Maintenance for Checkpoint {
    /// The version.
    type Report = u64;

    async fn run(&self, table: &Maintained<'_>) -> Result<u64, TableError> {
        let newest = table.load(TableVersion::Latest).await?;
        // A checkpoint that was begun is finished: half of one would lie about.
        table.point.pass();
        create_checkpoint(&newest, Some(table.point.operation()))
            .await
            .map_err(|error| table.failed(error))?;
        let version = version_of(&newest);
        if let Some(durable) = Durable::of(newest.table_url()) {
            let flushed = durable.flush_checkpoint(version).await;
            flushed.map_err(|error| table.failed(DeltaTableError::Io { source: error }))?;
        }
        Ok(version)
    }
}
