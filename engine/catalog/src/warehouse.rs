//! The folder of a catalog on disk, and in it the warehouse where managed tables lie.
//!
//! It hands out locations and removes whole table folders. What is inside them belongs to the formats.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::Catalog;
use super::error::{CatalogError, ReadOnlyCause};
use super::holds;
use super::location::CatalogLocation;
use super::random::random_number;

/// Folder names of managed tables keep so many bytes of the table's name.
const NAME_BYTES: usize = 60;

impl Catalog {
    /// Chooses a new folder for a managed table, different on each call, and makes the folder above it.
    ///
    /// The table's name can be read from the folder's, but any name is safe: what is not a letter, a
    /// digit, `-` or `_` of ASCII becomes `_`, long names are cut, and a random part makes it unique.
    pub fn managed_location(&self, schema: &str, name: &str) -> Result<PathBuf, CatalogError> {
        self.store().prepare_folder()?;
        let folder = self.warehouse()?.join(folder_name(schema, "schema"));
        create_folder(&folder, false)?;
        let unique = random_number() & 0xffff_ffff;
        Ok(folder.join(format!("{}-{unique:08x}", folder_name(name, "table"))))
    }

    /// Removes the folder of a dropped managed table, at once or when nobody reads it any more; refuses
    /// what does not lie in the warehouse.
    pub fn remove_managed(&self, location: &Path) -> Result<(), CatalogError> {
        self.store().prepare_folder()?;
        match self.managed_folder(location) {
            Some((warehouse, folder)) => holds::remove(&warehouse, &folder),
            None => Err(CatalogError::InvalidLocation {
                location: location.display().to_string(),
                reason: "it is not the folder of a managed table",
            }),
        }
    }

    /// Returns the warehouse and the clean path of a managed table's folder in it; nothing for what is none.
    pub(super) fn managed_folder(&self, location: &Path) -> Option<(PathBuf, PathBuf)> {
        let warehouse = self.known_warehouse()?;
        let clean = super::path::normalise(location);
        let depth = clean
            .strip_prefix(&warehouse)
            .map_or(0, |below| below.components().count());
        (depth == 2).then_some((warehouse, clean))
    }

    /// Returns the warehouse's folder, if it has one by now.
    pub(super) fn known_warehouse(&self) -> Option<PathBuf> {
        if let Some(folder) = self.folder() {
            return Some(folder.join("warehouse"));
        }
        let slot = self
            .shared
            .temporary_warehouse
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map(|folder| folder.path().to_owned())
    }

    fn warehouse(&self) -> Result<PathBuf, CatalogError> {
        if let Some(folder) = self.folder() {
            return Ok(folder.join("warehouse"));
        }
        let mut slot = self
            .shared
            .temporary_warehouse
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *slot {
            Some(folder) => folder,
            None => {
                let created = tempfile::Builder::new().prefix("lakesh-").tempdir();
                slot.insert(created.map_err(|error| {
                    CatalogError::io("create a folder in", &std::env::temp_dir(), error)
                })?)
            }
        };
        Ok(folder.path().to_owned())
    }
}

/// Makes a catalog's folder with a `.gitignore` of its own, so that no project commits it by accident.
pub(super) fn create_catalog_folder(location: &CatalogLocation) -> Result<(), CatalogError> {
    let Some(folder) = location.folder() else {
        return Ok(());
    };
    create_folder(folder, location.is_private())?;
    let ignore_file = folder.join(".gitignore");
    if ignore_file.exists() {
        return Ok(());
    }
    match write_new(&ignore_file, b"*\n") {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(refused("write", &ignore_file, folder, error))
        }
        _ => Ok(()),
    }
}

/// Makes a folder and those above it; `private` ones are for the user only where the system knows that.
pub(super) fn create_folder(folder: &Path, private: bool) -> Result<(), CatalogError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    #[cfg(not(unix))]
    let _ = private;
    builder
        .create(folder)
        .map_err(|error| refused("create the folder", folder, folder, error))
}

fn write_new(file: &Path, content: &[u8]) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)?
        .write_all(content)
}

fn refused(action: &'static str, path: &Path, folder: &Path, error: io::Error) -> CatalogError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => CatalogError::ReadOnly {
            path: folder.to_owned(),
            cause: ReadOnlyCause::Storage,
        },
        _ => CatalogError::io(action, path, error),
    }
}

/// Keeps what of a name is safe in a folder's name and in a URL on every system.
fn folder_name(name: &str, fallback: &str) -> String {
    let safe: String = name
        .chars()
        .map(|letter| match letter {
            '-' | '_' | '0'..='9' | 'a'..='z' | 'A'..='Z' => letter,
            _ => '_',
        })
        .take(NAME_BYTES)
        .collect();
    // Readers of folders skip names that begin with `_`.
    match safe.trim_start_matches(['_', '-']) {
        "" => fallback.to_owned(),
        name => name.to_owned(),
    }
}
