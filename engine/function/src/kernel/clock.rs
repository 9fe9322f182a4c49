//! Spans between moments, moments made of numbers, and numbers made of moments.

use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, IntervalMonthDayNanoArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err, plan_err};

use super::texts;

/// The type INTERVAL.
pub(crate) fn to_interval(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Interval(IntervalUnit::MonthDayNano))
}

/// An argument of the kind `Clock`.
pub(crate) fn clocks(array: &ArrayRef) -> impl Iterator<Item = Option<NaiveDateTime>> + '_ {
    let micros = array.as_primitive::<TimestampMicrosecondType>().iter();
    micros.map(|micros| clock(micros?))
}

fn clock(micros: i64) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp_micros(micros).map(|moment| moment.naive_utc())
}

/// What lies between two moments, as a calendar counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) nanoseconds: i64,
}

/// Returns `later - earlier` in months, days and time, as PostgreSQL's `age` does: a month that is not whole
/// lends its days, and it is that of the earlier moment.
pub(crate) fn age(later: NaiveDateTime, earlier: NaiveDateTime) -> Age {
    if later < earlier {
        let age = age(earlier, later);
        return Age {
            months: -age.months,
            days: -age.days,
            nanoseconds: -age.nanoseconds,
        };
    }
    let of_day = |moment: NaiveDateTime| {
        i64::from(moment.num_seconds_from_midnight()) * 1_000_000_000
            + i64::from(moment.nanosecond())
    };
    let mut months = month_number(later.date()) - month_number(earlier.date());
    let mut days = later.day().cast_signed() - earlier.day().cast_signed();
    let mut nanoseconds = of_day(later) - of_day(earlier);
    if nanoseconds < 0 {
        nanoseconds += 86_400_000_000_000;
        days -= 1;
    }
    while days < 0 {
        days += days_of_month(earlier.date());
        months -= 1;
    }
    Age {
        months,
        days,
        nanoseconds,
    }
}

/// Months since the year 0.
fn month_number(day: NaiveDate) -> i32 {
    day.year() * 12 + day.month0().cast_signed()
}

pub(crate) fn days_of_month(day: NaiveDate) -> i32 {
    let first = day.with_day(1).unwrap_or(day);
    let next = first.checked_add_months(chrono::Months::new(1));
    next.map_or(31, |next| {
        i32::try_from(next.signed_duration_since(first).num_days()).unwrap_or(31)
    })
}

/// `age(later, earlier)`.
pub(crate) fn ages(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [later, earlier] = arrays else {
        return exec_err!("`age` takes two moments");
    };
    let spans = clocks(later).zip(clocks(earlier)).map(|(later, earlier)| {
        let age = age(later?, earlier?);
        let (months, days) = (age.months, age.days);
        Some(IntervalMonthDayNanoType::make_value(
            months,
            days,
            age.nanoseconds,
        ))
    });
    Ok(Arc::new(spans.collect::<IntervalMonthDayNanoArray>()))
}

/// A unit of time as spans are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// So many months.
    Months(i32),
    /// Years as weeks count them.
    WeekYears,
    Weeks,
    /// So many microseconds.
    Micros(i64),
}

fn unit(name: &str) -> Result<Unit> {
    let lower = name.trim().to_lowercase();
    Ok(match lower.as_str() {
        "year" | "years" | "y" | "yr" | "yrs" | "yy" | "yyyy" => Unit::Months(12),
        "quarter" | "quarters" | "q" | "qq" => Unit::Months(3),
        "month" | "months" | "mon" | "mons" | "mm" => Unit::Months(1),
        "decade" | "decades" | "dec" | "decs" => Unit::Months(120),
        "century" | "centuries" | "cent" | "c" => Unit::Months(1200),
        "millennium" | "millennia" | "millenium" | "mil" | "mils" => Unit::Months(12000),
        "isoyear" | "isoyears" => Unit::WeekYears,
        "week" | "weeks" | "w" | "ww" | "yearweek" => Unit::Weeks,
        "day" | "days" | "d" | "dd" | "dayofyear" | "doy" | "dow" | "isodow" | "dayofweek"
        | "weekday" | "julian" => Unit::Micros(86_400_000_000),
        "hour" | "hours" | "h" | "hr" | "hrs" | "hh" => Unit::Micros(3_600_000_000),
        "minute" | "minutes" | "m" | "min" | "mins" | "mi" => Unit::Micros(60_000_000),
        "second" | "seconds" | "s" | "sec" | "secs" | "ss" | "epoch" => Unit::Micros(1_000_000),
        "millisecond" | "milliseconds" | "ms" | "msec" | "msecs" => Unit::Micros(1000),
        "microsecond" | "microseconds" | "us" | "usec" | "usecs" => Unit::Micros(1),
        _ => {
            return exec_err!(
                "`{name}` is no unit of time; there are year, quarter, month, week, day, hour, minute, \
                 second, millisecond, microsecond, decade, century, millennium"
            );
        }
    })
}

