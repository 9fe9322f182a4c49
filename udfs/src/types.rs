//! Which types the functions take, and what they are turned into before computing.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::binary::comparison_coercion;

/// Checks how many arguments a call has; `expected` says it in words.
pub(crate) fn check_count(
    name: &str,
    types: &[DataType],
    range: std::ops::RangeInclusive<usize>,
) -> Result<()> {
    if range.contains(&types.len()) {
        return Ok(());
    }
    let (least, most) = (*range.start(), *range.end());
    let expected = match (least, most) {
        (one, other) if one == other => format!("{one} argument{}", plural(one)),
        (one, usize::MAX) => format!("at least {one} argument{}", plural(one)),
        (one, other) => format!("{one} to {other} arguments"),
    };
    plan_err!("`{name}` takes {expected}, not {}", types.len())
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The type in which a number is computed without loss: DOUBLE, BIGINT, BIGINT UNSIGNED or DECIMAL.
pub(crate) fn number(name: &str, data_type: &DataType) -> Result<DataType> {
    Ok(match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => DataType::Int64,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::UInt64,
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Null => {
            DataType::Float64
        }
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Decimal256(..) => DataType::Float64,
        DataType::Dictionary(_, value) => return number(name, value),
        other => return plan_err!("`{name}` takes numbers, not {other}"),
    })
}

/// Checks that a type is a number and takes it as DOUBLE.
pub(crate) fn double(name: &str, data_type: &DataType) -> Result<DataType> {
    number(name, data_type).map(|_| DataType::Float64)
}

/// Checks that a type is a whole number and takes it as BIGINT.
pub(crate) fn whole(name: &str, what: &str, data_type: &DataType) -> Result<DataType> {
    match number(name, data_type) {
        Ok(DataType::Int64 | DataType::UInt64) => Ok(DataType::Int64),
        _ if data_type.is_null() => Ok(DataType::Int64),
        _ => plan_err!("`{name}` takes a whole number as {what}, not {data_type}"),
    }
}

/// Checks that a type is text.
pub(crate) fn text(name: &str, what: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            Ok(DataType::Utf8)
        }
        other => plan_err!("`{name}` takes text as {what}, not {other}"),
    }
}

/// A number, or a date or time as a point on the axis of time.
pub(crate) fn number_or_time(name: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Date32 => Ok(DataType::Date32),
        DataType::Date64 => Ok(DataType::Timestamp(TimeUnit::Millisecond, None)),
        DataType::Timestamp(..) => Ok(data_type.clone()),
        DataType::Dictionary(_, value) => number_or_time(name, value),
        other => match number(name, other) {
            Ok(found) => Ok(found),
            Err(_) => plan_err!("`{name}` takes numbers, dates and timestamps, not {other}"),
        },
    }
}

/// The one type in which several values are compared without loss where there is one.
pub(crate) fn common(name: &str, types: &[DataType]) -> Result<DataType> {
    let mut known = types.iter().filter(|one| !one.is_null());
    let Some(first) = known.next() else {
        return Ok(DataType::Float64);
    };
    // DataFusion would make decimals of doubles.
    let is_double = |one: &DataType| one.is_floating();
    if types.iter().any(is_double) && types.iter().any(DataType::is_decimal) {
        return Ok(DataType::Float64);
    }
    let mut found = first.clone();
    for next in known {
        let both = of_day_and_moment(&found, next);
        found = match both.or_else(|| comparison_coercion(&found, next)) {
            Some(both) => both,
            None => return plan_err!("`{name}` cannot compare {found} with {next}"),
        };
    }
    number_or_time(name, &found)
}

/// A day beside a moment is one of its unit: nanoseconds, which DataFusion takes, end in 2262.
fn of_day_and_moment(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (moment @ DataType::Timestamp(..), DataType::Date32 | DataType::Date64)
        | (DataType::Date32 | DataType::Date64, moment @ DataType::Timestamp(..)) => {
            Some(moment.clone())
        }
        _ => None,
    }
}
