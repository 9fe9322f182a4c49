//! Moments in time, as users write them and as messages show them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::execution::SessionState;

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

/// Writes a moment as settings and messages show it.
pub fn moment_text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Returns the session's time zone; UTC unless it was set.
pub(super) fn time_zone(state: &SessionState) -> Tz {
    let zone = lakesh_sql::session_zone(state.config_options());
    zone.parse()
        .unwrap_or_else(|_| "UTC".parse().expect("UTC is a time zone"))
}