/// Says whether a unit is shorter than a day: then moments are told apart, not what clocks show.
pub(crate) fn is_below_a_day(name: &str) -> bool {
    matches!(unit(name), Ok(Unit::Micros(length)) if length < 86_400_000_000)
}

fn micros(moment: NaiveDateTime) -> i64 {
    moment.and_utc().timestamp_micros()
}

/// Counts the borders of units that lie between two moments.
fn borders(unit: Unit, start: NaiveDateTime, end: NaiveDateTime) -> i64 {
    let monday = |moment: NaiveDateTime| {
        let day = moment.date();
        let back = u64::from(day.weekday().num_days_from_monday());
        day.checked_sub_days(Days::new(back)).unwrap_or(day)
    };
    match unit {
        Unit::Months(length) => {
            let count = |moment: NaiveDateTime| {
                // Centuries begin with their round year, as in DuckDB.
                i64::from(month_number(moment.date()).div_euclid(length))
            };
            count(end) - count(start)
        }
        Unit::WeekYears => i64::from(end.iso_week().year() - start.iso_week().year()),
        Unit::Weeks => monday(end).signed_duration_since(monday(start)).num_days() / 7,
        Unit::Micros(length) => micros(end).div_euclid(length) - micros(start).div_euclid(length),
    }
}

/// Counts the whole units between two moments.
fn whole(unit: Unit, start: NaiveDateTime, end: NaiveDateTime) -> i64 {
    match unit {
        Unit::Months(length) => i64::from(age(end, start).months / length),
        Unit::WeekYears => i64::from(age(end, start).months / 12),
        Unit::Weeks => (micros(end) - micros(start)) / (7 * 86_400_000_000),
        Unit::Micros(length) => (micros(end) - micros(start)) / length,
    }
}

/// Counts the whole units between two moments, as DuckDB does.
fn whole_to_last_day(unit: Unit, start: NaiveDateTime, end: NaiveDateTime) -> i64 {
    match unit {
        Unit::Months(length) => i64::from(whole_months(start, end) / length),
        other => whole(other, start, end),
    }
}

/// The last day of a month is as far as the day of the start that the month has not.
fn whole_months(start: NaiveDateTime, end: NaiveDateTime) -> i32 {
    if start > end {
        return -whole_months(end, start);
    }
    let last = days_of_month(end.date());
    let mut start = start;
    if end.day().cast_signed() == last {
        let day = start.day().cast_signed();
        if day > last || (day == last && start.time() < end.time()) {
            let moved = start.with_day(end.day());
            start = moved.unwrap_or(start);
        }
    }
    age(end, start).months
}

type Count = fn(Unit, NaiveDateTime, NaiveDateTime) -> i64;

/// `date_diff(unit, start, end)`.
pub(crate) fn difference(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    counted(arrays, borders)
}

/// `timestampdiff(unit, start, end)`.
pub(crate) fn whole_difference(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    counted(arrays, whole)
}

/// `datesub(unit, start, end)`.
pub(crate) fn whole_difference_to_last_day(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    counted(arrays, whole_to_last_day)
}

