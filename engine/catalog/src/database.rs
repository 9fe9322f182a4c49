//! The one SQLite connection of a handle: opened late, shared with other processes, retried when busy.
//!
//! It knows transactions and files, not what the tables mean. Each read and each write is a transaction
//! of its own, which is how every process sees another's changes in its next call.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::error::{CatalogError, ReadOnlyCause};
use super::location::{CatalogLocation, database_file};
use super::migration::{CURRENT_FORMAT, Format, format_of, migrate};
use super::random::random_number;
use super::{Access, trust, warehouse};

/// How long a call tries while other processes hold the lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long SQLite itself waits before a call starts over.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a catalog that cannot be locked is read anew because it changed meanwhile.
const SNAPSHOT_ATTEMPTS: usize = 5;

/// What a step inside a transaction ends with; `Store` makes a `CatalogError` of it.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite failed; may be worth another try.
    Sqlite(rusqlite::Error),
    /// The step itself refused.
    Refused(CatalogError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<CatalogError> for Fault {
    fn from(error: CatalogError) -> Self {
        Self::Refused(error)
    }
}

/// The connection of one handle and where it leads.
#[derive(Debug)]
pub(super) struct Store {
    location: CatalogLocation,
    access: Access,
    /// The SQLite file; `None` for a catalog in memory.
    file: Option<PathBuf>,
    patience: Duration,
    connection: Mutex<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    connection: Connection,
    identity: Option<FileIdentity>,
}

/// Tells a file from another that took its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity(u64, u64);

impl Store {
    pub(super) fn new(location: CatalogLocation, access: Access) -> Self {
        Self {
            file: location.folder().map(database_file),
            location,
            access,
            patience: PATIENCE,
            connection: Mutex::new(None),
        }
    }

    #[cfg(test)]
    pub(super) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Opens the catalog as SQLite does where the file cannot be opened for writing at that moment.
    #[cfg(test)]
    pub(super) fn open_for_reading(&self) {
        *self.lock() = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY).ok();
    }

    pub(super) fn location(&self) -> &CatalogLocation {
        &self.location
    }

    pub(super) fn access(&self) -> Access {
        self.access
    }

    /// Runs a query against one state of the catalog; `None` when there is no catalog yet.
    pub(super) fn read<T>(
        &self,
        mut query: impl FnMut(&Connection) -> Result<T, Fault>,
    ) -> Result<Option<T>, CatalogError> {
        let mut slot = self.lock();
        self.patiently(|| match self.read_live(&mut slot, &mut query) {
            Err(Fault::Sqlite(error)) if cannot_lock(&error) || lacks_room(&error) => {
                *slot = None;
                match &self.file {
                    Some(file) if file.is_file() => self.read_snapshot(file, &mut query),
                    _ => Err(Fault::Sqlite(error)),
                }
            }
            result => result,
        })
    }

    /// Runs a change as one transaction, alone among all processes; creates the catalog if need be.
    pub(super) fn write<T>(
        &self,
        mut change: impl FnMut(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, CatalogError> {
        if self.access == Access::ReadOnly {
            return Err(self.read_only(ReadOnlyCause::Session));
        }
        let mut slot = self.lock();
        // A file that could not be opened for writing for a moment stays read-only with its connection.
        let was_open = slot.is_some();
        match self.write_once(&mut slot, &mut change) {
            Err(CatalogError::Io { .. }) if was_open && slot.is_none() => {
                self.write_once(&mut slot, &mut change)
            }
            result => result,
        }
    }

    /// Runs a change; closes a connection that turns out to be for reading only.
    fn write_once<T>(
        &self,
        slot: &mut Option<Opened>,
        change: &mut impl FnMut(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, CatalogError> {
        let written = self.patiently(|| self.write_live(slot, change));
        written.map_err(|error| match error {
            CatalogError::Database { source, .. } if cannot_lock(&source) => {
                *slot = None;
                self.not_writable(source)
            }
            other => other,
        })
    }

    /// Tells storage that permits no writing from storage that failed; SQLite calls both read-only.
    fn not_writable(&self, source: rusqlite::Error) -> CatalogError {
        match &self.file {
            Some(file) if is_forbidden(file) => self.read_only(ReadOnlyCause::Storage),
            Some(file) => {
                CatalogError::io("write", file, io::Error::other("it could not be opened"))
            }
            None => self.explain(source),
        }
    }

    /// Like `write`, but leaves a catalog that does not exist missing and returns `None` then.
    pub(super) fn write_existing<T>(
        &self,
        change: impl FnMut(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, CatalogError> {
        if self.is_missing() {
            return Ok(None);
        }
        self.write(change).map(Some)
    }

    fn is_missing(&self) -> bool {
        self.file.as_ref().is_some_and(|file| !file.exists())
    }

    /// Refuses where the handle or the storage is read-only, and makes the catalog's folder.
    pub(super) fn prepare_folder(&self) -> Result<(), CatalogError> {
        if self.access == Access::ReadOnly {
            return Err(self.read_only(ReadOnlyCause::Session));
        }
        warehouse::create_catalog_folder(&self.location)
    }

    fn read_only(&self, cause: ReadOnlyCause) -> CatalogError {
        let path = self.location.folder().unwrap_or(Path::new(super::MEMORY));
        CatalogError::ReadOnly {
            path: path.to_owned(),
            cause,
        }
    }

    /// A call that panicked has rolled its transaction back, so the connection stays usable.
    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries until it works, fails for good, or the patience is used up.
    fn patiently<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, Fault>,
    ) -> Result<T, CatalogError> {
        let start = Instant::now();
        loop {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(Fault::Refused(error)) => return Err(error),
                Err(Fault::Sqlite(error)) => {
                    if !is_busy(&error) || start.elapsed() >= self.patience {
                        return Err(self.explain(error));
                    }
                    std::thread::sleep(Duration::from_micros(500 + random_number() % 10_000));
                }
            }
        }
    }

    fn read_live<T>(
        &self,
        slot: &mut Option<Opened>,
        query: &mut impl FnMut(&Connection) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.forget_replaced_file(slot);
        let opened = match slot {
            Some(opened) => opened,
            None if self.is_missing() => return Ok(None),
            None => slot.insert(self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?),
        };
        let transaction = opened.connection.transaction()?;
        match format_of(&transaction)? {
            Format::Current => Ok(Some(query(&transaction)?)),
            Format::Older(found) if self.access == Access::ReadOnly => {
                Err(self.older(found).into())
            }
            Format::Older(_) => {
                drop(transaction);
                self.begin_write(&mut opened.connection)?.commit()?;
                self.read_live(slot, query)
            }
            Format::Empty => Ok(None),
            Format::Newer(found) => Err(self.newer(found).into()),
            Format::Foreign => Err(self.foreign().into()),
        }
    }

    fn write_live<T>(
        &self,
        slot: &mut Option<Opened>,
        change: &mut impl FnMut(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.forget_replaced_file(slot);
        let opened = match slot {
            Some(opened) => opened,
            None => {
                if self.is_missing() {
                    self.prepare_folder()?;
                }
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
                slot.insert(self.open(flags)?)
            }
        };
        let transaction = self.begin_write(&mut opened.connection)?;
        let value = change(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Begins a transaction that may write, in a catalog of the present format.
    fn begin_write<'c>(&self, connection: &'c mut Connection) -> Result<Transaction<'c>, Fault> {
        if format_of(connection)? == Format::Empty {
            // It is kept in the file; a file system that cannot do it stays with a rollback journal.
            connection.pragma_update(None, "journal_mode", "wal")?;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match format_of(&transaction)? {
            Format::Current => {}
            Format::Older(found) => migrate(&transaction, found)?,
            Format::Empty => {
                migrate(&transaction, 0)?;
                trust::record_creation(&self.location, &transaction)?;
            }
            Format::Newer(found) => return Err(self.newer(found).into()),
            Format::Foreign => return Err(self.foreign().into()),
        }
        Ok(transaction)
    }

    fn open(&self, flags: OpenFlags) -> rusqlite::Result<Opened> {
        let connection = match &self.file {
            Some(file) => {
                // An absolute path is never taken for a `file:` URI, which SQLite would accept.
                Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?
            }
            None => Connection::open_in_memory()?,
        };
        configure(&connection, self.patience.min(BUSY_TIMEOUT))?;
        let identity = self.file.as_deref().and_then(file_identity);
        Ok(Opened {
            connection,
            identity,
        })
    }

    /// Closes the connection to a file that was removed or replaced since, as by a removed project.
    fn forget_replaced_file(&self, slot: &mut Option<Opened>) {
        let (Some(file), Some(opened)) = (&self.file, slot.as_ref()) else {
            return;
        };
        if !file.exists() || file_identity(file) != opened.identity {
            *slot = None;
        }
    }

    /// Reads a catalog whose folder cannot be written, so that the usual locks cannot be taken.
    ///
    /// Nothing is kept between calls: somebody who may write can have changed it. Where the last writer
    /// left a log behind, a copy is read, as only a writer can merge the log.
    pub(super) fn read_snapshot<T>(
        &self,
        file: &Path,
        query: &mut impl FnMut(&Connection) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut result = Ok(None);
        for _ in 0..SNAPSHOT_ATTEMPTS {
            let before = fingerprint(file);
            result = self.read_snapshot_once(file, query);
            if fingerprint(file) == before {
                break;
            }
        }
        result
    }

    fn read_snapshot_once<T>(
        &self,
        file: &Path,
        query: &mut impl FnMut(&Connection) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let log = log_file(file);
        let copies;
        let connection = if log.metadata().is_ok_and(|log| log.len() > 0) {
            copies = tempfile::tempdir().map_err(|error| {
                CatalogError::io("create a folder in", &std::env::temp_dir(), error)
            })?;
            let copy = database_file(copies.path());
            for (from, to) in [(file, &copy), (&log, &log_file(&copy))] {
                fs::copy(from, to).map_err(|error| CatalogError::io("read", from, error))?;
            }
            let connection = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            // Merging the log into a copy that goes away would be wasted.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            connection
        } else {
            open_immutable(file)?
        };
        configure(&connection, self.patience.min(BUSY_TIMEOUT))?;
        match format_of(&connection)? {
            Format::Current => Ok(Some(query(&connection)?)),
            Format::Empty => Ok(None),
            Format::Older(found) => Err(self.older(found).into()),
            Format::Newer(found) => Err(self.newer(found).into()),
            Format::Foreign => Err(self.foreign().into()),
        }
    }

    fn shown_path(&self) -> PathBuf {
        self.file
            .clone()
            .unwrap_or_else(|| PathBuf::from(super::MEMORY))
    }

    fn newer(&self, found: u32) -> CatalogError {
        CatalogError::NewerVersion {
            path: self.shown_path(),
            found,
            known: CURRENT_FORMAT,
        }
    }

    fn older(&self, found: u32) -> CatalogError {
        CatalogError::OlderVersion {
            path: self.shown_path(),
            found,
        }
    }

    fn foreign(&self) -> CatalogError {
        CatalogError::NotACatalog {
            path: self.shown_path(),
        }
    }

    fn explain(&self, error: rusqlite::Error) -> CatalogError {
        let path = self.shown_path();
        if is_busy(&error) {
            let waited = self.patience;
            return CatalogError::Busy { path, waited };
        }
        let damaged = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ) || matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        );
        if damaged {
            CatalogError::Corrupt {
                path,
                source: error,
            }
        } else {
            CatalogError::Database {
                path,
                source: error,
            }
        }
    }
}

/// Sets what holds for every connection; a catalog from elsewhere must not run code of its own.
fn configure(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // With a write-ahead log a killed process loses nothing it had committed, and a power cut at most
    // the last commits, never the file.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Opens a file that nobody can be writing, without any lock.
fn open_immutable(file: &Path) -> rusqlite::Result<Connection> {
    let not_openable = || rusqlite::Error::InvalidPath(file.to_owned());
    let mut uri = url::Url::from_file_path(file).map_err(|()| not_openable())?;
    uri.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri.as_str(), flags)
}

fn log_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Changes whenever a writer touched the file or its log.
fn fingerprint(file: &Path) -> [Option<(u64, std::time::SystemTime)>; 2] {
    [file, &log_file(file)].map(|path| {
        let metadata = path.metadata().ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    })
}

#[cfg(unix)]
fn file_identity(file: &Path) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().ok()?;
    Some(FileIdentity(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_identity(_file: &Path) -> Option<FileIdentity> {
    // An open file cannot be replaced there.
    None
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

/// Returns whether the disk has no room for the file through which readers and writers meet.
fn lacks_room(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_SHMMAP
        )
    })
}

/// Says whether a catalog's files may not be written, or none be made beside it.
///
/// The system is asked without opening a file: closing it would give up SQLite's locks on it.
fn is_forbidden(file: &Path) -> bool {
    let mut shared = file.as_os_str().to_owned();
    shared.push("-shm");
    let shared = PathBuf::from(shared);
    let log = log_file(file);
    [file, log.as_path(), shared.as_path()]
        .into_iter()
        .chain(file.parent())
        .any(|path| {
            let answer = access(path, AccessFlags::W_OK);
            matches!(answer, Err(Errno::EACCES | Errno::EPERM | Errno::EROFS))
        })
}

/// Returns whether the file or the files beside it could not be opened for writing.
fn cannot_lock(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}
