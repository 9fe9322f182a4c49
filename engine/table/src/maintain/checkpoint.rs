//! CHECKPOINT: writes the state of the newest version into one file, so that readers skip the log.

use async_trait::async_trait;
use deltalake::checkpoints::create_checkpoint;
use lakesh_catalog::definition::TableVersion;

use super::{Maintained, Maintenance, version_of};
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
        Ok(version_of(&newest))
    }
}
