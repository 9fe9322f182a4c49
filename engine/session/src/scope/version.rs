//! Turns the expression behind a table's name into a version.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use lakesh_catalog::definition::TableVersion;
use lakesh_sql::{VersionClause, VersionKind, constant};
use lakesh_text::failure::{Failure, FailureKind};

use crate::StatementContext;
use crate::moment::moment;

/// Evaluates a version clause; moments without a zone are taken in the session's, which is UTC unless
/// it was set.
pub fn evaluate(
    clause: &VersionClause,
    context: &StatementContext,
) -> Result<TableVersion, Failure> {
    let value = constant(&clause.value, &context.state, context.parameters())
        .map_err(|error| context.failure(error).at(context.place(clause.location)))?;
    let version = match clause.kind {
        VersionKind::Number => number(&value).map(TableVersion::Number),
        VersionKind::Timestamp => moment(&value, context.time_zone()).map(TableVersion::Timestamp),
    };
    version.map_err(|message| {
        Failure::new(FailureKind::Plan, message).at(context.place(clause.location))
    })
}

/// Reads the number of a version.
pub(crate) fn number(value: &ScalarValue) -> Result<u64, String> {
    let wrong = || format!("a version is a whole number from 0, not `{value}`");
    if matches!(value.data_type(), DataType::Float32 | DataType::Float64) || value.is_null() {
        return Err(wrong());
    }
    match value.cast_to(&DataType::UInt64) {
        Ok(ScalarValue::UInt64(Some(number))) => Ok(number),
        _ => Err(wrong()),
    }
}