fn counted(arrays: &[ArrayRef], count: Count) -> Result<ArrayRef> {
    let [units, starts, ends] = arrays else {
        return exec_err!("a unit and two moments are needed");
    };
    let units = texts(units);
    let mut known: Option<(&str, Unit)> = None;
    let mut counts = Vec::with_capacity(units.len());
    for ((name, start), end) in units.iter().zip(clocks(starts)).zip(clocks(ends)) {
        let (Some(name), Some(start), Some(end)) = (name, start, end) else {
            counts.push(None);
            continue;
        };
        let unit = match known {
            Some((known, unit)) if known == name => unit,
            _ => unit(name)?,
        };
        known = Some((name, unit));
        counts.push(Some(count(unit, start, end)));
    }
    Ok(Arc::new(Int64Array::from(counts)))
}

/// Months between two moments with the rest as a share of 31 days, as Spark counts them.
pub(crate) fn months_between(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [later, earlier] = arrays else {
        return exec_err!("`months_between` takes two moments");
    };
    let months = clocks(later).zip(clocks(earlier)).map(|(later, earlier)| {
        let (later, earlier) = (later?, earlier?);
        let months = f64::from(month_number(later.date()) - month_number(earlier.date()));
        let is_last =
            |moment: NaiveDateTime| moment.day().cast_signed() == days_of_month(moment.date());
        if later.day() == earlier.day() || (is_last(later) && is_last(earlier)) {
            return Some(months);
        }
        let seconds = |moment: NaiveDateTime| {
            f64::from(moment.day()) * 86_400.0 + f64::from(moment.num_seconds_from_midnight())
        };
        let rest = (seconds(later) - seconds(earlier)) / (31.0 * 86_400.0);
        Some(((months + rest) * 1e8).round() / 1e8)
    });
    Ok(Arc::new(months.collect::<Float64Array>()))
}

/// The type DATE.
pub(crate) fn to_day(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Date32)
}

/// `next_day(day, name)`: the name is English, or its first two or three letters.
pub(crate) fn next_day(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [days, names] = arrays else {
        return exec_err!("`next_day` takes a day and the name of one");
    };
    let days = days.as_primitive::<Date32Type>().iter();
    let next = days.zip(texts(names)).map(|(day, name)| {
        let (day, name) = (day?, name?.trim().to_lowercase());
        let wanted = match name.as_str() {
            "mo" | "mon" | "monday" => 0,
            "tu" | "tue" | "tuesday" => 1,
            "we" | "wed" | "wednesday" => 2,
            "th" | "thu" | "thursday" => 3,
            "fr" | "fri" | "friday" => 4,
            "sa" | "sat" | "saturday" => 5,
            "su" | "sun" | "sunday" => 6,
            _ => return None,
        };
        // The first day of 1970 was a Thursday.
        let weekday = (day + 3).rem_euclid(7);
        let ahead = (wanted - weekday - 1).rem_euclid(7) + 1;
        day.checked_add(ahead)
    });
    Ok(Arc::new(next.collect::<Date32Array>()))
}

/// `make_timestamp(year, month, day, hour, minute, seconds)`.
pub(crate) fn made(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [whole_parts @ .., seconds] = arrays else {
        return exec_err!("`make_timestamp` takes six numbers");
    };
    if whole_parts.len() != 5 {
        return exec_err!("`make_timestamp` takes six numbers");
    }
    let parts: Vec<_> = whole_parts
        .iter()
        .map(|part| part.as_primitive::<Int64Type>())
        .collect();
    let seconds = seconds.as_primitive::<Float64Type>();
    let mut made = Vec::with_capacity(seconds.len());
    for row in 0..seconds.len() {
        if seconds.is_null(row) || parts.iter().any(|part| part.is_null(row)) {
            made.push(None);
            continue;
        }
        let values: Vec<i64> = parts.iter().map(|part| part.value(row)).collect();
        let moment = from_parts(&values, seconds.value(row));
        match moment {
            Some(moment) => made.push(Some(moment)),
            None => {
                let [year, month, day, hour, minute] = values[..] else {
                    return exec_err!("`make_timestamp` takes six numbers");
                };
                return exec_err!(
                    "there is no moment {year}-{month}-{day} {hour}:{minute}:{}",
                    seconds.value(row)
                );
            }
        }
    }
    Ok(Arc::new(TimestampMicrosecondArray::from(made)))
}

