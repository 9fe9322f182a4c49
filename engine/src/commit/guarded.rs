//! A log store whose commits pass the point of no return, and whose data files are counted.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::{CommitOrBytes, LogStore, LogStoreConfig, LogStoreRef, ObjectStoreRef};
use deltalake::{DeltaResult, Path};
use uuid::Uuid;

use super::PointOfNoReturn;
use super::traffic::CountedStore;

/// A log store that notes when a commit's entry begins to be written.
pub(super) struct GuardedLogStore {
    inner: LogStoreRef,
    point: PointOfNoReturn,
}

impl GuardedLogStore {
    pub(super) fn new(inner: LogStoreRef, point: PointOfNoReturn) -> Self {
        Self { inner, point }
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
        self.point.pass();
        let attempted = match &commit_or_bytes {
            CommitOrBytes::LogBytes(bytes) => Some(bytes.clone()),
            CommitOrBytes::TmpCommit(_) => None,
        };
        let written = self
            .inner
            .write_commit_entry(version, commit_or_bytes, operation_id)
            .await;
        let Err(error) = written else {
            return Ok(());
        };
        match self.inner.read_commit_entry(version).await {
            Ok(entry) if entry.is_some() && entry == attempted => Ok(()),
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
        self.counted(self.inner.object_store(operation_id))
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
