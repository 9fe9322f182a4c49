//! Schemas, and the one space of names that they share with attachments.

use chrono::{DateTime, Utc};
use lakesh_text::similar::closest_few;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::database::Fault;
use super::encoders::{drop_encoders, further_names};
use super::entries::check_name;
use super::entry::{EntryHeader, QualifiedName, time_from_microseconds};
use super::error::{Action, CatalogError, ObjectKind};
use super::{Catalog, DEFAULT_SCHEMA};

/// What a list of schemas tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaHeader {
    /// The schema's name.
    pub name: String,
    /// When it was created; `None` for the default schema of a catalog that does not exist yet.
    pub created_at: Option<DateTime<Utc>>,
}

/// What happens to the tables and views of a dropped schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DropBehavior {
    /// A schema that holds any is not dropped.
    #[default]
    Restrict,
    /// They are dropped with it.
    Cascade,
}

/// What a name means that is to be dropped and is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing is dropped.
    Refused,
    /// The others are dropped.
    Accepted,
}

impl Catalog {
    /// Creates a schema; returns whether it is new.
    pub fn create_schema(&self, name: &str, if_not_exists: bool) -> Result<bool, CatalogError> {
        check_name(name)?;
        if name == DEFAULT_SCHEMA && if_not_exists {
            return Ok(false);
        }
        self.store().write(|transaction| {
            match namespace_kind(transaction, name)? {
                Some(ObjectKind::Schema) if if_not_exists => return Ok(false),
                Some(kind) => return Err(taken(kind, name).into()),
                None => {}
            }
            transaction.execute(
                "INSERT INTO namespaces (name, kind, created_at) VALUES (?1, 'schema', ?2)",
                params![name, Utc::now().timestamp_micros()],
            )?;
            Ok(true)
        })
    }

    /// Drops a schema and returns the entries that went with it; `None` when there is no such schema.
    ///
    /// The data of managed tables stays for the caller to remove (see `remove_managed`).
    #[cfg(test)]
    pub(super) fn drop_schema(
        &self,
        name: &str,
        behavior: DropBehavior,
    ) -> Result<Option<Vec<EntryHeader>>, CatalogError> {
        let dropped = self.drop_schemas(&[name], behavior, Missing::Accepted)?;
        Ok(dropped.into_iter().flatten().next())
    }

    /// Drops schemas, all or none, and returns the entries that went with them; `None` stands for a schema
    /// that is not there.
    pub fn drop_schemas(
        &self,
        names: &[&str],
        behavior: DropBehavior,
        missing: Missing,
    ) -> Result<Vec<Option<Vec<EntryHeader>>>, CatalogError> {
        if names.contains(&DEFAULT_SCHEMA) {
            return Err(CatalogError::DefaultSchema);
        }
        let dropped = self.store().write_existing(|transaction| {
            let mut dropped = Vec::with_capacity(names.len());
            if missing == Missing::Refused {
                for name in names {
                    dropped.push(namespace_kind(transaction, name)?.map(|_| Vec::new()));
                }
                if dropped.iter().any(Option::is_none) {
                    return Ok(dropped);
                }
                dropped.clear();
            }
            for name in names {
                dropped.push(self.drop_one(transaction, name, behavior)?);
            }
            Ok(dropped)
        })?;
        Ok(dropped.unwrap_or_else(|| vec![None; names.len()]))
    }

    fn drop_one(
        &self,
        transaction: &Transaction<'_>,
        name: &str,
        behavior: DropBehavior,
    ) -> Result<Option<Vec<EntryHeader>>, Fault> {
        match namespace_kind(transaction, name)? {
            None => return Ok(None),
            Some(ObjectKind::Schema) => {}
            Some(found) => return Err(not_a_schema(name, found, Action::Drop).into()),
        }
        let entries = self.headers(transaction, Some(name))?;
        let further = further_names(transaction, name)?;
        let mut names = entries.iter().map(|entry| &entry.name).chain(&further);
        if let (DropBehavior::Restrict, Some(first)) = (behavior, names.next()) {
            return Err(Fault::Refused(CatalogError::NotEmpty {
                schema: name.to_owned(),
                count: (entries.len() + further.len()) as u64,
                example: QualifiedName::new(name, first).to_string(),
            }));
        }
        for entry in &entries {
            self.note_leaving(entry);
        }
        drop_encoders(transaction, name, None)?;
        transaction.execute("DELETE FROM functions WHERE schema = ?1", [name])?;
        transaction.execute("DELETE FROM entries WHERE schema = ?1", [name])?;
        remove_namespace(transaction, name)?;
        Ok(Some(entries))
    }

    /// Lists the schemas by name; the default schema is always among them.
    pub fn schemas(&self) -> Result<Vec<SchemaHeader>, CatalogError> {
        let found = self.store().read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name, created_at FROM namespaces WHERE kind = 'schema' ORDER BY name",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SchemaHeader {
                    name: row.get(0)?,
                    created_at: Some(time_from_microseconds(row.get(1)?)),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(found.unwrap_or_else(|| {
            vec![SchemaHeader {
                name: DEFAULT_SCHEMA.to_owned(),
                created_at: None,
            }]
        }))
    }

    /// Returns whether there is a schema of this name.
    pub fn has_schema(&self, name: &str) -> Result<bool, CatalogError> {
        if name == DEFAULT_SCHEMA {
            return Ok(true);
        }
        let kind = self
            .store()
            .read(|connection| Ok(namespace_kind(connection, name)?))?;
        Ok(kind.flatten() == Some(ObjectKind::Schema))
    }
}

/// Returns what a name of the shared space stands for.
pub(super) fn namespace_kind(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<ObjectKind>> {
    let is_schema: Option<bool> = connection
        .prepare_cached("SELECT kind = 'schema' FROM namespaces WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(is_schema.map(|is_schema| match is_schema {
        true => ObjectKind::Schema,
        false => ObjectKind::Attachment,
    }))
}

/// Refuses unless the name is a schema's.
pub(super) fn require_schema(
    connection: &Connection,
    name: &str,
    action: Action,
) -> Result<(), Fault> {
    match namespace_kind(connection, name)? {
        Some(ObjectKind::Schema) => Ok(()),
        Some(found) => Err(not_a_schema(name, found, action).into()),
        None => Err(namespace_not_found(connection, name, ObjectKind::Schema)?.into()),
    }
}

pub(super) fn namespace_not_found(
    connection: &Connection,
    name: &str,
    kind: ObjectKind,
) -> rusqlite::Result<CatalogError> {
    Ok(CatalogError::NotFound {
        kind,
        name: name.to_owned(),
        similar: similar_namespaces(connection, name, 3)?,
    })
}

pub(super) fn taken(kind: ObjectKind, name: &str) -> CatalogError {
    let name = name.to_owned();
    CatalogError::Exists { kind, name }
}

pub(super) fn remove_namespace(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM namespaces WHERE name = ?1", [name])?;
    Ok(())
}

fn not_a_schema(name: &str, found: ObjectKind, action: Action) -> CatalogError {
    CatalogError::WrongKind {
        name: name.to_owned(),
        found,
        expected: ObjectKind::Schema,
        action,
    }
}

fn similar_namespaces(
    connection: &Connection,
    name: &str,
    limit: usize,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT name FROM namespaces")?;
    let known: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let close = closest_few(name, known.iter().map(String::as_str), limit);
    Ok(close.into_iter().map(str::to_owned).collect())
}
