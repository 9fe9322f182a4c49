//! The `delta` format: the newest version at each open, or an older one by number or moment.
//!
//! A table that was opened before is refreshed from its log, not loaded again. Writing is in
//! `delta_write`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use deltalake::kernel::transaction::TransactionError;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use lakesh_catalog::definition::{DELTA, TableDefinition, TableVersion};
use object_store::{ObjectStore, ObjectStoreExt};

use super::cache::CachedDelta;
use super::checkpoint_interval::keep_checkpoint_of_read;
use super::delta_log::{DeltaLog, commit_path, log_folder, not_delta};
use super::delta_mapping::check_names;
use super::delta_scan::DeltaScan;
use super::error::TableError;
use super::location::Location;
use super::mended_log::{MendedLog, has_broken_statistics};
use super::options::{OptionSpec, Options};
use super::own_paths::check_paths;
use super::{OpenTable, TableContext, TableFormat, store};
use super::{hive, listing};
use crate::commit::is_conflict;

/// Delta Lake tables.
pub(crate) struct Delta;

#[async_trait]
impl TableFormat for Delta {
    fn name(&self) -> &'static str {
        DELTA
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &[]
    }

    fn options(&self) -> Vec<&'static [OptionSpec]> {
        Vec::new()
    }

    fn has_versions(&self) -> bool {
        true
    }

    async fn open(
        &self,
        definition: &TableDefinition,
        version: TableVersion,
        context: &TableContext<'_>,
    ) -> Result<OpenTable, TableError> {
        let source = Source::new(definition, context)?;
        let table = source.load(version, context).await?;
        check_paths(&source, &table, context)?;
        check_names(&source, &table, &context.cache.checked_files).await?;
        table
            .update_datafusion_session(&**context.state)
            .map_err(|error| source.failed(error))?;
        let scan = DeltaScan::of_table(&source, &table, context).await?;
        Ok(OpenTable {
            provider: Arc::new(scan),
            version: table.version(),
            format: self.name(),
            location: source.location.folder_url(),
        })
    }
}

/// Loads the table that a definition names, for operations that go beyond scanning.
#[cfg(test)]
pub(crate) async fn delta_table(
    definition: &TableDefinition,
    version: TableVersion,
    context: &TableContext<'_>,
) -> Result<DeltaTable, TableError> {
    Source::new(definition, context)?
        .load(version, context)
        .await
}

/// Returns the oldest and the newest version of a Delta table that can be read.
pub async fn delta_range(
    definition: &TableDefinition,
    context: &TableContext<'_>,
) -> Result<(u64, u64), TableError> {
    let source = Source::new(definition, context)?;
    let log = source.log().await?;
    log.range().ok_or_else(|| not_delta(&source.location))
}

/// Returns the names of a Delta table's partition columns.
pub async fn delta_partition_columns(
    definition: &TableDefinition,
    context: &TableContext<'_>,
) -> Result<Vec<String>, TableError> {
    let source = Source::new(definition, context)?;
    let table = source.load(TableVersion::Latest, context).await?;
    let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
    Ok(snapshot.metadata().partition_columns().to_vec())
}

/// Returns a Delta table's readable versions in ascending order with their commit times.
///
/// These are the times that `TIMESTAMP AS OF` goes by.
#[cfg(test)]
pub(crate) async fn delta_commit_times(
    definition: &TableDefinition,
    context: &TableContext<'_>,
) -> Result<Vec<(u64, chrono::DateTime<chrono::Utc>)>, TableError> {
    let source = Source::new(definition, context)?;
    let log = DeltaLog::list(&source.location, source.store.as_ref()).await?;
    log.times(&source.location, &source.store).await
}

/// Why a version was not loaded.
enum DeltaLoad {
    Here(TableError),
    Library(DeltaTableError),
}

async fn load_into(table: &mut DeltaTable, version: Option<u64>) -> Result<(), DeltaTableError> {
    match version {
        None => table.load().await,
        Some(version) => table.load_version(version).await,
    }
}

/// Where a Delta table lies.
pub(crate) struct Source {
    pub(crate) location: Location,
    pub(crate) store: Arc<dyn ObjectStore>,
}

impl Source {
    pub(crate) fn new(
        definition: &TableDefinition,
        context: &TableContext<'_>,
    ) -> Result<Self, TableError> {
        let options = Options::check(DELTA, &definition.options, &[])?;
        let [text] = definition.locations.as_slice() else {
            return Err(TableError::Location {
                location: definition.locations.join(", "),
                reason: "a Delta table has exactly one location".into(),
            });
        };
        let location = Location::parse_folder(text, context)?;
        // The library's kernel decodes paths once too often; better no table than another one.
        if hive::decode(location.base.as_ref()) != location.base.as_ref() {
            return Err(TableError::Location {
                location: location.display,
                reason: "a Delta table's path cannot hold `%` and two hexadecimal digits".into(),
            });
        }
        let store = store::connect(&location, options.storage(), context)?;
        Ok(Self { location, store })
    }

    /// Makes a handle without reading the log.
    pub(crate) fn handle(&self) -> Result<DeltaTable, TableError> {
        self.handle_in(Arc::clone(&self.store))
    }

    fn handle_in(&self, store: Arc<dyn ObjectStore>) -> Result<DeltaTable, TableError> {
        let url = self.location.folder_url();
        DeltaTableBuilder::from_url(url.clone())
            .and_then(|builder| builder.with_storage_backend(store, url).build())
            .map_err(|error| self.failed(error))
    }

