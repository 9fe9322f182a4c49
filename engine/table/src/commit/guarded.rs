//! A log store whose commits are checked, flushed to the disk, and pass the point of no return, and whose
//! data files are counted, and deleted only where they are the table's own.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::{
    CommitOrBytes, LogStore, LogStoreConfig, LogStoreRef, ObjectStoreRef, get_actions,
};
use deltalake::table::state::DeltaTableState;
use deltalake::{DeltaResult, Path};
use object_store::ObjectStoreExt;
use uuid::Uuid;

use super::PointOfNoReturn;
use super::bounds;
use super::own_files::OwnFiles;
use super::removals::Removals;
use super::traffic::CountedStore;
use crate::checkpoint_interval::Landed;
use crate::durable::Durable;

/// A log store that checks a commit's entry and notes when it begins to be written.
pub(super) struct GuardedLogStore {
    inner: LogStoreRef,
    point: PointOfNoReturn,
    /// Absent for the first commit of a new table, which has nothing to remove.
    removals: Option<Removals>,
    /// The state from which commits are planned; absent for the first one of a new table.
    base: Option<DeltaTableState>,
    /// Flushes commits to the disk; absent where there is none, or that is not wanted.
    durable: Option<Durable>,
    /// The entry whose files were flushed last.
    flushed: Mutex<Option<Bytes>>,
}

impl GuardedLogStore {
    pub(super) fn new(
        inner: LogStoreRef,
        point: PointOfNoReturn,
        base: Option<DeltaTableState>,
    ) -> Self {
        let durable = Durable::of(inner.root_url()).filter(|_| point.0.is_durable);
        Self {
            inner,
            point,
            durable,
            flushed: Mutex::default(),
            removals: base.clone().map(Removals::new),
            base,
        }
    }

    /// Returns the bytes of an entry that is about to be written.
    async fn bytes_of(&self, entry: &CommitOrBytes) -> Result<Bytes, TransactionError> {
        match entry {
            CommitOrBytes::LogBytes(bytes) => Ok(bytes.clone()),
            CommitOrBytes::TmpCommit(path) => {
                let written = self.inner.object_store(None).get(path).await?;
                Ok(written.bytes().await?)
            }
        }
    }

    /// Flushes the files that an entry names, before any reader sees it.
    async fn flush_added(&self, version: u64, entry: &Bytes) -> Result<(), TransactionError> {
        let Some(durable) = &self.durable else {
            return Ok(());
        };
        // While they are flushed another writer takes the version: what is tried again is flushed already.
        if self.flushed().as_ref() == Some(entry) {
            return Ok(());
        }
        let failed = |error: Box<dyn Error + Send + Sync>| {
            TransactionError::from(object_store::Error::Generic {
                store: "LocalFileSystem",
                source: error,
            })
        };
        let actions = get_actions(version, entry).map_err(|error| failed(error.into()))?;
        let flushed = durable.flush_added(&actions).await;
        flushed.map_err(|error| failed(error.into()))?;
        *self.flushed() = Some(entry.clone());
        Ok(())
    }

    fn flushed(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.flushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a version is there, and flushes it.
    async fn land(&self, version: u64) -> Result<(), TransactionError> {
        self.remember(version);
        let Some(durable) = &self.durable else {
            return Ok(());
        };
        let flushed = durable.flush_entry(version, self.base.is_none()).await;
        flushed.map_err(|error| TransactionError::LogStoreError {
            msg: format!(
                "version {version} is there, but could not be flushed to the disk ({error}), so that a power cut \
                 may take it; look for operation {} in the table's history before running the statement again",
                self.point.0.id
            ),
            source: Box::new(error),
        })
    }

    fn remember(&self, version: u64) {
        let root = self.inner.root_url();
        let folder = root.to_file_path().ok();
        let folder = folder.as_ref().and_then(|folder| folder.to_str());
        self.point.note(folder.unwrap_or(root.as_str()), version);
        if let Some(base) = &self.base {
            let log_store = Arc::clone(&self.inner);
            self.point
                .land(Landed::new(log_store, base.clone(), version));
        }
    }

    fn counted(&self, store: ObjectStoreRef) -> ObjectStoreRef {
        let traffic = Arc::clone(&self.point.0.traffic);
        Arc::new(CountedStore::new(store, traffic))
    }
}

#[async_trait]
impl LogStore for GuardedLogStore {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn refresh(&self) -> DeltaResult<()> {
        self.inner.refresh().await
    }

