//! Folders of managed tables that come and go: one that somebody reads is removed when nobody does any
//! more, and one that belongs to no table does not stay.
//!
//! Whoever reads or makes a table of the warehouse holds a shared lock on its folder meanwhile. DROP and
//! CREATE OR REPLACE note the old folder before its entry goes, and remove it if they get it for
//! themselves; CREATE notes the new one before it makes it, and until it has an entry. It keeps that note
//! locked, since there is a time when neither folder nor entry says that somebody is at it. A later
//! statement of any process removes what is noted, not in use, and no table's: whoever was killed in
//! between leaves nothing. Where folders cannot be locked, they go at once.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Catalog;
use super::entry::EntryHeader;
use super::error::CatalogError;
use super::path::normalise;
use super::warehouse::create_folder;

/// The folder of the warehouse with a note for each folder that is to be removed unless a table has it.
const NOTES: &str = ".dropped";

/// Keeps the folder of a managed table for as long as it lives.
#[derive(Debug)]
pub struct Hold {
    _folder: File,
}

/// A folder that is about to become a managed table's. Unless its work is finished, it is removed by a
/// later statement.
#[derive(Debug)]
pub struct Beginning {
    note: Option<LockedNote>,
    _hold: Option<Hold>,
}

impl Beginning {
    /// Says that a table has the folder by now.
    pub fn finish(self) {
        if let Some(note) = self.note {
            note.remove();
        }
    }
}

/// A note that no sweep looks at for as long as this lives.
#[derive(Debug)]
struct LockedNote {
    path: PathBuf,
    _lock: File,
}

impl LockedNote {
    fn remove(self) {
        // One that stays does no harm: a folder without a table goes, and one with a table is kept.
        let _ = fs::remove_file(&self.path);
    }
}

impl Catalog {
    /// Makes the folder of a managed table that is going to be written, and keeps it meanwhile.
    pub fn begin_managed(&self, location: &Path) -> Result<Beginning, CatalogError> {
        let noted = self.managed_folder(location);
        let note = noted.and_then(|(warehouse, folder)| locked_note(&warehouse, &folder).ok());
        if let Err(error) = create_folder(location, false) {
            if let Some(note) = note {
                note.remove();
            }
            return Err(error);
        }
        let hold = self.hold_managed(location);
        if hold.is_some() {
            return Ok(Beginning { note, _hold: hold });
        }
        // Where the folder cannot be locked, nobody could tell that somebody is at it.
        if let Some(note) = note {
            note.remove();
        }
        Ok(Beginning {
            note: None,
            _hold: None,
        })
    }

    /// Notes that the folder of an entry's table is to go with the entry. Where that is not possible, the
    /// work goes on: a kill leaves the folder then.
    pub(super) fn note_leaving(&self, entry: &EntryHeader) {
        let location = entry.location.as_deref().filter(|_| entry.managed);
        let known = location.and_then(|location| self.managed_folder(Path::new(location)));
        if let Some((warehouse, folder)) = known {
            let _ = write_note(&warehouse, &folder);
        }
    }

    /// Keeps the folder of a managed table from being removed; nothing for what lies elsewhere, or is gone.
    pub fn hold_managed(&self, location: &Path) -> Option<Hold> {
        let (_, folder) = self.managed_folder(location)?;
        let folder = File::open(folder).ok()?;
        folder.try_lock_shared().ok()?;
        Some(Hold { _folder: folder })
    }

    /// Removes the folders that are noted, unless somebody is at them or a table has them.
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
            // Whoever has it locked is about to make the folder that it names.
            let Ok(lock) = File::open(note.path()) else {
                continue;
            };
            if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                continue;
            }
            let is_managed = |folder: &PathBuf| self.managed_folder(folder).is_some();
            let done = match folder.filter(is_managed) {
                Some(folder) => self.settle(&folder),
                None => false,
            };
            if done {
                let _ = fs::remove_file(note.path());
            }
        }
    }

    /// Removes a folder that is noted; says whether the note has served its purpose.
    fn settle(&self, folder: &Path) -> bool {
        match claim(folder) {
            Claim::Gone => true,
            Claim::Taken => false,
            // Asked while nobody else can be at the folder.
            Claim::Alone(_lock) => match self.is_named(folder) {
                Some(true) => true,
                Some(false) => fs::remove_dir_all(folder).is_ok(),
                None => false,
            },
        }
    }

    /// Says whether a table has a folder of the warehouse; nothing if the catalog cannot tell.
    fn is_named(&self, folder: &Path) -> Option<bool> {
        let entries = self.list(None).ok()?;
        let mut locations = entries.iter().filter_map(|entry| entry.location.as_deref());
        Some(locations.any(|location| normalise(Path::new(location)) == folder))
    }
}

/// Removes the folder of a dropped table, or notes that it is to be removed once nobody reads it.
pub(super) fn remove(warehouse: &Path, folder: &Path) -> Result<(), CatalogError> {
    let failed = |error| CatalogError::io("remove", folder, error);
    if remove_unread(folder).map_err(failed)? {
        let _ = fs::remove_file(note_of(warehouse, folder));
        return Ok(());
    }
    let note = write_note(warehouse, folder)?;
    // The last reader may have gone before the note was there.
    let _ = remove_unread(folder).map(|removed| removed.then(|| fs::remove_file(&note)));
    Ok(())
}

/// Notes that a folder is to be removed unless a table has it; returns the note.
fn write_note(warehouse: &Path, folder: &Path) -> Result<PathBuf, CatalogError> {
    create_folder(&warehouse.join(NOTES), false)?;
    let note = note_of(warehouse, folder);
    File::create(&note).map_err(|error| CatalogError::io("write", &note, error))?;
    Ok(note)
}

/// Notes a folder that is about to be made, under a lock; fails where files cannot be locked.
fn locked_note(warehouse: &Path, folder: &Path) -> io::Result<LockedNote> {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        let path = write_note(warehouse, folder).map_err(io::Error::other)?;
        let lock = match File::open(&path) {
            Ok(lock) => lock,
            // A sweep was here first.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = lock.lock() {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        // A sweep may have had it before us, and removed it as the note of a folder that is not there.
        if path.exists() {
            return Ok(LockedNote { path, _lock: lock });
        }
    }
    Err(io::Error::other("the note does not stay"))
}

fn note_of(warehouse: &Path, folder: &Path) -> PathBuf {
    let below = folder.strip_prefix(warehouse).unwrap_or(folder);
    // Names of folders in the warehouse are of letters, digits, `-` and `_`.
    let name = below.to_string_lossy().replace(['/', '\\'], "+");
    warehouse.join(NOTES).join(name)
}

/// Who is at a folder.
enum Claim {
    /// It is not there.
    Gone,
    /// Somebody reads or makes it.
    Taken,
    /// We are, with its lock if it can be locked.
    Alone(Option<File>),
}

fn claim(folder: &Path) -> Claim {
    let lock = match File::open(folder) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Claim::Gone,
        Err(_) => return Claim::Alone(None),
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Claim::Taken,
        _ => Claim::Alone(Some(lock)),
    }
}

/// Removes a folder that nobody reads; false if somebody does.
fn remove_unread(folder: &Path) -> io::Result<bool> {
    let _lock = match claim(folder) {
        Claim::Gone => return Ok(true),
        Claim::Taken => return Ok(false),
        Claim::Alone(lock) => lock,
    };
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}