    /// Loads a version, the newest one if none is given, and a log that the library cannot read as it is
    /// without what keeps it from that.
    async fn loaded(&self, version: Option<u64>) -> Result<DeltaTable, DeltaLoad> {
        let mut table = self.handle().map_err(DeltaLoad::Here)?;
        let mended = MendedLog::new(Arc::clone(&self.store), log_folder(&self.location.base));
        let loaded = load_into(&mut table, version).await;
        let again = match &loaded {
            Ok(()) => has_broken_statistics(&table),
            Err(_) => mended.names_missing_checkpoint().await,
        };
        if again {
            let mut table = self.handle_in(Arc::new(mended)).map_err(DeltaLoad::Here)?;
            if load_into(&mut table, version).await.is_ok() {
                return Ok(table);
            }
        }
        loaded.map(|()| table).map_err(DeltaLoad::Library)
    }

    pub(crate) async fn load(
        &self,
        version: TableVersion,
        context: &TableContext<'_>,
    ) -> Result<DeltaTable, TableError> {
        let (log, number) = match version {
            TableVersion::Latest => return self.latest(context).await,
            TableVersion::Number(number) => {
                let log = self.log().await?;
                log.check(&self.location, number)?;
                (log, number)
            }
            TableVersion::Timestamp(moment) => {
                let log = self.log().await?;
                let number = log.at(&self.location, &self.store, moment).await?;
                (log, number)
            }
        };
        // The newest version may be known already, and may have a successor by now.
        if log.range().is_some_and(|(_, last)| last == number) {
            let newest = self.latest(context).await?;
            if newest.version() == Some(number) {
                return Ok(newest);
            }
        }
        self.loaded(Some(number))
            .await
            .map_err(|error| match error {
                DeltaLoad::Here(error) => error,
                DeltaLoad::Library(error) => self.failed(error),
            })
    }

    /// Loads the newest version, reading only what was committed since the last time.
    async fn latest(&self, context: &TableContext<'_>) -> Result<DeltaTable, TableError> {
        let key = self.location.folder_url();
        if let Some(cached) = context.cache.delta(key.as_str()) {
            let known = cached.table.version();
            match self.refresh(cached).await? {
                Some(table) if table.version() == known => return Ok(table),
                Some(table) => {
                    self.remember(&table, context).await;
                    return Ok(table);
                }
                None => context.cache.forget_delta(key.as_str()),
            }
        }
        let table = match self.loaded(None).await {
            Ok(table) => table,
            Err(DeltaLoad::Here(error)) => return Err(error),
            Err(DeltaLoad::Library(error)) => {
                let range = self.log().await?.range();
                return Err(match range {
                    Some(_) => self.failed(error),
                    None => not_delta(&self.location),
                });
            }
        };
        self.remember(&table, context).await;
        if context.keeps_checkpoints {
            keep_checkpoint_of_read(&table).await;
        }
        Ok(table)
    }

    /// Brings a table up to date; `None` if its log is not the one it was loaded from.
    async fn refresh(&self, cached: CachedDelta) -> Result<Option<DeltaTable>, TableError> {
        let mut table = cached.table;
        let Some(version) = table.version() else {
            return Ok(None);
        };
        match self
            .store
            .head(&commit_path(&self.location.base, version))
            .await
        {
            Ok(commit) if commit == cached.commit => {}
            Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(TableError::store(&self.location.display, error)),
        }
        let updated = table.update_state().await.is_ok();
        let broken = table.version() != Some(version) && has_broken_statistics(&table);
        Ok((updated && !broken).then_some(table))
    }

    async fn remember(&self, table: &DeltaTable, context: &TableContext<'_>) {
        let Some(version) = table.version() else {
            return;
        };
        // Without its commit file a table cannot be recognised, so it is loaded anew each time.
        let path = commit_path(&self.location.base, version);
        if let Ok(commit) = self.store.head(&path).await {
            let cached = CachedDelta {
                table: table.clone(),
                commit,
            };
            let key = self.location.folder_url();
            context.cache.remember_delta(key.as_str(), cached);
        }
    }

    /// Lists the log; an error if there is none.
    pub(super) async fn log(&self) -> Result<DeltaLog, TableError> {
        let log = DeltaLog::list(&self.location, self.store.as_ref()).await?;
        if log.range().is_some() {
            return Ok(log);
        }
        let exists = match self.location.local_path() {
            Some(path) => path.exists(),
            None => true,
        };
        Err(match exists {
            true => not_delta(&self.location),
            false => listing::not_found(&self.location),
        })
    }

    /// Says in the words of this module what the library said.
    pub(crate) fn failed(&self, error: DeltaTableError) -> TableError {
        let location = self.location.display.clone();
        match error {
            DeltaTableError::Transaction {
                source: TransactionError::UnsupportedTableFeatures(features),
            } => {
                let mut features: Vec<String> = features.iter().map(ToString::to_string).collect();
                features.sort();
                TableError::Features { location, features }
            }
            DeltaTableError::NotATable(_) => TableError::NotDelta { location },
            conflict if is_conflict(&conflict) => TableError::Conflict {
                location,
                source: Box::new(conflict),
            },
            DeltaTableError::ObjectStore { source } => TableError::store(location, source),
            DeltaTableError::Arrow { source } => {
                TableError::query(DataFusionError::ArrowError(Box::new(source), None))
            }
            source => TableError::Delta {
                location,
                source: Box::new(source),
            },
        }
    }

    pub(super) fn failed_scan(&self, error: DataFusionError) -> TableError {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<DeltaTableError>() {
                Ok(error) => self.failed(*error),
                Err(inner) => {
                    TableError::file(&self.location.display, DataFusionError::External(inner))
                }
            },
            error => TableError::file(&self.location.display, error),
        }
    }
}
