//! Moments and clocks: TIMESTAMP has microseconds, TIMESTAMPTZ is a type of its own, and both fit together.
//!
//! DataFusion 55.2 reads `TIMESTAMP` as nanoseconds, which hold 1677 to 2262 alone, and takes a date, a text and
//! any other moment to nanoseconds before it compares them, so that `valid_to < DATE '9999-12-31'` fails
//! (apache/datafusion 9981 and 16290). Without a time zone of the session, TIMESTAMPTZ is TIMESTAMP to it.

mod arithmetic;
mod at_zone;
mod bin;
mod coerce;
mod compare;
mod formats;
mod local;
mod now;
mod one_type;
mod parts;
mod pattern;
mod series;
mod sides;
mod to_timestamp;
mod trunc;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::execution::registry::FunctionRegistry;

pub use arithmetic::TimeArithmetic;

pub(crate) use coerce::{CoerceTimes, coerced};
pub(crate) use local::{clocks_of_moments, moments_of_clocks, moments_of_texts};
pub use series::series_tables;

use lakesh_sql::session_zone;

/// Calls a function that is generic over timestamps with the type of a unit.
macro_rules! by_unit {
    ($unit:expr, $function:ident ( $($argument:expr),* )) => {
        match $unit {
            TimeUnit::Second => $function::<TimestampSecondType>($($argument),*),
            TimeUnit::Millisecond => $function::<TimestampMillisecondType>($($argument),*),
            TimeUnit::Microsecond => $function::<TimestampMicrosecondType>($($argument),*),
            TimeUnit::Nanosecond => $function::<TimestampNanosecondType>($($argument),*),
        }
    };
}

use by_unit;

/// The name of a time zone.
pub(crate) type Zone = Arc<str>;

/// Puts our functions of time in the place of DataFusion's.
pub(crate) fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in now::functions()
        .into_iter()
        .chain(one_type::functions(registry)?)
        .chain(series::functions(registry)?)
        .chain(compare::functions())
        .chain(pattern::functions())
    {
        registry.register_udf(function)?;
    }
    for function in [
        to_timestamp::function(),
        at_zone::function(),
        trunc::function(),
        parts::function(),
        bin::function(),
    ] {
        registry.register_udf(function)?;
    }
    Ok(())
}

/// Says whether two names mean the same zone for sure.
pub(crate) fn is_same_zone(left: &str, right: &str) -> bool {
    left == right || (is_utc(left) && is_utc(right))
}

/// Says whether clocks of a zone show the time that moments are stored as.
pub(crate) fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Z" | "+00:00" | "+00" | "Etc/UTC")
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

pub(crate) fn is_date(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}
