//! RESTORE: makes an older version the newest one, by a commit that adds and removes files.

use async_trait::async_trait;
use lakesh_catalog::definition::TableVersion;

use super::{Maintained, Maintenance, version_of};
use crate::error::TableError;

/// What the library says when a file is gone.
const MISSING: &str = "Find missing file ";

/// Makes this version the newest one.
pub struct Restore {
    /// The version to go back to.
    pub version: TableVersion,
    /// The version that has to be the newest one still, if nothing that came after it may be taken back.
    pub newest: Option<u64>,
}

/// What a restore did.
pub struct RestoreReport {
    /// The version whose rows the table has now.
    pub restored: u64,
    /// The newest version; the restored one itself if that was the newest already.
    pub version: u64,
    pub files_added: u64,
    pub files_removed: u64,
}

#[async_trait]
impl Maintenance for Restore {
    type Report = RestoreReport;

    async fn run(&self, table: &Maintained<'_>) -> Result<RestoreReport, TableError> {
        let restored = version_of(&table.load(self.version).await?);
        let guarded = table.guarded().await?;
        let newest = version_of(&guarded);
        if let Some(expected) = self.newest
            && newest != expected
        {
            return Err(TableError::ChangedSince {
                location: table.location().to_owned(),
                version: expected,
                newest,
            });
        }
        if restored == newest {
            return Ok(RestoreReport {
                restored,
                version: newest,
                files_added: 0,
                files_removed: 0,
            });
        }
        let outcome = guarded
            .restore()
            .with_version_to_restore(restored)
            .with_commit_properties(table.commit())
            .await;
        let (after, metrics) = match outcome {
            Ok(done) => done,
            Err(error) => {
                let text = error.to_string();
                let missing = text
                    .split_once(MISSING)
                    .and_then(|(_, rest)| rest.strip_suffix(" when restore."));
                return Err(match missing {
                    Some(file) => missing_file(table, restored, file).await?,
                    None => table.failed(error),
                });
            }
        };
        Ok(RestoreReport {
            restored,
            version: version_of(&after),
            files_added: metrics.num_restored_file as u64,
            files_removed: metrics.num_removed_file as u64,
        })
    }
}

async fn missing_file(
    table: &Maintained<'_>,
    version: u64,
    file: &str,
) -> Result<TableError, TableError> {
    let (first, last) = table.log().await?.range().unwrap_or((version, version));
    Ok(TableError::MissingFile {
        location: table.location().to_owned(),
        version,
        file: file.to_owned(),
        first,
        last,
    })
}
