//! Attachments: names for folders and buckets whose tables are discovered when they are asked for.
//!
//! It keeps name, location and options; discovering is the session's work.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::database::Fault;
use super::entries::check_name;
use super::entry::{OnConflict, time_from_microseconds};
use super::error::{Action, CatalogError, ObjectKind};
use super::schema::{namespace_kind, remove_namespace, taken};
use super::{Catalog, DEFAULT_SCHEMA};

/// A folder or bucket that stands for a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, which no schema has.
    pub name: String,
    /// An absolute path or a URL.
    pub location: String,
    /// Options of discovery, keys in lower case; never a secret's value.
    pub options: BTreeMap<String, String>,
    /// When it was attached.
    pub created_at: DateTime<Utc>,
}

impl Catalog {
    /// Attaches a folder or bucket under a name; returns whether anything changed.
    ///
    /// `Skip` and `Replace` concern an attachment of this name; a schema's name is always refused.
    pub fn attach(
        &self,
        name: &str,
        location: &str,
        options: &BTreeMap<String, String>,
        on_conflict: OnConflict,
    ) -> Result<bool, CatalogError> {
        check_name(name)?;
        if name == DEFAULT_SCHEMA {
            return Err(taken(ObjectKind::Schema, name));
        }
        let stored = self.location().to_stored(location)?;
        let options = serde_json::to_string(options).map_err(|source| bad(name, source))?;
        self.store().write(|transaction| {
            match (namespace_kind(transaction, name)?, on_conflict) {
                (None, _) => {}
                (Some(ObjectKind::Attachment), OnConflict::Skip) => return Ok(false),
                (Some(ObjectKind::Attachment), OnConflict::Replace) => {
                    remove_namespace(transaction, name)?;
                }
                (Some(kind), _) => return Err(taken(kind, name).into()),
            }
            transaction.execute(
                "INSERT INTO namespaces (name, kind, location, options, created_at)
                 VALUES (?1, 'attachment', ?2, ?3, ?4)",
                params![name, stored, options, Utc::now().timestamp_micros()],
            )?;
            Ok(true)
        })
    }

    /// Removes an attachment and returns it; `None` when there is none. Nothing of its data is touched.
    pub fn detach(&self, name: &str) -> Result<Option<Attachment>, CatalogError> {
        let detached = self.store().write_existing(|transaction| {
            if namespace_kind(transaction, name)? == Some(ObjectKind::Schema) {
                return Err(Fault::Refused(CatalogError::WrongKind {
                    name: name.to_owned(),
                    found: ObjectKind::Schema,
                    expected: ObjectKind::Attachment,
                    action: Action::Drop,
                }));
            }
            let attachment = self.read_attachments(transaction, Some(name))?.pop();
            remove_namespace(transaction, name)?;
            Ok(attachment)
        })?;
        Ok(detached.flatten())
    }

    /// Looks an attachment up.
    pub fn attachment(&self, name: &str) -> Result<Option<Attachment>, CatalogError> {
        let found = self
            .store()
            .read(|connection| Ok(self.read_attachments(connection, Some(name))?.pop()))?;
        Ok(found.flatten())
    }

    /// Lists the attachments by name.
    pub fn attachments(&self) -> Result<Vec<Attachment>, CatalogError> {
        let found = self
            .store()
            .read(|connection| self.read_attachments(connection, None))?;
        Ok(found.unwrap_or_default())
    }

    fn read_attachments(
        &self,
        connection: &Connection,
        name: Option<&str>,
    ) -> Result<Vec<Attachment>, Fault> {
        let mut statement = connection.prepare_cached(
            "SELECT name, location, options, created_at FROM namespaces
             WHERE kind = 'attachment' AND name = coalesce(?1, name) ORDER BY name",
        )?;
        let mut rows = statement.query([name])?;
        let mut attachments = Vec::new();
        while let Some(row) = rows.next()? {
            attachments.push(self.attachment_from_row(row)?);
        }
        Ok(attachments)
    }

    fn attachment_from_row(&self, row: &Row<'_>) -> Result<Attachment, Fault> {
        let name: String = row.get(0)?;
        let stored: String = row.get(1)?;
        let options: String = row.get(2)?;
        Ok(Attachment {
            location: self.location().to_absolute(&stored)?,
            options: serde_json::from_str(&options).map_err(|source| bad(&name, source))?,
            name,
            created_at: time_from_microseconds(row.get(3)?),
        })
    }
}

fn bad(name: &str, source: serde_json::Error) -> CatalogError {
    let name = name.to_owned();
    CatalogError::BadDefinition { name, source }
}
