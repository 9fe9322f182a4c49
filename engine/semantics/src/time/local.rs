//! Which moment a clock means.
//!
//! Arrow 59 refuses an hour that a clock shows twice, or not at all, when summer time ends or begins
//! (apache/arrow-rs 3794). PostgreSQL takes the later moment of the two, and reads an hour that is left out by
//! the clock before the change; DuckDB agrees.

use std::sync::Arc;

use chrono::{FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::arrow::datatypes::{
    ArrowTimestampType, DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use datafusion::arrow::temporal_conversions::as_datetime;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::by_unit;

/// Returns the moment at which clocks of a zone show a time, as the time in UTC.
pub(crate) fn moment(clock: NaiveDateTime, zone: &Tz) -> Option<NaiveDateTime> {
    let offset = match zone.offset_from_local_datetime(&clock) {
        MappedLocalTime::Single(offset) => offset.fix(),
        MappedLocalTime::Ambiguous(one, other) => {
            let (one, other) = (one.fix(), other.fix());
            match one.local_minus_utc() < other.local_minus_utc() {
                true => one,
                false => other,
            }
        }
        MappedLocalTime::None => {
            let before = clock.checked_sub_signed(TimeDelta::days(1))?;
            zone.offset_from_utc_datetime(&before).fix()
        }
    };
    clock.checked_sub_offset(offset)
}

/// Returns what clocks of a zone show at a moment, which is given as the time in UTC.
pub(crate) fn clock(moment: NaiveDateTime, zone: &Tz) -> Option<NaiveDateTime> {
    moment.checked_add_offset(zone.offset_from_utc_datetime(&moment).fix())
}

/// Reads the name of a zone.
pub(crate) fn zone(name: &str) -> Result<Tz> {
    let parsed = name.parse();
    parsed.map_err(|_| exec_datafusion_err!("time zone `{name}` is not known"))
}

/// Returns the moments that clocks of a zone show; `None` among them where the unit cannot hold one, if `safe`.
pub(crate) fn moments_of_clocks(
    clocks: &ArrayRef,
    name: &Arc<str>,
    safe: bool,
) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, None) = clocks.data_type() else {
        return exec_err!("timestamps without a zone are expected");
    };
    let zone = zone(name)?;
    by_unit!(unit, moments_of(clocks, name, &zone, safe))
}

fn moments_of<T: ArrowTimestampType>(
    clocks: &ArrayRef,
    name: &Arc<str>,
    zone: &Tz,
    safe: bool,
) -> Result<ArrayRef> {
    let clocks = clocks.as_primitive::<T>();
    let one = |value: i64| {
        let utc = moment(as_datetime::<T>(value)?, zone)?;
        T::from_naive_datetime(utc, None)
    };
    let moments: PrimitiveArray<T> = match safe {
        true => clocks.unary_opt(one),
        false => clocks.try_unary(|value| one(value).ok_or_else(out_of_range))?,
    };
    Ok(Arc::new(moments.with_timezone(Arc::clone(name))))
}

/// Returns the clocks of a zone at moments.
pub(crate) fn clocks_of_moments(moments: &ArrayRef, name: &str) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = moments.data_type() else {
        return exec_err!("timestamps are expected");
    };
    let zone = zone(name)?;
    by_unit!(unit, clocks_of(moments, &zone))
}

fn clocks_of<T: ArrowTimestampType>(moments: &ArrayRef, zone: &Tz) -> Result<ArrayRef> {
    let moments = moments.as_primitive::<T>();
    let clocks: PrimitiveArray<T> = moments.try_unary(|value| {
        let local = as_datetime::<T>(value).and_then(|utc| clock(utc, zone));
        let local = local.and_then(|local| T::from_naive_datetime(local, None));
        local.ok_or_else(out_of_range)
    })?;
    Ok(Arc::new(clocks.with_timezone_opt(None::<Arc<str>>)))
}

/// Reads texts as moments; those without an offset or zone of their own show clocks of the zone.
pub(crate) fn moments_of_texts(
    texts: &ArrayRef,
    unit: TimeUnit,
    name: &Arc<str>,
    safe: bool,
) -> Result<ArrayRef> {
    let zone = zone(name)?;
    let texts = cast(texts, &DataType::Utf8)?;
    by_unit!(unit, read(&texts, name, &zone, safe))
}

fn read<T: ArrowTimestampType>(
    texts: &ArrayRef,
    name: &Arc<str>,
    zone: &Tz,
    safe: bool,
) -> Result<ArrayRef> {
    let one = |text: &str| -> Result<i64> {
        let utc = moment_of_text(text, zone)?.ok_or_else(out_of_range)?;
        T::from_naive_datetime(utc, None).ok_or_else(out_of_range)
    };
    let moments = texts.as_string::<i32>().iter().map(|text| match text {
        None => Ok(None),
        Some(text) => match one(text) {
            Err(_) if safe => Ok(None),
            read => read.map(Some),
        },
    });
    let moments = moments.collect::<Result<PrimitiveArray<T>>>()?;
    Ok(Arc::new(moments.with_timezone(Arc::clone(name))))
}

fn moment_of_text(text: &str, zone: &Tz) -> Result<Option<NaiveDateTime>> {
    let in_utc = string_to_datetime(&Utc, text)?.naive_utc();
    // A text that says where its clock stands means one moment, wherever it is read.
    let elsewhere = FixedOffset::east_opt(3_600).map(|offset| string_to_datetime(&offset, text));
    match elsewhere {
        Some(Ok(elsewhere)) if elsewhere.naive_utc() == in_utc => Ok(Some(in_utc)),
        _ => Ok(moment(in_utc, zone)),
    }
}

fn out_of_range() -> datafusion::common::DataFusionError {
    exec_datafusion_err!("the timestamp is out of range")
}
