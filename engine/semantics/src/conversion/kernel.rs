//! Turns arrays into arrays of another type.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options, unary};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, DurationNanosecondType, Float64Type,
    IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::FormatOptions;
use datafusion::common::Result;

use super::exponent::without_exponents;
use super::list::lists_of_texts;
use super::record::{by_place, is_by_place, structs_of_texts};
use crate::time::{clocks_of_moments, is_date, is_text, moments_of_clocks, moments_of_texts};

/// What becomes of a value that has no counterpart in the other type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum OnFailure {
    /// The query fails.
    Error,
    /// It is NULL.
    Null,
}

/// Returns the values as those of another type.
pub(super) fn converted(
    array: &ArrayRef,
    to: &DataType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: on_failure == OnFailure::Null,
        format_options: FormatOptions::default(),
    };
    let arrow = |array: &ArrayRef, to: &DataType| cast_with_options(array, to, &options);
    match (array.data_type(), to) {
        (from, DataType::Timestamp(unit @ (TimeUnit::Second | TimeUnit::Millisecond), zone))
            if is_text(from) || is_finer(from, *unit) =>
        {
            let fine = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let fine = converted(array, &fine, on_failure)?;
            let rounded = rounded(&fine, *unit)?;
            Ok(arrow(&rounded, to)?)
        }
        (from, DataType::Timestamp(_, None)) if is_text(from) => {
            let texts = cast_with_options(array, &DataType::Utf8, &options)?;
            let clocks = texts.as_string::<i32>().iter();
            let clocks = clocks.map(|text| text.map(|text| clock_of(text).unwrap_or(text)));
            let clocks: ArrayRef = Arc::new(clocks.collect::<StringArray>());
            Ok(arrow(&clocks, to)?)
        }
        (DataType::Timestamp(_, None), DataType::Timestamp(unit, Some(zone))) => {
            let clocks = arrow(array, &DataType::Timestamp(*unit, None))?;
            moments_of_clocks(&clocks, zone, options.safe)
        }
        (DataType::Timestamp(_, Some(zone)), DataType::Timestamp(unit, None)) => {
            // Arrow takes the clock in UTC.
            let moments = arrow(array, &DataType::Timestamp(*unit, Some(Arc::clone(zone))))?;
            clocks_of_moments(&moments, zone)
        }
        (from, DataType::Timestamp(unit, Some(zone))) if is_date(from) => {
            let clocks = arrow(array, &DataType::Timestamp(*unit, None))?;
            moments_of_clocks(&clocks, zone, options.safe)
        }
        (from, DataType::Timestamp(unit, Some(zone))) if is_text(from) => {
            moments_of_texts(array, *unit, zone, options.safe)
        }
        (from, to) if is_text(from) && to.is_decimal() => {
            Ok(arrow(&without_exponents(array)?, to)?)
        }
        (from, DataType::Time32(_) | DataType::Time64(_)) if is_text(from) => {
            Ok(arrow(&clocks_with_minutes(array, to, on_failure)?, to)?)
        }
        (from, DataType::Struct(fields)) if is_text(from) => {
            structs_of_texts(array, fields, on_failure)
        }
        (from, to) if is_by_place(from, to) => by_place(array, to, on_failure),
        (from, DataType::List(field)) if is_text(from) => lists_of_texts(array, field, on_failure),
        (DataType::Timestamp(..), to) if !to.is_temporal() && !to.is_numeric() => {
            let text = timestamps_as_text(array)?;
            Ok(arrow(&text, to)?)
        }
        (DataType::Duration(_), DataType::Interval(IntervalUnit::MonthDayNano)) => {
            let whole = arrow(array, &DataType::Duration(unit_of_split(array.data_type())))?;
            Ok(days_and_time(&whole))
        }
        (from, to) if from.is_floating() && to.is_integer() => {
            let doubles = arrow(array, &DataType::Float64)?;
            let rounded = unary::<_, _, Float64Type>(
                doubles.as_primitive::<Float64Type>(),
                f64::round_ties_even,
            );
            let rounded: ArrayRef = Arc::new(rounded);
            Ok(arrow(&rounded, to)?)
        }
        (from, to) if from.is_decimal() && to.is_floating() => {
            let doubles = match from {
                DataType::Decimal128(_, scale) => {
                    nearest_doubles(array.as_primitive::<Decimal128Type>(), *scale)?
                }
                _ => arrow(&arrow(array, &DataType::Utf8)?, &DataType::Float64)?,
            };
            Ok(arrow(&doubles, to)?)
        }
        (from, to) if to.is_integer() => match whole(from) {
            // Between decimals Arrow rounds, half away from zero.
            Some(whole) => Ok(arrow(&arrow(array, &whole)?, to)?),
            None => Ok(arrow(array, to)?),
        },
        _ => Ok(arrow(array, to)?),
    }
}

