//! Checkpoints that are written without being asked for: after commits, and where many are read.
//!
//! The library writes one only where its own commit has a number that the interval divides, so that a
//! table to which others add as well can go without for ever, and a checkpoint that fails makes it report
//! a commit as failed that has landed (deltalake-core 1.1.3, `transaction/mod.rs`). Here one is written
//! as soon as an interval of commits has none, and failing does no harm: the next commit tries again.
//! The log's expired files go when a checkpoint is written, as in Delta's own writer.

use std::num::NonZero;

use deltalake::DeltaTable;
use deltalake::checkpoints::{cleanup_metadata, create_checkpoint};
use deltalake::logstore::LogStoreRef;
use deltalake::table::config::TablePropertiesExt;
use deltalake::table::state::DeltaTableState;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use uuid::Uuid;

use super::delta_log::{LAST_CHECKPOINT, LOG_FOLDER};
use super::durable::Durable;

/// The interval of Delta's own writer, for tables that do not say `delta.checkpointInterval`.
const INTERVAL: u64 = 10;

/// Reading writes a checkpoint only after so many intervals: that is the business of those who commit.
const READ_INTERVALS: u64 = 10;

/// Returns after how many commits a table has a checkpoint.
pub(crate) fn interval(state: Option<&DeltaTableState>) -> u64 {
    let said = state.and_then(|state| state.snapshot().table_properties().checkpoint_interval);
    said.map_or(INTERVAL, NonZero::get)
}

/// A commit that has landed.
#[derive(Debug)]
pub(crate) struct Landed {
    log_store: LogStoreRef,
    /// The state from which it was planned.
    base: DeltaTableState,
    version: u64,
}

impl Landed {
    pub(crate) fn new(log_store: LogStoreRef, base: DeltaTableState, version: u64) -> Self {
        Self {
            log_store,
            base,
            version,
        }
    }

    /// Writes a checkpoint of the version if one is due.
    pub(crate) async fn keep_checkpoint(self, operation: Uuid) {
        let Self {
            log_store,
            base,
            version,
        } = self;
        if !is_due(&log_store, version, interval(Some(&base))).await {
            return;
        }
        let mut state = base;
        if state
            .update(log_store.as_ref(), Some(version))
            .await
            .is_err()
        {
            return;
        }
        let mut table = DeltaTable::new(log_store);
        table.state = Some(state);
        write(&table, operation).await;
    }
}

/// Writes a checkpoint of a table that was read, if very many commits have none.
pub(crate) async fn keep_checkpoint_of_read(table: &DeltaTable) {
    let Some(state) = table.state.as_ref() else {
        return;
    };
    let interval = interval(Some(state)).saturating_mul(READ_INTERVALS);
    if is_due(&table.log_store(), state.version(), interval).await {
        write(table, Uuid::new_v4()).await;
    }
}

/// Says whether so many commits up to a version have no checkpoint.
async fn is_due(log_store: &LogStoreRef, version: u64, interval: u64) -> bool {
    // A new table has none, and most tables are new or read by few: no look is needed.
    if version + 1 < interval {
        return false;
    }
    let path = ObjectPath::from(LOG_FOLDER).join(LAST_CHECKPOINT);
    let store = log_store.object_store(None);
    let newest = match store.get(&path).await {
        Ok(got) => got.bytes().await.ok(),
        Err(object_store::Error::NotFound { .. }) => None,
        // Where nothing can be read, nothing can be written either.
        Err(_) => return false,
    };
    let newest = newest.and_then(|bytes| {
        let hint: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        hint["version"].as_u64()
    });
    let since = newest.map_or(0, |newest| newest.saturating_add(1));
    (version + 1).saturating_sub(since) >= interval
}

async fn write(table: &DeltaTable, operation: Uuid) {
    if create_checkpoint(table, Some(operation)).await.is_err() {
        return;
    }
    if let (Some(durable), Some(version)) = (Durable::of(table.table_url()), table.version()) {
        // Flushed or not, it says what the commits say.
        let _ = durable.flush_checkpoint(version).await;
    }
    let expires = table.state.as_ref().is_some_and(|state| {
        state
            .snapshot()
            .table_properties()
            .enable_expired_log_cleanup()
    });
    if expires {
        // What cannot be deleted now goes with the next checkpoint.
        let _ = cleanup_metadata(table, Some(operation)).await;
    }
}
