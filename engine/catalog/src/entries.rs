//! Tables and views by name: create, look up, change, rename, drop, list.

use chrono::Utc;
use lakesh_text::secret::is_secret_name;
use lakesh_text::similar::closest_few;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Catalog;
use super::database::Fault;
use super::entry::{
    Created, Entry, EntryHeader, EntryKind, HEADER_COLUMNS, OnConflict, QualifiedName, decode,
    encode, header_from_row,
};
use super::error::{Action, CatalogError, ObjectKind};
use super::schema::{Missing, require_schema};

/// How many similar names an error carries.
const SUGGESTIONS: usize = 3;

impl Catalog {
    /// Stores a table or a view under a name.
    ///
    /// The schema must exist. `Skip` and `Replace` only work on an entry of the same kind.
    pub fn create(
        &self,
        schema: &str,
        name: &str,
        entry: &Entry,
        on_conflict: OnConflict,
    ) -> Result<Created, CatalogError> {
        check_name(name)?;
        // What cannot be stored must fail before a catalog is made for it.
        encode(entry, name, self.location())?;
        match entry {
            Entry::View(view) => self.refuse_secrets(&view.query)?,
            Entry::Table { definition, .. } => {
                for (option, value) in &definition.options {
                    if is_secret_name(option) {
                        return Err(CatalogError::Secret);
                    }
                    self.refuse_secrets(value)?;
                }
            }
        }
        self.store().write(|transaction| {
            require_schema(transaction, schema, Action::Create)?;
            let Some(existing) = self.header(transaction, schema, name)? else {
                self.insert(transaction, schema, name, entry)?;
                return Ok(Created::New);
            };
            let shown = QualifiedName::new(schema, name).to_string();
            if on_conflict == OnConflict::Fail {
                let kind = existing.kind.into();
                return Err(CatalogError::Exists { kind, name: shown }.into());
            }
            check_kind(&existing, entry.kind(), Action::Create)?;
            if on_conflict == OnConflict::Skip {
                return Ok(Created::Skipped);
            }
            self.note_leaving(&existing);
            delete(transaction, schema, name)?;
            self.insert(transaction, schema, name, entry)?;
            Ok(Created::Replaced(Box::new(existing)))
        })
    }

    /// Looks a name up.
    pub fn get(&self, schema: &str, name: &str) -> Result<Option<Entry>, CatalogError> {
        let found = self
            .store()
            .read(|connection| self.lookup(connection, schema, name))?;
        Ok(found.flatten())
    }

    /// Removes an entry of the given kind and returns its header; `None` when there is none.
    ///
    /// The data of a managed table stays for the caller to remove (see `remove_managed`).
    pub fn drop(
        &self,
        schema: &str,
        name: &str,
        kind: EntryKind,
    ) -> Result<Option<EntryHeader>, CatalogError> {
        let dropped = self.drop_all(&[(schema, name)], kind, Missing::Accepted)?;
        Ok(dropped.into_iter().flatten().next())
    }

    /// Removes entries of the given kind, all or none, and returns their headers; `None` stands for what is
    /// not there.
    pub fn drop_all(
        &self,
        names: &[(&str, &str)],
        kind: EntryKind,
        missing: Missing,
    ) -> Result<Vec<Option<EntryHeader>>, CatalogError> {
        let dropped = self.store().write_existing(|transaction| {
            let mut found = Vec::with_capacity(names.len());
            for (schema, name) in names {
                let existing = self.header(transaction, schema, name)?;
                if let Some(existing) = &existing {
                    check_kind(existing, kind, Action::Drop)?;
                }
                found.push(existing);
            }
            if missing == Missing::Refused && found.iter().any(Option::is_none) {
                return Ok(found);
            }
            for entry in found.iter().flatten() {
                self.note_leaving(entry);
            }
            for (schema, name) in names {
                delete(transaction, schema, name)?;
            }
            Ok(found)
        })?;
        Ok(dropped.unwrap_or_else(|| vec![None; names.len()]))
    }

