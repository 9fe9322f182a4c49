//! Whether a catalog that lay in the way may be trusted, as direnv asks for its files.
//!
//! Each catalog has a random id from its creation. lakesh's folder in the user's data folder keeps the
//! ids of the catalogs that were made on this machine or that the user said to trust. This file decides
//! nothing else: what an untrusted catalog may not do is up to the session.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use lakesh_text::user::current_user;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::Catalog;
use super::error::CatalogError;
use super::location::{CatalogLocation, Discovery, database_file};
use super::warehouse::create_folder;

/// Whether what a catalog says may run code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The user made it, trusted it, or owns and named it.
    Own,
    /// It is data only; the reason completes "the catalog is not trusted: …".
    Foreign(String),
}

/// A line of the file of trusted catalogs.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    id: String,
    /// The user who owned the catalog then, where the system knows users.
    owner: Option<u32>,
    /// Where it lay then; counts only for catalogs of other users, as one's own may move.
    folder: PathBuf,
}

impl Catalog {
    /// Tells whether the catalog may be trusted.
    ///
    /// One to which everybody can write never is, and one of another user not without having been recorded,
    /// also where its folder was named: its owner can put something else into it at any time. One that was
    /// found by walking up is foreign also when it was not made on this machine.
    pub fn trust(&self) -> Result<Trust, CatalogError> {
        let location = self.location();
        let Some(folder) = location.folder() else {
            return Ok(Trust::Own);
        };
        if !folder.exists() {
            return Ok(Trust::Own);
        }
        let open =
            is_open_to_all(folder).map_err(|error| CatalogError::io("look at", folder, error))?;
        if open {
            return Ok(Trust::Foreign("everybody can write to it".to_owned()));
        }
        let Some(user) = current_user() else {
            return Ok(Trust::Foreign(
                "it could not be found out who the current user is".to_owned(),
            ));
        };
        let owners = owners(folder).map_err(|error| CatalogError::io("look at", folder, error))?;
        let id = self
            .store()
            .read(|connection| Ok(catalog_id(connection)?))?;
        let is_recorded = id.as_ref().is_some_and(|id| {
            records(location).iter().any(|record| {
                let is_there = record.folder == folder;
                Some(&record.id) == id.as_ref()
                    && owners
                        .iter()
                        .all(|owner| *owner == user || (*owner == record.owner && is_there))
            })
        });
        let was_found = location.discovery() == Discovery::WalkedUp;
        Ok(if is_recorded {
            Trust::Own
        } else if owners.iter().any(|owner| *owner != user) {
            Trust::Foreign("it belongs to another user".to_owned())
        } else if !was_found || id.is_none() {
            // The user named it, or it is an own folder without a catalog in it: whatever comes into that
            // will be the user's.
            Trust::Own
        } else {
            Trust::Foreign("it was not made on this machine".to_owned())
        })
    }

    /// Records that the user trusts the catalog.
    pub fn trust_catalog(&self) -> Result<(), CatalogError> {
        let location = self.location();
        let Some(folder) = location.folder() else {
            return Ok(());
        };
        let id = self
            .store()
            .read(|connection| Ok(catalog_id(connection)?))?;
        match id.flatten() {
            Some(id) => record(location, folder, id),
            None => Err(CatalogError::Missing {
                path: folder.to_owned(),
            }),
        }
    }
}

/// Records a catalog as made on this machine, within the transaction that creates it.
///
/// Where the user's data folder cannot be written, the catalog is made all the same: it is then foreign
/// until it is trusted, which says so when it matters.
pub(super) fn record_creation(
    location: &CatalogLocation,
    connection: &Connection,
) -> rusqlite::Result<()> {
    if let (Some(folder), Some(id)) = (location.folder(), catalog_id(connection)?) {
        drop(record(location, folder, id));
    }
    Ok(())
}

fn catalog_id(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row(
            "SELECT value FROM metadata WHERE key = 'catalog.id'",
            [],
            |row| row.get(0),
        )
        .optional()
}

fn trusted_file(location: &CatalogLocation) -> PathBuf {
    location.user_folder().join("trusted")
}

fn record(location: &CatalogLocation, folder: &Path, id: String) -> Result<(), CatalogError> {
    let file = trusted_file(location);
    create_folder(location.user_folder(), true)?;
    append(&file, folder, id).map_err(|error| CatalogError::io("write", &file, error))
}

fn append(file: &Path, folder: &Path, id: String) -> io::Result<()> {
    let record = Record {
        id,
        owner: owner(&database_file(folder))?,
        folder: folder.to_owned(),
    };
    let mut line = serde_json::to_string(&record)?;
    line.push('\n');
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One write of one line: processes that record at the same time do not mix.
    options.open(file)?.write_all(line.as_bytes())
}

/// Reads the records; lines that cannot be understood trust nothing.
fn records(location: &CatalogLocation) -> Vec<Record> {
    let text = fs::read_to_string(trusted_file(location)).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Says whether everybody can change the folder, or the database in it, if there is one.
#[cfg(unix)]
fn is_open_to_all(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    const WRITE_BY_OTHERS: u32 = 0o002;
    let is_open = |path: &Path| match path.metadata() {
        Ok(found) => Ok(found.permissions().mode() & WRITE_BY_OTHERS != 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    Ok(is_open(folder)? || is_open(&database_file(folder))?)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Returns who owns the folder and the database in it, if there is one.
fn owners(folder: &Path) -> io::Result<Vec<Option<u32>>> {
    let mut owners = vec![owner(folder)?];
    match owner(&database_file(folder)) {
        Ok(user) => owners.push(user),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(owners)
}

#[cfg(unix)]
fn owner(path: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    Ok(Some(path.metadata()?.uid()))
}

#[cfg(not(unix))]
fn owner(path: &Path) -> io::Result<Option<u32>> {
    path.metadata().map(|_| None)
}
