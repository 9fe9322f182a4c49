//! The catalog: schemas, tables, views, attachments, encoders and functions in one SQLite file that every
//! process shares live.
//!
//! It stores definitions and says where things lie. It does not read tables, does not delete data
//! except below its own warehouse, holds no secrets, caches nothing and reads no environment variable.

#![forbid(unsafe_code)]

mod attachment;
mod database;
pub mod definition;
mod encoders;
mod entries;
mod entry;
mod error;
mod functions;
mod holds;
mod location;
mod migration;
mod path;
mod random;
mod schema;
#[cfg(test)]
mod tests;
mod trust;
mod verified;
mod warehouse;

use std::path::Path;
use std::sync::{Arc, Mutex};

use lakesh_text::secret::{Secrets, given_options};
use tempfile::TempDir;

pub use attachment::Attachment;
pub use encoders::EncoderEntry;
pub use entry::{Created, Entry, EntryHeader, EntryKind, OnConflict, QualifiedName};
pub use error::{Action, CatalogError, ObjectKind, ReadOnlyCause};
pub use functions::FunctionEntry;
pub use holds::{Beginning, Hold};
pub use location::{CatalogLocation, Discovery, MEMORY, locate};
pub use path::{absolute, is_url};
pub use schema::{DropBehavior, Missing, SchemaHeader};
pub use trust::Trust;
pub use verified::{RemedyKind, VerifiedRemedy};

use database::Store;

/// The schema that always exists and that unqualified names mean first.
pub const DEFAULT_SCHEMA: &str = "main";

/// Whether a session may change the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Reads and writes.
    #[default]
    ReadWrite,
    /// Reads; every write is refused.
    ReadOnly,
}

/// A handle on one catalog; cheap to clone, and safe to use from several threads.
///
/// Nothing is opened before the first call that needs the database. Reads of a catalog that does not
/// exist find it empty and leave it missing; the first write creates it.
#[derive(Debug, Clone)]
pub struct Catalog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    /// What must not be written into it.
    secrets: Secrets,
    /// The warehouse of an in-memory catalog; goes away with the last clone.
    temporary_warehouse: Mutex<Option<TempDir>>,
}

impl Catalog {
    /// Makes a handle without touching the disk.
    pub fn new(location: CatalogLocation, access: Access) -> Self {
        Self::of(Store::new(location, access), Secrets::default())
    }

    /// The same handle, not used yet, which refuses definitions that hold one of these.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        let store = Store::new(self.location().clone(), self.access());
        Self::of(store, secrets)
    }

    fn of(store: Store, secrets: Secrets) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                secrets,
                temporary_warehouse: Mutex::new(None),
            }),
        }
    }

    /// Refuses text that holds a secret: the catalog keeps names and addresses, never what opens them.
    pub(crate) fn refuse_secrets(&self, text: &str) -> Result<(), CatalogError> {
        let secrets = &self.shared.secrets;
        match secrets.find(text).is_empty() && given_options(text).is_empty() {
            true => Ok(()),
            false => Err(CatalogError::Secret),
        }
    }

    /// Returns where the catalog lies and how it was found.
    pub fn location(&self) -> &CatalogLocation {
        self.store().location()
    }

    /// Returns whether this handle may write.
    pub fn access(&self) -> Access {
        self.store().access()
    }

    fn store(&self) -> &Store {
        &self.shared.store
    }

    fn folder(&self) -> Option<&Path> {
        self.location().folder()
    }
}
