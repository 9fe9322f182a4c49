//! Reads texts by formats, in all years.
//!
//! DataFusion 55.2 reads them as nanoseconds, whatever the unit of the result: 1677 to 2262.

use std::str::FromStr;
use std::sync::Arc;

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{FixedOffset, NaiveDateTime};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};

use super::local;

/// The zone's name at the end of a format; chrono reads none.
const NAMED_ZONE: &str = " %Z";

/// Returns the moments that texts mean by the first of their formats that fits, as a timestamp of microseconds.
pub(super) fn read_by_formats(
    texts: &ArrayRef,
    formats: &[ArrayRef],
    zone: &Tz,
    to: &DataType,
) -> Result<ArrayRef> {
    let as_texts = |array: &ArrayRef| cast(array, &DataType::Utf8);
    let texts = as_texts(texts)?;
    let texts = texts.as_string::<i32>();
    let formats: Vec<ArrayRef> = formats.iter().map(as_texts).collect::<Result<_, _>>()?;
    let formats: Vec<&StringArray> = formats.iter().map(|array| array.as_string()).collect();
    let one = |row: usize| -> Result<Option<i64>> {
        if texts.is_null(row) {
            return Ok(None);
        }
        let text = texts.value(row);
        let of_row = formats.iter().filter(|formats| formats.is_valid(row));
        let mut failure = None;
        for format in of_row.map(|formats| formats.value(row)) {
            match moment(text, format, zone) {
                Ok(moment) => return Ok(Some(moment.and_utc().timestamp_micros())),
                Err(error) => failure = Some(error),
            }
        }
        // Where each format is NULL, so is the result.
        failure.map_or(Ok(None), Err)
    };
    let moments: Vec<Option<i64>> = (0..texts.len()).map(one).collect::<Result<_>>()?;
    let moments: ArrayRef = Arc::new(TimestampMicrosecondArray::from(moments));
    let moments = match to {
        DataType::Timestamp(_, Some(_)) => cast(&cast(&moments, &DataType::Int64)?, to)?,
        _ => moments,
    };
    Ok(moments)
}

/// Returns the moment of a text as the time in UTC; what says no zone shows the clock of the given one.
fn moment(text: &str, format: &str, zone: &Tz) -> Result<NaiveDateTime> {
    let wrong = |why: &str| wrong(text, format, why);
    let (text, format, zone) = match format.trim_end().strip_suffix(NAMED_ZONE) {
        Some(format) => {
            let (text, name) = text.trim_end().rsplit_once(' ').unwrap_or((text, ""));
            let named =
                Tz::from_str(name).map_err(|_| wrong(&format!("no zone is called `{name}`")))?;
            (text, format, named)
        }
        None if format.contains("%Z") => {
            return Err(wrong("`%Z` stands at the end, behind a blank"));
        }
        None => (text, format, *zone),
    };
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format))
        .map_err(|error| wrong(&error.to_string()))?;
    if let Ok(moment) = parsed.to_datetime() {
        return Ok(moment.naive_utc());
    }
    let east = parsed.offset().and_then(FixedOffset::east_opt);
    let clock = parsed
        .to_naive_datetime_with_offset(0)
        .or_else(|_| parsed.to_naive_date().map(NaiveDateTime::from))
        .map_err(|error| wrong(&error.to_string()))?;
    let moment = match east {
        Some(east) => clock.checked_sub_offset(east),
        None => local::moment(clock, &zone),
    };
    moment.ok_or_else(|| wrong("it is out of range"))
}

fn wrong(text: &str, format: &str, why: &str) -> DataFusionError {
    exec_datafusion_err!("`{text}` cannot be read as a timestamp by the format `{format}`: {why}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::moment;
    use crate::time::local::zone;

    #[track_caller]
    fn check(text: &str, format: &str, expected: &str) {
        let zone = zone("Europe/Berlin").unwrap();
        assert_eq!(moment(text, format, &zone).unwrap().to_string(), expected);
    }

    #[test]
    fn reads_all_years_zones_and_days() {
        check("31.12.9999", "%d.%m.%Y", "9999-12-30 23:00:00");
        check(
            "1500-06-07 08:09:10+02:00",
            "%Y-%m-%d %H:%M:%S%:z",
            "1500-06-07 06:09:10",
        );
        check(
            "2024-07-01 12:00 Asia/Tokyo",
            "%Y-%m-%d %H:%M %Z",
            "2024-07-01 03:00:00",
        );
        check("2024-10-27 02:30", "%Y-%m-%d %H:%M", "2024-10-27 01:30:00");
    }

    #[test]
    fn says_what_does_not_fit() {
        let zone = zone("UTC").unwrap();
        for (text, format) in [("a", "%Y"), ("2024 Nowhere", "%Y %Z"), ("2024", "%Z%Y")] {
            let error = moment(text, format, &zone).unwrap_err().to_string();
            assert!(
                error.contains(&format!("by the format `{format}`")),
                "{error}"
            );
        }
    }
}