    async fn read_commit_entry(&self, version: u64) -> DeltaResult<Option<Bytes>> {
        self.inner.read_commit_entry(version).await
    }

    async fn write_commit_entry(
        &self,
        version: u64,
        commit_or_bytes: CommitOrBytes,
        operation_id: Uuid,
    ) -> Result<(), TransactionError> {
        let planned = self.bytes_of(&commit_or_bytes).await?;
        let honest = bounds::honest(&planned, self.base.as_ref());
        let attempted = honest.clone().unwrap_or(planned);
        let commit_or_bytes = match (honest, commit_or_bytes) {
            (Some(honest), CommitOrBytes::LogBytes(_)) => CommitOrBytes::LogBytes(honest),
            (Some(honest), CommitOrBytes::TmpCommit(path)) => {
                let store = self.inner.object_store(None);
                store.put(&path, honest.into()).await?;
                CommitOrBytes::TmpCommit(path)
            }
            (None, as_planned) => as_planned,
        };
        if let Some(removals) = &self.removals {
            removals
                .check(self.inner.as_ref(), version, &attempted)
                .await?;
        }
        self.flush_added(version, &attempted).await?;
        self.point.pass();
        let written = self
            .inner
            .write_commit_entry(version, commit_or_bytes, operation_id)
            .await;
        let Err(error) = written else {
            return self.land(version).await;
        };
        match self.inner.read_commit_entry(version).await {
            Ok(entry) if entry.as_ref() == Some(&attempted) => self.land(version).await,
            Ok(_) => Err(error),
            // That another writer has the version is an answer; anything else may have landed.
            Err(_) if matches!(error, TransactionError::VersionAlreadyExists(_)) => Err(error),
            Err(unreadable) => Err(TransactionError::LogStoreError {
                msg: format!(
                    "it is not known whether version {version} was written ({error}), and the log \
                     cannot be read ({unreadable}); look for operation {} in the table's history \
                     before running the statement again",
                    self.point.0.id
                ),
                source: Box::new(error),
            }),
        }
    }

    async fn abort_commit_entry(
        &self,
        version: u64,
        commit_or_bytes: CommitOrBytes,
        operation_id: Uuid,
    ) -> Result<(), TransactionError> {
        self.inner
            .abort_commit_entry(version, commit_or_bytes, operation_id)
            .await
    }

    async fn get_latest_version(&self, start_version: u64) -> DeltaResult<u64> {
        self.inner.get_latest_version(start_version).await
    }

    fn object_store(&self, operation_id: Option<Uuid>) -> ObjectStoreRef {
        let store = self.counted(self.inner.object_store(operation_id));
        let root = self.inner.root_url();
        match root.to_file_path() {
            Ok(folder) if root.scheme() == "file" => Arc::new(OwnFiles::new(store, folder)),
            _ => store,
        }
    }

    fn root_object_store(&self, operation_id: Option<Uuid>) -> ObjectStoreRef {
        self.counted(self.inner.root_object_store(operation_id))
    }

    fn to_uri(&self, location: &Path) -> String {
        self.inner.to_uri(location)
    }

    fn root_url(&self) -> &url::Url {
        self.inner.root_url()
    }

    fn log_path(&self) -> &Path {
        self.inner.log_path()
    }

    fn transaction_url(&self, operation_id: Option<Uuid>) -> DeltaResult<url::Url> {
        self.inner.transaction_url(operation_id)
    }

    async fn is_delta_table_location(&self) -> DeltaResult<bool> {
        self.inner.is_delta_table_location().await
    }

    fn config(&self) -> &LogStoreConfig {
        self.inner.config()
    }
}
