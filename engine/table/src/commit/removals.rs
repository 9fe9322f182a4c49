//! A commit removes only files that are live in the version on which it lands, and one that only
//! moves rows moves all of them.
//!
//! The library lets a commit pass beside others that came first, unless their changes conflict. For
//! files that such a commit removed with `dataChange = false`, which is what OPTIMIZE does, it looks
//! for no conflict (deltalake-core 1.1.3, `conflict_checker.rs`): of two OPTIMIZE at once the second
//! removed files that were removed already and added its copy of their rows, so that the table held
//! each row twice, and a DELETE beside an OPTIMIZE put its remainder beside the optimized file.

use std::collections::HashSet;

use bytes::Bytes;
use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::transaction::{CommitConflictError, TransactionError};
use deltalake::logstore::{LogStore, get_actions};
use deltalake::table::state::DeltaTableState;
use tokio::sync::Mutex;

use super::file_key::FileKey;
use super::ledger;

/// The state from which a commit was planned, and what became of its files since.
pub(super) struct Removals {
    base: DeltaTableState,
    since: Mutex<Since>,
}

/// What the commits after the base have removed.
struct Since {
    /// The newest version that is looked through.
    version: u64,
    gone: HashSet<FileKey>,
}

impl Removals {
    pub(super) fn new(base: DeltaTableState) -> Self {
        let since = Mutex::new(Since {
            version: base.version(),
            gone: HashSet::new(),
        });
        Self { base, since }
    }

    /// Refuses an entry that would remove what is not there, as a conflict after which a statement is
    /// planned anew, and one that would lose or double rows which it only means to move.
    pub(super) async fn check(
        &self,
        log: &dyn LogStore,
        version: u64,
        entry: &Bytes,
    ) -> Result<(), TransactionError> {
        let unreadable = |error: DeltaTableError| TransactionError::LogStoreError {
            msg: format!("the commits before version {version} cannot be read: {error}"),
            source: Box::new(error),
        };
        let actions = get_actions(version, entry).map_err(unreadable)?;
        let removed: HashSet<FileKey> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Remove(file) => Some(FileKey::of_remove(file)),
                _ => None,
            })
            .collect();
        if removed.is_empty() {
            return match added_rows(&actions) {
                Some(added) => ledger::check(entry, 0, added),
                None => Ok(()),
            };
        }
        let mut since = self.since.lock().await;
        while since.version + 1 < version {
            let next = since.version + 1;
            let entry = log.read_commit_entry(next).await.map_err(unreadable)?;
            // A commit that is cleaned up already cannot be looked through: plan on what is there now.
            let entry = entry.ok_or(CommitConflictError::ConcurrentDeleteDelete)?;
            since.follow(&get_actions(next, &entry).map_err(unreadable)?);
        }
        if removed.iter().any(|file| since.gone.contains(file)) {
            return Err(CommitConflictError::ConcurrentDeleteDelete.into());
        }
        // Not every writer counts rows; without its count there is nothing to compare.
        let (Some(before), Some(after)) = (self.rows(&removed), added_rows(&actions)) else {
            return Ok(());
        };
        ledger::check(entry, before, after)?;
        check_moved_rows(&actions, before, after)
    }

    /// Counts the rows of files of the base.
    fn rows(&self, files: &HashSet<FileKey>) -> Option<i64> {
        let mut rows = 0;
        for file in self.base.log_data().iter() {
            if files.contains(&FileKey::of_view(&file)) {
                let deleted = file.deletion_vector_descriptor();
                rows += file.num_records()? as i64 - deleted.map_or(0, |vector| vector.cardinality);
            }
        }
        Some(rows)
    }
}

/// Compares the rows of the removed and of the added files where an entry says that it changes none.
fn check_moved_rows(actions: &[Action], before: i64, after: i64) -> Result<(), TransactionError> {
    let changes = |action: &Action| match action {
        Action::Add(file) => file.data_change,
        Action::Remove(file) => file.data_change,
        _ => false,
    };
    if before == after || actions.iter().any(changes) {
        return Ok(());
    }
    let source = RowsDiffer { before, after };
    Err(TransactionError::LogStoreError {
        msg: source.to_string(),
        source: Box::new(source),
    })
}

impl Since {
    fn follow(&mut self, actions: &[Action]) {
        // The actions of one commit have no order among each other: what it adds is there after it.
        for action in actions {
            if let Action::Remove(file) = action {
                self.gone.insert(FileKey::of_remove(file));
            }
        }
        for action in actions {
            if let Action::Add(file) = action {
                self.gone.remove(&FileKey::of_add(file));
            }
        }
        self.version += 1;
    }
}

/// Counts the rows of the files that an entry adds; `None` if it does not count them.
fn added_rows(actions: &[Action]) -> Option<i64> {
    let mut rows = 0;
    for action in actions {
        if let Action::Add(file) = action {
            let statistics: serde_json::Value =
                serde_json::from_str(file.stats.as_deref()?).ok()?;
            let deleted = file.deletion_vector.as_ref();
            rows +=
                statistics["numRecords"].as_i64()? - deleted.map_or(0, |vector| vector.cardinality);
        }
    }
    Some(rows)
}

/// A commit that should only move rows would change how many there are.
#[derive(Debug, thiserror::Error)]
#[error(
    "the files that would be replaced hold {before} rows by the table's statistics, the new ones {after}; nothing was committed"
)]
struct RowsDiffer {
    before: i64,
    after: i64,
}

#[cfg(test)]
mod tests;
