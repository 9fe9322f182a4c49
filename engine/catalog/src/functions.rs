//! Functions written in SQL, by name. What a definition means is not understood here.

use lakesh_text::similar::closest_few;
use rusqlite::{OptionalExtension, params};

use super::Catalog;
use super::database::Fault;
use super::entries::check_name;
use super::entry::{OnConflict, QualifiedName};
use super::error::{Action, CatalogError, ObjectKind};
use super::schema::require_schema;

/// A function as the catalog stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionEntry {
    /// The schema's name.
    pub schema: String,
    /// The function's name.
    pub name: String,
    /// JSON.
    pub definition: String,
}

impl Catalog {
    /// Stores a function; says whether it was stored or, with `Skip`, was there already.
    pub fn create_function(
        &self,
        function: &FunctionEntry,
        on_conflict: OnConflict,
    ) -> Result<bool, CatalogError> {
        let FunctionEntry {
            schema,
            name,
            definition,
        } = function;
        check_name(name)?;
        self.refuse_secrets(definition)?;
        self.store().write(|transaction| {
            require_schema(transaction, schema, Action::Create)?;
            let statement = match on_conflict {
                OnConflict::Replace => {
                    "INSERT INTO functions (schema, name, definition) VALUES (?1, ?2, ?3)
                     ON CONFLICT (schema, name) DO UPDATE SET definition = excluded.definition"
                }
                OnConflict::Fail | OnConflict::Skip => {
                    "INSERT INTO functions (schema, name, definition) VALUES (?1, ?2, ?3)
                     ON CONFLICT (schema, name) DO NOTHING"
                }
            };
            let stored = transaction.execute(statement, [schema, name, definition])? > 0;
            if !stored && on_conflict == OnConflict::Fail {
                return Err(Fault::Refused(CatalogError::Exists {
                    kind: ObjectKind::Function,
                    name: QualifiedName::new(schema, name).to_string(),
                }));
            }
            Ok(stored)
        })
    }

    /// Looks a function up.
    pub fn function(
        &self,
        schema: &str,
        name: &str,
    ) -> Result<Option<FunctionEntry>, CatalogError> {
        let found = self.store().read(|connection| {
            Ok(connection
                .prepare_cached("SELECT definition FROM functions WHERE schema = ?1 AND name = ?2")?
                .query_row([schema, name], |row| row.get(0))
                .optional()?)
        })?;
        Ok(found.flatten().map(|definition| FunctionEntry {
            schema: schema.to_owned(),
            name: name.to_owned(),
            definition,
        }))
    }

    /// Lists all functions by schema and name.
    pub fn functions(&self) -> Result<Vec<FunctionEntry>, CatalogError> {
        let found = self.store().read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT schema, name, definition FROM functions ORDER BY schema, name",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(FunctionEntry {
                    schema: row.get(0)?,
                    name: row.get(1)?,
                    definition: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Removes a function; says whether there was one.
    pub fn drop_function(&self, schema: &str, name: &str) -> Result<bool, CatalogError> {
        let dropped = self.store().write_existing(|transaction| {
            let dropped = transaction.execute(
                "DELETE FROM functions WHERE schema = ?1 AND name = ?2",
                params![schema, name],
            )?;
            Ok(dropped > 0)
        })?;
        Ok(dropped.unwrap_or(false))
    }

    /// Makes the error for a function that was looked up in vain.
    pub fn function_not_found(&self, schema: &str, name: &str) -> CatalogError {
        let known = match self.functions() {
            Ok(known) => known,
            Err(error) => return error,
        };
        let similar = closest_few(name, known.iter().map(|entry| entry.name.as_str()), 3);
        CatalogError::NotFound {
            kind: ObjectKind::Function,
            name: QualifiedName::new(schema, name).to_string(),
            similar: similar.into_iter().map(str::to_owned).collect(),
        }
    }
}
