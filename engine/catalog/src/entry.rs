//! What the catalog stores under a name: a table or a view, its header for lists, and its JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::Schema;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::DEFAULT_SCHEMA;
use super::error::{CatalogError, ObjectKind};
use super::location::CatalogLocation;
use crate::definition::{FeatureKeys, TableDefinition, ViewDefinition};

/// What stands under a name in a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A table.
    Table {
        /// Where it lies and how to read it.
        definition: TableDefinition,
        /// Whether its data lies in the warehouse and goes when it is dropped.
        managed: bool,
    },
    /// A stored query.
    View(ViewDefinition),
}

/// Whether an entry is a table or a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A table.
    Table,
    /// A view.
    View,
}

/// What a list of entries tells, without the definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHeader {
    /// The schema's name.
    pub schema: String,
    /// The entry's name.
    pub name: String,
    /// Whether it is a table or a view.
    pub kind: EntryKind,
    /// A table's format.
    pub format: Option<String>,
    /// Whether a table's data lies in the warehouse.
    pub managed: bool,
    /// A table's first location, absolute.
    pub location: Option<String>,
    /// What the user wrote about it.
    pub comment: Option<String>,
    /// When it was created or last replaced.
    pub created_at: DateTime<Utc>,
}

/// A schema's name and an entry's name in it; shown without the default schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    /// The schema's name.
    pub schema: String,
    /// The entry's name.
    pub name: String,
}

/// What to do when the name is taken by an entry of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Fail.
    Fail,
    /// Keep what is there.
    Skip,
    /// Replace what is there.
    Replace,
}

/// What creating came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The name was free.
    New,
    /// The name was taken, and what is there stayed.
    Skipped,
    /// The name was taken by this, which is gone; a managed table's data is still there.
    Replaced(Box<EntryHeader>),
}

impl Entry {
    /// Returns whether it is a table or a view.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Table { .. } => EntryKind::Table,
            Self::View(_) => EntryKind::View,
        }
    }

    /// Returns what the user wrote about it.
    pub fn comment(&self) -> Option<&str> {
        match self {
            Self::Table { definition, .. } => definition.comment.as_deref(),
            Self::View(definition) => definition.comment.as_deref(),
        }
    }
}

impl EntryKind {
    pub(super) fn as_text(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
        }
    }

    pub(super) fn from_text(text: &str) -> Self {
        // The column's CHECK lets nothing else in.
        match text {
            "view" => Self::View,
            _ => Self::Table,
        }
    }
}

impl From<EntryKind> for ObjectKind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Table => Self::Table,
            EntryKind::View => Self::View,
        }
    }
}

impl QualifiedName {
    /// Joins two names.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema != DEFAULT_SCHEMA {
            write!(formatter, "{}.", self.schema)?;
        }
        formatter.write_str(&self.name)
    }
}

/// A row of `entries`, ready to be bound.
pub(super) struct EncodedEntry {
    pub(super) kind: &'static str,
    pub(super) managed: bool,
    pub(super) format: Option<String>,
    pub(super) location: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) definition: String,
}

#[derive(Serialize, Deserialize)]
struct StoredTable {
    format: String,
    locations: Vec<String>,
    options: BTreeMap<String, String>,
    schema: Option<Schema>,
    partition_columns: Vec<String>,
    comment: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredView {
    query: String,
    columns: Vec<String>,
    current_schema: String,
    #[serde(default)]
    folder: Option<String>,
    comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature: Option<FeatureKeys>,
}

/// Turns an entry into its row, with locations that move with the project.
pub(super) fn encode(
    entry: &Entry,
    name: &str,
    location: &CatalogLocation,
) -> Result<EncodedEntry, CatalogError> {
    let encoded = match entry {
        Entry::Table { definition, .. } => serde_json::to_string(&StoredTable {
            format: definition.format.clone(),
            locations: stored_locations(definition, location)?,
            options: definition.options.clone(),
            schema: definition.schema.as_deref().cloned(),
            partition_columns: definition.partition_columns.clone(),
            comment: definition.comment.clone(),
        }),
        Entry::View(definition) => serde_json::to_string(&StoredView {
            query: definition.query.clone(),
            columns: definition.columns.clone(),
            current_schema: definition.current_schema.clone(),
            folder: definition
                .folder
                .as_deref()
                .map(|folder| location.to_stored(folder))
                .transpose()?,
            comment: definition.comment.clone(),
            feature: definition.feature.clone(),
        }),
    };
    let (managed, format, first_location) = match entry {
        Entry::Table {
            definition,
            managed,
        } => (
            *managed,
            Some(definition.format.clone()),
            stored_locations(definition, location)?.into_iter().next(),
        ),
        Entry::View(_) => (false, None, None),
    };
    Ok(EncodedEntry {
        kind: entry.kind().as_text(),
        managed,
        format,
        location: first_location,
        comment: entry.comment().map(str::to_owned),
        definition: encoded.map_err(|source| bad_definition(name, source))?,
    })
}

/// Turns the stored form back into an entry.
pub(super) fn decode(
    kind: EntryKind,
    managed: bool,
    json: &str,
    name: &str,
    location: &CatalogLocation,
) -> Result<Entry, CatalogError> {
    match kind {
        EntryKind::Table => {
            let stored: StoredTable =
                serde_json::from_str(json).map_err(|source| bad_definition(name, source))?;
            let locations: Result<Vec<String>, CatalogError> = stored
                .locations
                .iter()
                .map(|text| location.to_absolute(text))
                .collect();
            let definition = TableDefinition {
                format: stored.format,
                locations: locations?,
                options: stored.options,
                schema: stored.schema.map(Arc::new),
                partition_columns: stored.partition_columns,
                comment: stored.comment,
            };
            Ok(Entry::Table {
                definition,
                managed,
            })
        }
        EntryKind::View => {
            let stored: StoredView =
                serde_json::from_str(json).map_err(|source| bad_definition(name, source))?;
            Ok(Entry::View(ViewDefinition {
                query: stored.query,
                columns: stored.columns,
                current_schema: stored.current_schema,
                folder: stored
                    .folder
                    .map(|folder| location.to_absolute(&folder))
                    .transpose()?,
                comment: stored.comment,
                feature: stored.feature,
            }))
        }
    }
}

/// The columns that `header_from_row` reads, in its order.
pub(super) const HEADER_COLUMNS: &str =
    "schema, name, kind, managed, format, location, comment, created_at";

/// Reads a header; its location is still in the stored form.
pub(super) fn header_from_row(row: &Row<'_>) -> rusqlite::Result<EntryHeader> {
    let kind = row.get_ref(2)?.as_str()?;
    Ok(EntryHeader {
        schema: row.get(0)?,
        name: row.get(1)?,
        kind: EntryKind::from_text(kind),
        managed: row.get(3)?,
        format: row.get(4)?,
        location: row.get(5)?,
        comment: row.get(6)?,
        created_at: time_from_microseconds(row.get(7)?),
    })
}

/// Reads a time; one beyond what can be shown becomes the earliest.
pub(super) fn time_from_microseconds(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).unwrap_or_default()
}

fn stored_locations(
    definition: &TableDefinition,
    location: &CatalogLocation,
) -> Result<Vec<String>, CatalogError> {
    definition
        .locations
        .iter()
        .map(|text| location.to_stored(text))
        .collect()
}

fn bad_definition(name: &str, source: serde_json::Error) -> CatalogError {
    let name = name.to_owned();
    CatalogError::BadDefinition { name, source }
}
