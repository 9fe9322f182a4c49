//! Versions as arguments of table functions: a number, or a moment.

use datafusion::common::ScalarValue;
use lakesh_catalog::definition::TableVersion;
use lakesh_text::failure::{Failure, FailureKind};

use crate::StatementContext;
use crate::moment::moment;
use crate::scope::version_number;

/// Reads a version: a whole number is its number, everything else the moment that it was current.
pub fn version(value: &ScalarValue, context: &StatementContext) -> Result<TableVersion, Failure> {
    let is_number = value.data_type().is_numeric()
        || value
            .try_as_str()
            .flatten()
            .is_some_and(|text| text.trim().parse::<i64>().is_ok());
    let version = match is_number {
        true => version_number(value).map(TableVersion::Number),
        false => moment(value, context.time_zone()).map(TableVersion::Timestamp),
    };
    version.map_err(|message| {
        Failure::new(FailureKind::Plan, message)
            .hint("give the number of a version, or a moment such as '2024-03-01 12:00:00'")
    })
}