    /// Gives an entry of the given kind another name in the same schema.
    pub fn rename(
        &self,
        schema: &str,
        name: &str,
        new_name: &str,
        kind: EntryKind,
    ) -> Result<(), CatalogError> {
        check_name(new_name)?;
        let renamed = self.store().write_existing(|transaction| {
            let Some(existing) = self.header(transaction, schema, name)? else {
                return Err(not_found(transaction, schema, name, kind.into())?.into());
            };
            check_kind(&existing, kind, Action::Alter)?;
            if name == new_name {
                return Ok(());
            }
            if let Some(taken) = self.header(transaction, schema, new_name)? {
                return Err(Fault::Refused(CatalogError::Exists {
                    kind: taken.kind.into(),
                    name: QualifiedName::new(schema, new_name).to_string(),
                }));
            }
            transaction.execute(
                "UPDATE entries SET name = ?3 WHERE schema = ?1 AND name = ?2",
                [schema, name, new_name],
            )?;
            Ok(())
        })?;
        renamed.ok_or_else(|| missing(schema, name, kind))
    }

    /// Changes an entry of the given kind in place, so that no other process's change gets lost.
    ///
    /// The closure may run more than once, each time on the entry as it is then.
    pub fn alter(
        &self,
        schema: &str,
        name: &str,
        kind: EntryKind,
        change: impl Fn(&mut Entry),
    ) -> Result<(), CatalogError> {
        let altered = self.store().write_existing(|transaction| {
            let (Some(existing), Some(mut entry)) = (
                self.header(transaction, schema, name)?,
                self.lookup(transaction, schema, name)?,
            ) else {
                return Err(not_found(transaction, schema, name, kind.into())?.into());
            };
            check_kind(&existing, kind, Action::Alter)?;
            change(&mut entry);
            check_kind(&existing, entry.kind(), Action::Alter)?;
            delete(transaction, schema, name)?;
            self.insert(transaction, schema, name, &entry)?;
            transaction.execute(
                "UPDATE entries SET created_at = ?3 WHERE schema = ?1 AND name = ?2",
                params![schema, name, existing.created_at.timestamp_micros()],
            )?;
            Ok(())
        })?;
        altered.ok_or_else(|| missing(schema, name, kind))
    }

    /// Lists tables and views by schema and name, of one schema or of all.
    pub fn list(&self, schema: Option<&str>) -> Result<Vec<EntryHeader>, CatalogError> {
        let found = self
            .store()
            .read(|connection| self.headers(connection, schema))?;
        Ok(found.unwrap_or_default())
    }

    /// Returns the names of tables and views that look like this one, best first.
    pub fn similar(&self, name: &str, limit: usize) -> Result<Vec<QualifiedName>, CatalogError> {
        let found = self
            .store()
            .read(|connection| Ok(similar(connection, name, limit)?))?;
        Ok(found.unwrap_or_default())
    }

    /// Makes the error for a name that was looked up in vain, with what the user may have meant.
    pub fn not_found(&self, schema: &str, name: &str, kind: ObjectKind) -> CatalogError {
        let found = self
            .store()
            .read(|connection| Ok(not_found(connection, schema, name, kind)?));
        match found {
            Ok(Some(error)) | Err(error) => error,
            Ok(None) => CatalogError::NotFound {
                kind,
                name: QualifiedName::new(schema, name).to_string(),
                similar: Vec::new(),
            },
        }
    }

