//! The tables of a session whose rows are kept, and what is known of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lakesh_catalog::definition::{TableRead, ViewDefinition};
use lakesh_sql::TableName;

use super::{Budget, SharedRows, Storage};

/// Where the rows of a cached table come from.
#[derive(Debug, Clone)]
pub enum CacheSource {
    /// The table or view of the same name.
    Named,
    /// The query of CACHE TABLE … AS.
    Query(ViewDefinition),
}

/// A table whose rows are kept.
#[derive(Debug)]
pub struct CacheEntry {
    /// The name of the table.
    pub name: TableName,
    /// What its rows come from.
    pub source: CacheSource,
    storage: Storage,
    hits: AtomicU64,
    misses: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rows: Arc<SharedRows>,
    /// What the rows come from, with versions; `None` before they were asked for.
    reads: Option<Vec<TableRead>>,
}

impl CacheEntry {
    /// Makes an entry without rows; they come with the first read.
    pub fn new(
        name: TableName,
        source: CacheSource,
        storage: Storage,
        budget: &Arc<Budget>,
    ) -> Self {
        Self {
            name,
            source,
            storage,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            state: Mutex::new(State {
                rows: Arc::new(SharedRows::new(storage, Arc::clone(budget))),
                reads: None,
            }),
        }
    }

    /// Returns the rows of these versions of the sources; those of others are let go.
    pub fn rows_of(&self, reads: &[TableRead], budget: &Arc<Budget>) -> Arc<SharedRows> {
        let mut state = self.state();
        let is_other = state.reads.as_deref().is_some_and(|known| known != reads);
        if is_other {
            state.rows = Arc::new(SharedRows::new(self.storage, Arc::clone(budget)));
        }
        state.reads = Some(reads.to_vec());
        Arc::clone(&state.rows)
    }

    /// Counts a read that found rows, or one that had to compute them.
    pub(super) fn count(&self, found: bool) {
        let counter = if found { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self) -> CacheRow {
        let state = self.state();
        let rows = state.rows.get();
        let sources = state.reads.iter().flatten();
        CacheRow {
            name: self.name.clone(),
            storage: self.storage.as_text(),
            rows: rows.as_ref().map(|rows| rows.rows),
            memory_bytes: rows.as_ref().map(|rows| rows.memory_bytes()),
            disk_bytes: rows.as_ref().map(|rows| rows.disk_bytes),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            sources: sources.map(TableRead::shown).collect(),
            query: match &self.source {
                CacheSource::Named => None,
                CacheSource::Query(view) => Some(view.query.clone()),
            },
        }
    }
}

/// What SHOW CACHE says of a table. What is `None` is not computed yet.
pub struct CacheRow {
    pub name: TableName,
    pub storage: &'static str,
    pub rows: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub hits: u64,
    pub misses: u64,
    pub sources: Vec<String>,
    pub query: Option<String>,
}

/// The tables of a session whose rows are kept.
#[derive(Debug, Default)]
pub struct CachedTables {
    entries: Mutex<HashMap<TableName, Arc<CacheEntry>>>,
    /// How much all of them may take.
    pub budget: Arc<Budget>,
}

impl CachedTables {
    /// Finds a table.
    pub fn get(&self, name: &TableName) -> Option<Arc<CacheEntry>> {
        self.entries().get(name).cloned()
    }

    /// Keeps the rows of a table from now on, in the place of what was kept under its name.
    pub fn insert(&self, entry: Arc<CacheEntry>) {
        self.entries().insert(entry.name.clone(), entry);
    }

    /// Lets the rows of a table go; says whether there were any.
    pub fn remove(&self, name: &TableName) -> bool {
        self.entries().remove(name).is_some()
    }

    /// Lets all rows go; returns how many tables had some.
    pub fn clear(&self) -> u64 {
        let entries = std::mem::take(&mut *self.entries());
        entries.len() as u64
    }

    /// Says what is kept, by name.
    pub fn list(&self) -> Vec<CacheRow> {
        let mut rows: Vec<_> = self.entries().values().map(|entry| entry.row()).collect();
        rows.sort_by(|left, right| {
            let key = |row: &CacheRow| (row.name.schema.clone(), row.name.table.clone());
            key(left).cmp(&key(right))
        });
        rows
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TableName, Arc<CacheEntry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
