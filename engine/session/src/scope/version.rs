//! Turns the expression behind a table's name into a version.

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
    lakesh_sql::whole_number(value)
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| format!("a version is a whole number from 0, not `{value}`"))
}
