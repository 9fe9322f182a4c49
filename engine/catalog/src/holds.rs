//! Readers of managed tables: a folder that somebody reads is removed when nobody does any more.
//!
//! Whoever reads a table of the warehouse holds a shared lock on its folder meanwhile. DROP and CREATE OR
//! REPLACE remove the folder if they get it for themselves; else they note it, and a later statement of
//! any process removes it. Where folders cannot be locked, they go at once.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Catalog;
use super::error::CatalogError;
use super::warehouse::create_folder;

/// The folder of the warehouse with a note for each folder that is to be removed.
const NOTES: &str = ".dropped";

/// Keeps the folder of a managed table for as long as it lives.
#[derive(Debug)]
pub struct Hold {
    _folder: File,
}

impl Catalog {
    /// Keeps the folder of a managed table from being removed; nothing for what lies elsewhere, or is gone.
    pub fn hold_managed(&self, location: &Path) -> Option<Hold> {
        let (_, folder) = self.managed_folder(location)?;
        let folder = File::open(folder).ok()?;
        folder.try_lock_shared().ok()?;
        Some(Hold { _folder: folder })
    }

    /// Removes the folders of dropped tables that nobody reads any more.
    pub fn sweep_dropped(&self) {
        let Some(warehouse) = self.known_warehouse() else {
            return;
        };
        // What cannot be removed now, a later sweep removes.
        let Ok(notes) = fs::read_dir(warehouse.join(NOTES)) else {
            return;
        };
        for note in notes.flatten() {
            let name = note.file_name();
            let folder = name
                .to_str()
                .and_then(|name| name.split_once('+'))
                .map(|(schema, table)| warehouse.join(schema).join(table));
            let is_managed = |folder: &PathBuf| self.managed_folder(folder).is_some();
            let done = match folder.filter(is_managed) {
                Some(folder) => remove_unread(&folder).unwrap_or(false),
                None => false,
            };
            if done {
                let _ = fs::remove_file(note.path());
            }
        }
    }
}

/// Removes the folder of a dropped table, or notes that it is to be removed once nobody reads it.
pub(super) fn remove(warehouse: &Path, folder: &Path) -> Result<(), CatalogError> {
    let failed = |error| CatalogError::io("remove", folder, error);
    if remove_unread(folder).map_err(failed)? {
        return Ok(());
    }
    let below = folder.strip_prefix(warehouse).unwrap_or(folder);
    // Names of folders in the warehouse are of letters, digits, `-` and `_`.
    let name = below.to_string_lossy().replace(['/', '\\'], "+");
    let notes = warehouse.join(NOTES);
    create_folder(&notes, false)?;
    let note = notes.join(name);
    File::create(&note).map_err(|error| CatalogError::io("write", &note, error))?;
    // The last reader may have gone before the note was there.
    let _ = remove_unread(folder).map(|removed| removed.then(|| fs::remove_file(&note)));
    Ok(())
}

/// Removes a folder that nobody reads; false if somebody does.
fn remove_unread(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(folder) {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(_) => None,
    };
    if let Some(lock) = &lock
        && let Err(TryLockError::WouldBlock) = lock.try_lock()
    {
        return Ok(false);
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}