/// The clock that a moment with an offset or a zone shows, as others read it for a TIMESTAMP; `None` for a text
/// without one. Arrow moves it to UTC.
pub(super) fn clock_of(text: &str) -> Option<&str> {
    const DATE: usize = "2024-01-01 ".len();
    let is_time = |letter: char| letter.is_ascii_digit() || matches!(letter, ':' | '.');
    let length = text.get(DATE..)?.find(|letter| !is_time(letter))?;
    let zone = text[DATE + length..].trim();
    let is_zone = zone.eq_ignore_ascii_case("z") || zone.parse::<Tz>().is_ok();
    (is_zone && length > 0).then(|| &text[..DATE + length])
}

/// Says whether a type has timestamps of a finer unit.
pub(super) fn is_finer(data_type: &DataType, unit: TimeUnit) -> bool {
    let length = |unit: TimeUnit| match unit {
        TimeUnit::Second => 3,
        TimeUnit::Millisecond => 2,
        TimeUnit::Microsecond => 1,
        TimeUnit::Nanosecond => 0,
    };
    matches!(data_type, DataType::Timestamp(own, _) if length(*own) < length(unit))
}

/// Rounds timestamps of microseconds, a half away from 1970, as DuckDB does; Arrow cuts.
fn rounded(moments: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef> {
    let step: i64 = match unit {
        TimeUnit::Second => 1_000_000,
        _ => 1_000,
    };
    let moments = moments.as_primitive::<TimestampMicrosecondType>();
    let rounded: PrimitiveArray<TimestampMicrosecondType> = moments.try_unary(|moment| {
        let rest = moment % step;
        let whole = moment - rest;
        let up = if rest.abs() * 2 >= step {
            step * rest.signum()
        } else {
            0
        };
        whole
            .checked_add(up)
            .ok_or_else(|| ArrowError::CastError("the timestamp is out of range".to_owned()))
    })?;
    Ok(Arc::new(rounded.with_timezone_opt(moments.timezone())))
}

/// Returns the texts that have a colon, as every time of day has: Arrow takes digits alone for nanoseconds.
fn clocks_with_minutes(array: &ArrayRef, to: &DataType, on_failure: OnFailure) -> Result<ArrayRef> {
    let texts = cast_with_options(array, &DataType::Utf8, &CastOptions::default())?;
    let texts = texts.as_string::<i32>();
    let is_clock = |text: &str| text.contains(':');
    if let Some(text) = texts.iter().flatten().find(|text| !is_clock(text))
        && on_failure == OnFailure::Error
    {
        let message = format!("Cannot cast string '{text}' to value of {to:?} type");
        return Err(ArrowError::CastError(message).into());
    }
    let clocks = texts.iter().map(|text| text.filter(|text| is_clock(text)));
    Ok(Arc::new(clocks.collect::<StringArray>()))
}

/// Returns the unit in which a span of time is split into days: what Arrow has of it, as it is.
fn unit_of_split(data_type: &DataType) -> TimeUnit {
    match data_type {
        DataType::Duration(TimeUnit::Nanosecond) => TimeUnit::Nanosecond,
        _ => TimeUnit::Microsecond,
    }
}

/// Splits spans of time into days and the time beyond them; nanoseconds alone end with 292 years.
fn days_and_time(spans: &ArrayRef) -> ArrayRef {
    const DAY: i64 = 86_400_000_000;
    let split = |span: i64, parts: i64| {
        // 292,000 years of microseconds have fewer days than an `i32` holds.
        let days = i32::try_from(span / (DAY * parts)).unwrap_or(i32::MAX);
        let time = span % (DAY * parts) * (1_000 / parts);
        IntervalMonthDayNano::new(0, days, time)
    };
    let intervals: PrimitiveArray<IntervalMonthDayNanoType> = match spans.data_type() {
        DataType::Duration(TimeUnit::Nanosecond) => spans
            .as_primitive::<DurationNanosecondType>()
            .unary(|span| split(span, 1_000)),
        _ => spans
            .as_primitive::<DurationMicrosecondType>()
            .unary(|span| split(span, 1)),
    };
    Arc::new(intervals)
}

/// Returns the doubles that are nearest to decimals.
///
/// Arrow divides by a power of ten, which rounds twice where the digits are no double themselves.
fn nearest_doubles(decimals: &PrimitiveArray<Decimal128Type>, scale: i8) -> Result<ArrayRef> {
    // Both are exact as doubles, and a quotient is rounded once.
    const WHOLE: i128 = 1 << 53;
    const POWERS: std::ops::RangeInclusive<i8> = 0..=22;
    let power = POWERS
        .contains(&scale)
        .then(|| 10_f64.powi(i32::from(scale)));
    let nearest = |value: i128| match power {
        Some(power) if (-WHOLE..=WHOLE).contains(&value) => Ok(value as f64 / power),
        _ => format!("{value}e{}", -i32::from(scale)).parse::<f64>(),
    };
    let doubles: PrimitiveArray<Float64Type> = decimals.try_unary(|value| {
        nearest(value).map_err(|error| ArrowError::CastError(error.to_string()))
    })?;
    Ok(Arc::new(doubles))
}

/// Returns the decimals without a fraction that are as wide as those of a type.
fn whole(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Decimal32(..) => Some(DataType::Decimal32(9, 0)),
        DataType::Decimal64(..) => Some(DataType::Decimal64(18, 0)),
        DataType::Decimal128(..) => Some(DataType::Decimal128(38, 0)),
        DataType::Decimal256(..) => Some(DataType::Decimal256(76, 0)),
        _ => None,
    }
}

/// Writes timestamps as PostgreSQL and DuckDB do: a blank before the time, no zeros at the end of a fraction.
fn timestamps_as_text(array: &ArrayRef) -> Result<ArrayRef> {
    let format_options = FormatOptions::default()
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));
    let options = CastOptions {
        safe: false,
        format_options,
    };
    let has_zone = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let written = cast_with_options(array, &DataType::Utf8, &options)?;
    let written = written.as_string::<i32>().iter();
    let text: StringArray = written
        .map(|text| text.map(|text| shortened(text, has_zone)))
        .collect();
    Ok(Arc::new(text))
}

/// Takes zeros from the end of a fraction and an offset's `:00`.
fn shortened(text: &str, has_zone: bool) -> Cow<'_, str> {
    // An offset has six characters: `+05:30`.
    let (time, offset) = match has_zone && text.len() > 6 {
        true => text.split_at(text.len() - 6),
        false => (text, ""),
    };
    let offset = offset.strip_suffix(":00").unwrap_or(offset);
    let time = match time.contains('.') {
        true => time.trim_end_matches('0').trim_end_matches('.'),
        false => time,
    };
    match time.len() + offset.len() == text.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{time}{offset}")),
    }
}
