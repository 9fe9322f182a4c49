//! What a session remembers between statements: the state of Delta tables, and each bucket's options.
//!
//! Nothing here is trusted without a look at the log; secrets stay in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use deltalake::DeltaTable;
use object_store::ObjectMeta;

use super::error::TableError;

/// How many Delta tables are remembered; the one that was not used for longest is forgotten.
const DELTA_TABLES: usize = 64;

/// The memory of one session; share it between statements.
#[derive(Debug, Default)]
pub struct TableCache {
    deltas: Mutex<DeltaStates>,
    stores: Mutex<HashMap<String, BTreeMap<String, String>>>,
    /// Files of tables with column mapping by id that were looked at.
    pub(crate) checked_files: CheckedFiles,
}

/// Files that were found to carry the table's own names, by location of the table and path.
#[derive(Debug, Default)]
pub(crate) struct CheckedFiles(Mutex<HashSet<String>>);

impl CheckedFiles {
    pub(crate) fn contains(&self, file: &str) -> bool {
        lock(&self.0).contains(file)
    }

    pub(crate) fn insert(&self, file: String) {
        lock(&self.0).insert(file);
    }
}

#[derive(Debug, Default)]
struct DeltaStates {
    clock: u64,
    tables: HashMap<String, (u64, CachedDelta)>,
}

/// A table as it was loaded, and the commit file of that version.
#[derive(Debug, Clone)]
pub(crate) struct CachedDelta {
    pub(crate) table: DeltaTable,
    pub(crate) commit: ObjectMeta,
}

impl TableCache {
    pub(crate) fn delta(&self, location: &str) -> Option<CachedDelta> {
        let mut states = lock(&self.deltas);
        states.clock += 1;
        let now = states.clock;
        let (used, cached) = states.tables.get_mut(location)?;
        *used = now;
        Some(cached.clone())
    }

    pub(crate) fn remember_delta(&self, location: &str, cached: CachedDelta) {
        let mut states = lock(&self.deltas);
        states.clock += 1;
        let now = states.clock;
        states.tables.insert(location.to_string(), (now, cached));
        if states.tables.len() > DELTA_TABLES {
            let oldest = states
                .tables
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(location, _)| location.clone());
            if let Some(oldest) = oldest {
                states.tables.remove(&oldest);
            }
        }
    }

    pub(crate) fn forget_delta(&self, location: &str) {
        lock(&self.deltas).tables.remove(location);
    }

    /// Records the options of a store; true if it has to be made.
    ///
    /// Options that a table gives explicitly must agree with those of the first use: the runtime
    /// keeps one store for each bucket, and a second one would silently change the first.
    pub(crate) fn claim_store(
        &self,
        store: &str,
        settings: &BTreeMap<String, String>,
        explicit: bool,
    ) -> Result<bool, TableError> {
        let mut stores = lock(&self.stores);
        match stores.get(store) {
            None => {
                stores.insert(store.to_string(), settings.clone());
                Ok(true)
            }
            Some(known) if !explicit || known == settings => Ok(false),
            Some(_) => Err(TableError::Location {
                location: store.to_string(),
                reason: "it is in use with other options in this session".into(),
            }),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
