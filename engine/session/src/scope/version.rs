//! Turns the expression behind a table's name into a version.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use lakesh_catalog::definition::TableVersion;
use lakesh_sql::{VersionClause, VersionKind, constant};
use lakesh_text::failure::{Failure, FailureKind};

use crate::StatementContext;

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

/// Reads a moment: a timestamp, a date or a text. What has no zone of its own is in the given one.
pub(crate) fn moment(value: &ScalarValue, zone: Tz) -> Result<DateTime<Utc>, String> {
    let wrong = || format!("`{value}` is not a moment in time");
    if let Some(Some(text)) = value.try_as_str() {
        return text_moment(text, zone).ok_or_else(wrong);
    }
    let zoned = match value.data_type() {
        DataType::Timestamp(_, zone) => zone.is_some(),
        DataType::Date32 | DataType::Date64 => false,
        _ => return Err(wrong()),
    };
    let micros = value
        .cast_to(&DataType::Timestamp(
            TimeUnit::Microsecond,
            zoned.then(|| "UTC".into()),
        ))
        .map_err(|_| wrong())?;
    let ScalarValue::TimestampMicrosecond(Some(micros), _) = micros else {
        return Err(wrong());
    };
    let moment = DateTime::from_timestamp_micros(micros).ok_or_else(wrong)?;
    match zoned {
        true => Ok(moment),
        false => in_zone(moment.naive_utc(), zone).ok_or_else(wrong),
    }
}

fn text_moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = string_to_datetime(&zone, text) {
        return Some(moment.to_utc());
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M") {
        return in_zone(moment, zone);
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    in_zone(day.and_hms_opt(0, 0, 0)?, zone)
}

/// Takes what a clock in a zone shows; the earlier moment where it shows it twice.
fn in_zone(clock: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    Some(zone.from_local_datetime(&clock).earliest()?.to_utc())
}
