//! Every format of tables, found by name.

use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::format::{OpenTable, TableContext, TableFormat};
use super::{arrow, avro, csv, delta, json, parquet, text};

/// Every table format.
pub static FORMATS: &[&dyn TableFormat] = &[
    &parquet::Parquet,
    &delta::Delta,
    &csv::Csv,
    &json::Json,
    &arrow::Arrow,
    &avro::Avro,
    &text::Text,
];

/// Finds a format by its name, in any case.
pub fn format(name: &str) -> Result<&'static dyn TableFormat, TableError> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| TableError::UnknownName {
            what: "table format",
            name: name.to_string(),
            known: FORMATS.iter().map(|format| format.name()).collect(),
        })
}

/// Says whether tables of a format have versions; one that is not known has none.
pub fn has_versions(name: &str) -> bool {
    format(name).is_ok_and(|format| format.has_versions())
}

/// Opens a table as it is now, or at a version if its format keeps them.
///
/// A version that cannot be had is an error, never another version.
pub async fn open(
    definition: &TableDefinition,
    version: TableVersion,
    context: &TableContext<'_>,
) -> Result<OpenTable, TableError> {
    let format = format(&definition.format)?;
    if version != TableVersion::Latest && !format.has_versions() {
        return Err(TableError::NoHistory {
            format: format.name().to_string(),
        });
    }
    if definition.locations.is_empty() {
        return Err(TableError::Location {
            location: String::new(),
            reason: "a table needs at least one location".into(),
        });
    }
    format.open(definition, version, context).await
}