    /// Reads the headers of one schema or of all.
    pub(super) fn headers(
        &self,
        connection: &Connection,
        schema: Option<&str>,
    ) -> Result<Vec<EntryHeader>, Fault> {
        let query = format!(
            "SELECT {HEADER_COLUMNS} FROM entries WHERE schema = coalesce(?1, schema)
             ORDER BY schema, name"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let rows = statement.query_map([schema], header_from_row)?;
        rows.map(|row| Ok(self.with_absolute_location(row?)?))
            .collect()
    }

    fn header(
        &self,
        connection: &Connection,
        schema: &str,
        name: &str,
    ) -> Result<Option<EntryHeader>, Fault> {
        let query = format!("SELECT {HEADER_COLUMNS} FROM entries WHERE schema = ?1 AND name = ?2");
        let header = connection
            .prepare_cached(&query)?
            .query_row([schema, name], header_from_row)
            .optional()?;
        Ok(header
            .map(|header| self.with_absolute_location(header))
            .transpose()?)
    }

    fn with_absolute_location(&self, mut header: EntryHeader) -> Result<EntryHeader, CatalogError> {
        header.location = header
            .location
            .map(|stored| self.location().to_absolute(&stored))
            .transpose()?;
        Ok(header)
    }

    fn lookup(
        &self,
        connection: &Connection,
        schema: &str,
        name: &str,
    ) -> Result<Option<Entry>, Fault> {
        let mut statement = connection.prepare_cached(
            "SELECT kind, managed, definition FROM entries WHERE schema = ?1 AND name = ?2",
        )?;
        let mut rows = statement.query([schema, name])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let kind = EntryKind::from_text(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        let managed = row.get(1)?;
        let json = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let shown = QualifiedName::new(schema, name).to_string();
        Ok(Some(decode(kind, managed, json, &shown, self.location())?))
    }

    fn insert(
        &self,
        transaction: &Transaction<'_>,
        schema: &str,
        name: &str,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let encoded = encode(entry, name, self.location())?;
        transaction
            .prepare_cached(
                "INSERT INTO entries
                     (schema, name, kind, managed, format, location, comment, created_at, definition)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                schema,
                name,
                encoded.kind,
                encoded.managed,
                encoded.format,
                encoded.location,
                encoded.comment,
                Utc::now().timestamp_micros(),
                encoded.definition,
            ])?;
        Ok(())
    }
}

/// Refuses names that no statement could write or that no terminal could show.
pub(super) fn check_name(name: &str) -> Result<(), CatalogError> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.contains('\0') {
        "it has a zero byte"
    } else {
        return Ok(());
    };
    Err(CatalogError::InvalidName {
        name: name.to_owned(),
        reason,
    })
}

fn check_kind(
    existing: &EntryHeader,
    expected: EntryKind,
    action: Action,
) -> Result<(), CatalogError> {
    if existing.kind == expected {
        return Ok(());
    }
    Err(CatalogError::WrongKind {
        name: QualifiedName::new(&existing.schema, &existing.name).to_string(),
        found: existing.kind.into(),
        expected: expected.into(),
        action,
    })
}

fn delete(transaction: &Transaction<'_>, schema: &str, name: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM entries WHERE schema = ?1 AND name = ?2")?
        .execute([schema, name])?;
    Ok(())
}

fn similar(
    connection: &Connection,
    name: &str,
    limit: usize,
) -> rusqlite::Result<Vec<QualifiedName>> {
    let mut statement = connection.prepare_cached("SELECT name, schema FROM entries")?;
    let known: Vec<(String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut names = closest_few(name, known.iter().map(|(name, _)| name.as_str()), limit);
    // A name that stands in several schemas comes once here, and with all of them below.
    names.dedup();
    let in_schemas = names.iter().flat_map(|close| {
        known
            .iter()
            .filter(move |(name, _)| name == close)
            .map(|(name, schema)| QualifiedName::new(schema, name))
    });
    Ok(in_schemas.take(limit).collect())
}

fn not_found(
    connection: &Connection,
    schema: &str,
    name: &str,
    kind: ObjectKind,
) -> rusqlite::Result<CatalogError> {
    let similar = similar(connection, name, SUGGESTIONS)?;
    Ok(CatalogError::NotFound {
        kind,
        name: QualifiedName::new(schema, name).to_string(),
        similar: similar.iter().map(QualifiedName::to_string).collect(),
    })
}

fn missing(schema: &str, name: &str, kind: EntryKind) -> CatalogError {
    CatalogError::NotFound {
        kind: kind.into(),
        name: QualifiedName::new(schema, name).to_string(),
        similar: Vec::new(),
    }
}