fn from_parts(parts: &[i64], seconds: f64) -> Option<i64> {
    let [year, month, day, hour, minute] = *parts else {
        return None;
    };
    let part = |value: i64| u32::try_from(value).ok();
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, part(month)?, part(day)?)?;
    let time = NaiveTime::from_hms_opt(part(hour)?, part(minute)?, 0)?;
    if !(0.0..=60.0).contains(&seconds) {
        return None;
    }
    let fraction = (seconds * 1e6).round() as i64;
    micros(date.and_time(time)).checked_add(fraction)
}

/// The type of `epoch_ms`: a number for a moment, a moment for a number.
pub(crate) fn epoch_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [number] if number.is_integer() => super::to_clock(types),
        [DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null] => {
            Ok(DataType::Int64)
        }
        _ => plan_err!("`epoch_ms` takes a moment or a whole number"),
    }
}

/// `epoch_ms`.
pub(crate) fn epoch_milliseconds(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`epoch_ms` takes one argument");
    };
    if values.data_type().is_integer() {
        let milliseconds = cast(values, &DataType::Int64)?;
        let moments = milliseconds
            .as_primitive::<Int64Type>()
            .try_unary::<_, TimestampMicrosecondType, _>(|milliseconds| {
                let micros = milliseconds.checked_mul(1000);
                micros.ok_or_else(|| exec_datafusion_err!("{milliseconds} ms are out of range"))
            })?;
        return Ok(Arc::new(moments));
    }
    epoch(values, |micros| Ok(micros.div_euclid(1000)))
}

/// `epoch_us`.
pub(crate) fn epoch_microseconds(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    match arrays {
        [values] => epoch(values, Ok),
        _ => exec_err!("`epoch_us` takes one argument"),
    }
}

/// `epoch_ns`.
pub(crate) fn epoch_nanoseconds(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`epoch_ns` takes one argument");
    };
    epoch(values, |micros| {
        let nanoseconds = micros.checked_mul(1000);
        nanoseconds.ok_or_else(|| exec_datafusion_err!("nanoseconds hold the years 1677 to 2262"))
    })
}

fn epoch(
    values: &ArrayRef,
    count: impl Fn(i64) -> std::result::Result<i64, DataFusionError>,
) -> Result<ArrayRef> {
    let zone = match values.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let moments = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    let counts = moments
        .as_primitive::<TimestampMicrosecondType>()
        .try_unary::<_, Int64Type, _>(count)?;
    Ok(Arc::new(counts))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::NaiveDateTime;

    use super::{Age, age, borders, unit, whole, whole_to_last_day};

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn ages_are_those_of_postgresql() {
        let found = age(at("2024-03-01T00:00:00"), at("2023-01-31T00:00:00"));
        let expected = Age {
            months: 13,
            days: 1,
            nanoseconds: 0,
        };
        assert_eq!(found, expected);
        let found = age(at("2023-01-31T00:00:00"), at("2024-03-01T00:00:00"));
        assert_eq!((found.months, found.days), (-13, -1));
        let found = age(at("1969-12-31T01:00:00"), at("1969-12-30T23:00:00"));
        assert_eq!(found.nanoseconds, 7_200_000_000_000);
    }

    #[test]
    fn borders_and_whole_units_differ() {
        let (start, end) = (at("1992-09-30T23:59:59"), at("1992-10-01T01:58:00"));
        assert_eq!(borders(unit("month").unwrap(), start, end), 1);
        assert_eq!(borders(unit("hour").unwrap(), start, end), 2);
        assert_eq!(whole(unit("hour").unwrap(), start, end), 1);
        assert_eq!(whole(unit("month").unwrap(), start, end), 0);
        let (start, end) = (at("2024-01-31T00:00:00"), at("2024-02-29T00:00:00"));
        assert_eq!(whole(unit("month").unwrap(), start, end), 0);
        assert_eq!(whole_to_last_day(unit("month").unwrap(), start, end), 1);
        assert!(unit("moon").is_err());
    }
}
