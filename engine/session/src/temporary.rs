//! Tables and views that are there until the session ends, made by CREATE TEMP TABLE and CREATE TEMP VIEW.
//!
//! A table is a Delta table in a temporary folder, so that all statements work on it; its name hides one of the
//! catalog.

use std::collections::BTreeMap;

use lakesh_catalog::{Entry, EntryKind};
use lakesh_memory::spill::ScratchFolder;
use lakesh_sql::TableName;

/// What is there until the session ends.
#[derive(Default)]
pub(crate) struct Temporaries(BTreeMap<(String, String), Temporary>);

struct Temporary {
    entry: Entry,
    /// Where the rows of a table lie; it goes with the name.
    _folder: Option<ScratchFolder>,
}

fn key(name: &TableName) -> (String, String) {
    (name.schema.clone(), name.table.clone())
}

impl Temporaries {
    /// Returns what has a name.
    pub(crate) fn get(&self, name: &TableName) -> Option<Entry> {
        self.0.get(&key(name)).map(|found| found.entry.clone())
    }

    /// Puts something in the place of what has its name.
    pub(crate) fn put(&mut self, name: &TableName, entry: Entry, folder: Option<ScratchFolder>) {
        let temporary = Temporary {
            entry,
            _folder: folder,
        };
        self.0.insert(key(name), temporary);
    }

    /// Drops what has a name and is of a kind; says whether there was that.
    pub(crate) fn remove(&mut self, name: &TableName, kind: EntryKind) -> bool {
        match self.0.get(&key(name)) {
            Some(found) if found.entry.kind() == kind => self.0.remove(&key(name)).is_some(),
            _ => false,
        }
    }

    /// Lists all names.
    pub(crate) fn all(&self) -> Vec<(TableName, Entry)> {
        self.0
            .iter()
            .map(|((schema, table), found)| (TableName::new(schema, table), found.entry.clone()))
            .collect()
    }
}
