//! VACUUM: deletes files that no version within the retention needs, and those that a killed writer left.

use std::fs;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use deltalake::operations::vacuum::{VacuumBuilder, VacuumMode};
use deltalake::table::config::TablePropertiesExt;
use lakesh_catalog::definition::TableDefinition;

use super::{Maintained, Maintenance, version_of};
use crate::TableContext;
use crate::commit::PointOfNoReturn;
use crate::error::TableError;
use crate::staged::{StagedFile, staged_files};

/// Deletes files that were removed from the table, or never belonged to it, before the retention.
#[derive(Debug, Clone)]
pub struct Vacuum {
    /// How long files are kept; `None` keeps them as long as the table says.
    pub retention: Option<TimeDelta>,
    /// Whether a retention below the table's own is refused.
    pub check: bool,
    /// Whether files that the log does not name are deleted too.
    pub all: bool,
}

/// What a vacuum did.
pub struct VacuumReport {
    pub files: u64,
    pub version: u64,
}

impl Vacuum {
    /// Refuses a retention that could break readers and writers that are under way; also returns the
    /// retention.
    async fn builder(
        &self,
        table: &Maintained<'_>,
    ) -> Result<(VacuumBuilder, TimeDelta), TableError> {
        let newest = table.guarded().await?;
        let snapshot = newest.snapshot().map_err(|error| table.failed(error))?;
        let least = snapshot
            .snapshot()
            .table_properties()
            .deleted_file_retention_duration();
        let least = TimeDelta::from_std(least).unwrap_or(TimeDelta::MAX);
        if let Some(asked) = self.retention
            && self.check
            && asked < least
        {
            return Err(TableError::Retention {
                location: table.location().to_owned(),
                asked: hours_text(asked),
                least: hours_text(least),
            });
        }
        let mode = match self.all {
            true => VacuumMode::Full,
            false => VacuumMode::Lite,
        };
        let retention = self.retention.unwrap_or(least);
        let builder = newest
            .vacuum()
            .with_mode(mode)
            .with_retention_period(retention)
            .with_enforce_retention_duration(self.check)
            .with_commit_properties(table.commit());
        Ok((builder, retention))
    }

    /// Finds what killed writers left half-written before the retention.
    fn staged(&self, table: &Maintained<'_>, retention: TimeDelta) -> Vec<StagedFile> {
        let folder = table.source().location.local_path();
        let Some(folder) = folder.filter(|_| self.all) else {
            return Vec::new();
        };
        let retention = retention.to_std().unwrap_or(Duration::MAX);
        let mut staged = staged_files(&folder);
        staged.retain(|file| file.is_older_than(retention));
        staged
    }
}

#[async_trait]
impl Maintenance for Vacuum {
    type Report = VacuumReport;

    async fn run(&self, table: &Maintained<'_>) -> Result<VacuumReport, TableError> {
        let (builder, retention) = self.builder(table).await?;
        let (after, metrics) = builder.await.map_err(|error| table.failed(error))?;
        let mut files = metrics.files_deleted.len() as u64;
        for staged in self.staged(table, retention) {
            files += u64::from(delete(&staged)?);
        }
        Ok(VacuumReport {
            files,
            version: version_of(&after),
        })
    }
}

/// Deletes a file that is not whole; false if it is gone already.
fn delete(staged: &StagedFile) -> Result<bool, TableError> {
    match fs::remove_file(&staged.path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let location = staged.path.display().to_string();
            let source = object_store::Error::Generic {
                store: "LocalFileSystem",
                source: Box::new(error),
            };
            Err(TableError::store(location, source))
        }
    }
}

/// Lists the files that a vacuum would delete, as a user would write them, in order.
pub async fn expired_files(
    definition: &TableDefinition,
    vacuum: &Vacuum,
    context: &TableContext<'_>,
) -> Result<Vec<String>, TableError> {
    let table = Maintained::new(definition, context, PointOfNoReturn::default())?;
    let (builder, retention) = vacuum.builder(&table).await?;
    let builder = builder.with_dry_run(true);
    let (_, metrics) = builder.await.map_err(|error| table.failed(error))?;
    let folder = table.location().trim_end_matches('/');
    let mut files: Vec<String> = metrics
        .files_deleted
        .iter()
        .map(|file| format!("{folder}/{file}"))
        .collect();
    let staged = vacuum.staged(&table, retention);
    files.extend(staged.iter().map(|file| format!("{folder}/{}", file.name)));
    files.sort_unstable();
    Ok(files)
}

/// Writes a span of time in hours: `168 hours`, `0.5 hours`.
pub(crate) fn hours_text(span: TimeDelta) -> String {
    let hours = span.num_milliseconds() as f64 / 3_600_000.0;
    match hours == 1.0 {
        true => "1 hour".to_owned(),
        false => format!("{hours} hours"),
    }
}
