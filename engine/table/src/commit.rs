//! The point of no return of a Delta commit: before it a statement can be cancelled, after it not.
//!
//! Dropping a statement's stream aborts its work. A commit whose log entry is being written may land
//! all the same, so from there on the work runs to its end, detached from the stream.
//!
//! Every commit carries an operation id, so that no two entries are alike. When the answer to writing
//! a log entry is lost, the entry is read back: one with our bytes is our own commit, and is not
//! written a second time.

mod bounds;
mod file_key;
mod guarded;
mod ledger;
mod own_files;
mod removals;
mod traffic;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitProperties, TransactionError};
use deltalake::logstore::LogStoreRef;
use deltalake::table::state::DeltaTableState;
use tokio::task::JoinHandle;
use uuid::Uuid;

use guarded::GuardedLogStore;

use crate::checkpoint_interval::Landed;

pub(crate) use file_key::FileKey;
pub(crate) use traffic::Traffic;

/// The key of a commit's information under which its operation id stands.
const OPERATION_ID: &str = "lakesh.operationId";

/// How often a commit is tried again when another one came first without a conflict. Each time
/// somebody else has got on, so that a high number does no harm.
const COMMIT_RETRIES: usize = 200;

/// How often a statement is planned anew after a conflict before the user hears of it.
pub const ATTEMPTS: usize = 10;

/// Says whether nothing was committed because another writer changed what the statement had read.
pub fn is_conflict(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::Transaction {
            source: TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_),
        } | DeltaTableError::VersionAlreadyExists(_)
    )
}

/// Says whether a statement's commit has begun to write its log entry, and which commit that is.
#[derive(Debug, Clone)]
pub struct PointOfNoReturn(Arc<Operation>);

#[derive(Debug)]
struct Operation {
    id: Uuid,
    passed: AtomicBool,
    /// Whether commits are flushed to the disk.
    is_durable: bool,
    traffic: Arc<Traffic>,
    /// The newest commit that has landed.
    landed: Mutex<Option<Landed>>,
    /// What has landed so far.
    change: Mutex<Option<TableChange>>,
}

/// What an operation has committed to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableChange {
    /// The table's folder, on the disk or as a URL.
    pub location: String,
    /// The first version that it made.
    pub first: u64,
    /// The last version that it made.
    pub last: u64,
}

impl Default for PointOfNoReturn {
    fn default() -> Self {
        Self::new(true)
    }
}

impl PointOfNoReturn {
    /// Makes the point of a new operation. Commits that are durable are flushed to the disk before they
    /// count, where the table lies on one.
    pub fn new(is_durable: bool) -> Self {
        Self(Arc::new(Operation {
            id: Uuid::new_v4(),
            passed: AtomicBool::new(false),
            is_durable,
            traffic: Arc::default(),
            landed: Mutex::default(),
            change: Mutex::default(),
        }))
    }

    /// Returns the properties of the commits that may pass this point: the operation's id, and
    /// whether it only appends without having read the table.
    pub fn commit_properties(&self, is_blind_append: bool) -> CommitProperties {
        let id = (OPERATION_ID.to_owned(), self.0.id.to_string().into());
        let blind = is_blind_append.then(|| ("isBlindAppend".to_owned(), true.into()));
        CommitProperties::default()
            .with_metadata([id].into_iter().chain(blind))
            .with_max_retries(COMMIT_RETRIES)
            // Ours are written once the commit has landed, and a failure of theirs is none of its own.
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false))
    }

    /// Returns the operation's id.
    pub(crate) fn operation(&self) -> Uuid {
        self.0.id
    }

    /// Returns what the work has read, written and deleted so far.
    pub fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }

    /// From here on the work is not cut off any more.
    pub(crate) fn pass(&self) {
        self.0.passed.store(true, Ordering::Release);
    }

    /// Remembers a commit that has landed; what it says replaces what was said before.
    fn land(&self, landed: Landed) {
        *lock(&self.0.landed) = Some(landed);
    }

    /// Notes a version that is there now.
    fn note(&self, location: &str, version: u64) {
        let mut change = lock(&self.0.change);
        match change.as_mut() {
            Some(change) => change.last = change.last.max(version),
            None => {
                *change = Some(TableChange {
                    location: location.to_owned(),
                    first: version,
                    last: version,
                });
            }
        }
    }

    /// Returns what the operation has committed so far.
    pub fn change(&self) -> Option<TableChange> {
        lock(&self.0.change).clone()
    }

    /// Writes the checkpoint that is due after what has landed.
    async fn keep_checkpoint(&self) {
        let landed = lock(&self.0.landed).take();
        if let Some(landed) = landed {
            landed.keep_checkpoint(self.operation()).await;
        }
    }

    fn is_passed(&self) -> bool {
        self.0.passed.load(Ordering::Acquire)
    }

    /// Wraps a log store so that a commit's entry is checked against what others did since the state
    /// from which it was planned, and passes this point when it begins to be written.
    ///
    /// A new table has no such state.
    pub(crate) fn guard(&self, inner: LogStoreRef, base: Option<&DeltaTableState>) -> LogStoreRef {
        Arc::new(GuardedLogStore::new(inner, self.clone(), base.cloned()))
    }
}

/// Runs work on a task of its own. Dropping the returned future aborts the work, unless its commit
/// has passed the point of no return; `running` counts the work until it has ended.
pub async fn run_to_commit<T: Send + 'static>(
    point: PointOfNoReturn,
    running: Arc<AtomicUsize>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    running.fetch_add(1, Ordering::AcqRel);
    let counted = Counted(running);
    let committed = point.clone();
    let task = tokio::spawn(async move {
        let _counted = counted;
        let done = work.await;
        committed.keep_checkpoint().await;
        done
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod lost_answer_tests;
