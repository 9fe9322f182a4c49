//! Encoders by name and version: replacing one keeps the older versions readable.
//!
//! The definition is JSON, what the outputs learned are bytes; neither is understood here.

use chrono::{DateTime, Utc};
use lakesh_text::similar::closest_few;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Catalog;
use super::database::Fault;
use super::entries::check_name;
use super::entry::{OnConflict, QualifiedName, time_from_microseconds};
use super::error::{Action, CatalogError, ObjectKind};
use super::schema::require_schema;

/// One version of an encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderEntry {
    /// The schema's name.
    pub schema: String,
    /// The encoder's name.
    pub name: String,
    /// From 1.
    pub version: u32,
    /// When this version was made.
    pub created_at: DateTime<Utc>,
    /// JSON.
    pub definition: String,
}

impl Catalog {
    /// Stores an encoder with what its outputs learned; returns its version, or `None` when it was
    /// there already and `Skip` was asked for. `Replace` adds a version.
    pub fn create_encoder(
        &self,
        schema: &str,
        name: &str,
        definition: &str,
        outputs: &[Vec<u8>],
        on_conflict: OnConflict,
    ) -> Result<Option<u32>, CatalogError> {
        check_name(name)?;
        self.refuse_secrets(definition)?;
        self.store().write(|transaction| {
            require_schema(transaction, schema, Action::Create)?;
            let newest = newest_version(transaction, schema, name)?;
            let version = match (newest, on_conflict) {
                (None, _) => 1,
                (Some(newest), OnConflict::Replace) => newest + 1,
                (Some(_), OnConflict::Skip) => return Ok(None),
                (Some(_), OnConflict::Fail) => {
                    return Err(Fault::Refused(CatalogError::Exists {
                        kind: ObjectKind::Encoder,
                        name: QualifiedName::new(schema, name).to_string(),
                    }));
                }
            };
            transaction.execute(
                "INSERT INTO encoders (schema, name, version, created_at, definition)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    schema,
                    name,
                    version,
                    Utc::now().timestamp_micros(),
                    definition
                ],
            )?;
            let mut statement = transaction.prepare_cached(
                "INSERT INTO encoder_outputs (schema, name, version, position, learned)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (position, learned) in outputs.iter().enumerate() {
                statement.execute(params![schema, name, version, position as i64, learned])?;
            }
            Ok(Some(version))
        })
    }

    /// Looks up a version of an encoder; without one, the newest.
    pub fn encoder(
        &self,
        schema: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<EncoderEntry>, CatalogError> {
        let found = self.store().read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT schema, name, version, created_at, definition FROM encoders
                     WHERE schema = ?1 AND name = ?2 AND version = coalesce(?3, version)
                     ORDER BY version DESC LIMIT 1",
                )?
                .query_row(params![schema, name, version], entry_from_row)
                .optional()?)
        })?;
        Ok(found.flatten())
    }

    /// Reads what an output of an encoder learned.
    pub fn encoder_output(
        &self,
        entry: &EncoderEntry,
        position: usize,
    ) -> Result<Option<Vec<u8>>, CatalogError> {
        let found = self.store().read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT learned FROM encoder_outputs
                     WHERE schema = ?1 AND name = ?2 AND version = ?3 AND position = ?4",
                )?
                .query_row(
                    params![entry.schema, entry.name, entry.version, position as i64],
                    |row| row.get(0),
                )
                .optional()?)
        })?;
        Ok(found.flatten())
    }

    /// Lists all versions of all encoders, by schema, name and version.
    pub fn encoders(&self) -> Result<Vec<EncoderEntry>, CatalogError> {
        let found = self.store().read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT schema, name, version, created_at, definition FROM encoders
                 ORDER BY schema, name, version",
            )?;
            let rows = statement.query_map([], entry_from_row)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Removes an encoder with all its versions; says whether there was one.
    pub fn drop_encoder(&self, schema: &str, name: &str) -> Result<bool, CatalogError> {
        let dropped = self.store().write_existing(|transaction| {
            Ok(drop_encoders(transaction, schema, Some(name))? > 0)
        })?;
        Ok(dropped.unwrap_or(false))
    }

    /// Makes the error for an encoder that was looked up in vain.
    pub fn encoder_not_found(
        &self,
        schema: &str,
        name: &str,
        version: Option<u32>,
    ) -> CatalogError {
        let known = match self.encoders() {
            Ok(known) => known,
            Err(error) => return error,
        };
        let shown = QualifiedName::new(schema, name).to_string();
        let versions = known
            .iter()
            .filter(|entry| entry.schema == schema && entry.name == name);
        let newest = versions.map(|entry| entry.version).max();
        if let (Some(version), Some(newest)) = (version, newest) {
            return CatalogError::NotFound {
                kind: ObjectKind::Encoder,
                name: format!("{shown}@v{version}"),
                similar: vec![format!("{shown}@v{newest}")],
            };
        }
        let mut similar = closest_few(name, known.iter().map(|entry| entry.name.as_str()), 3);
        similar.dedup();
        CatalogError::NotFound {
            kind: ObjectKind::Encoder,
            name: shown,
            similar: similar.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Removes an encoder, or all of a schema, and returns how many versions there were.
pub(super) fn drop_encoders(
    transaction: &Transaction<'_>,
    schema: &str,
    name: Option<&str>,
) -> rusqlite::Result<usize> {
    transaction.execute(
        "DELETE FROM encoder_outputs WHERE schema = ?1 AND name = coalesce(?2, name)",
        params![schema, name],
    )?;
    transaction.execute(
        "DELETE FROM encoders WHERE schema = ?1 AND name = coalesce(?2, name)",
        params![schema, name],
    )
}

/// Lists the encoders and functions of a schema.
pub(super) fn further_names(
    connection: &Connection,
    schema: &str,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT name FROM encoders WHERE schema = ?1
             UNION ALL SELECT name FROM functions WHERE schema = ?1 ORDER BY name",
    )?;
    let names = statement.query_map([schema], |row| row.get(0))?;
    names.collect()
}

fn newest_version(
    connection: &Connection,
    schema: &str,
    name: &str,
) -> rusqlite::Result<Option<u32>> {
    connection
        .prepare_cached("SELECT max(version) FROM encoders WHERE schema = ?1 AND name = ?2")?
        .query_row([schema, name], |row| row.get(0))
}

fn entry_from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<EncoderEntry> {
    Ok(EncoderEntry {
        schema: row.get(0)?,
        name: row.get(1)?,
        version: row.get(2)?,
        created_at: time_from_microseconds(row.get(3)?),
        definition: row.get(4)?,
    })
}
