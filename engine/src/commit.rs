//! The point of no return of a Delta commit: before it a statement can be cancelled, after it not.
//!
//! Dropping a statement's stream aborts its work. A commit whose log entry is being written may land
//! all the same, so from there on the work runs to its end, detached from the stream.
//!
//! Every commit carries an operation id, so that no two entries are alike. When the answer to writing
//! a log entry is lost, the entry is read back: one with our bytes is our own commit, and is not
//! written a second time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::kernel::transaction::{CommitProperties, TransactionError};
use deltalake::logstore::{CommitOrBytes, LogStore, LogStoreConfig, LogStoreRef, ObjectStoreRef};
use deltalake::{DeltaResult, DeltaTableError, Path};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The key of a commit's information under which its operation id stands.
const OPERATION_ID: &str = "lakesh.operationId";

/// How often a commit is tried again when another one came first without a conflict. Each time
/// somebody else has got on, so that a high number does no harm.
const COMMIT_RETRIES: usize = 200;

/// How often a statement is planned anew after a conflict before the user hears of it.
pub(crate) const ATTEMPTS: usize = 10;

/// Says whether nothing was committed because another writer changed what the statement had read.
pub(crate) fn is_conflict(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::Transaction {
            source: TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_),
        } | DeltaTableError::VersionAlreadyExists(_)
    )
}

/// Says whether a statement's commit has begun to write its log entry, and which commit that is.
#[derive(Debug, Clone)]
pub(crate) struct PointOfNoReturn(Arc<Operation>);

#[derive(Debug)]
struct Operation {
    id: Uuid,
    passed: AtomicBool,
}

impl Default for PointOfNoReturn {
    fn default() -> Self {
        Self(Arc::new(Operation {
            id: Uuid::new_v4(),
            passed: AtomicBool::new(false),
        }))
    }
}

impl PointOfNoReturn {
    /// Returns the properties of the commits that may pass this point: the operation's id, and
    /// whether it only appends without having read the table.
    pub(crate) fn commit_properties(&self, is_blind_append: bool) -> CommitProperties {
        let id = (OPERATION_ID.to_owned(), self.0.id.to_string().into());
        let blind = is_blind_append.then(|| ("isBlindAppend".to_owned(), true.into()));
        CommitProperties::default()
            .with_metadata([id].into_iter().chain(blind))
            .with_max_retries(COMMIT_RETRIES)
    }

    /// Returns the operation's id.
    pub(crate) fn operation(&self) -> Uuid {
        self.0.id
    }

    /// From here on the work is not cut off any more.
    pub(crate) fn pass(&self) {
        self.0.passed.store(true, Ordering::Release);
    }

    fn is_passed(&self) -> bool {
        self.0.passed.load(Ordering::Acquire)
    }

    /// Wraps a log store so that writing a commit's entry passes this point.
    pub(crate) fn guard(&self, inner: LogStoreRef) -> LogStoreRef {
        Arc::new(GuardedLogStore {
            inner,
            point: self.clone(),
        })
    }
}

/// Runs work on a task of its own. Dropping the returned future aborts the work, unless its commit
/// has passed the point of no return; `running` counts the work until it has ended.
pub(crate) async fn run_to_commit<T: Send + 'static>(
    point: PointOfNoReturn,
    running: Arc<AtomicUsize>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    running.fetch_add(1, Ordering::AcqRel);
    let counted = Counted(running);
    let task = tokio::spawn(async move {
        let _counted = counted;
        work.await
    });
    let mut guard = AbortUnlessCommitted { task, point };
    (&mut guard.task).await
}

/// Counts a running piece of work for as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

struct AbortUnlessCommitted<T> {
    task: JoinHandle<T>,
    point: PointOfNoReturn,
}

impl<T> Drop for AbortUnlessCommitted<T> {
    fn drop(&mut self) {
        if !self.point.is_passed() {
            self.task.abort();
        }
    }
}

/// A log store that notes when a commit's entry begins to be written.
struct GuardedLogStore {
    inner: LogStoreRef,
    point: PointOfNoReturn,
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
        self.inner.object_store(operation_id)
    }

    fn root_object_store(&self, operation_id: Option<Uuid>) -> ObjectStoreRef {
        self.inner.root_object_store(operation_id)
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

#[cfg(test)]
mod lost_answer_tests;
