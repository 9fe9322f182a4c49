//! `date_bin` over the whole range of a timestamp, by the session's clock where it has a zone.
//!
//! DataFusion 55.2 multiplies all units to nanoseconds, so that far timestamps fail, and bins TIMESTAMPTZ in UTC:
//! a day of the session's zone lies in two bins. Here days and months begin at the clock's midnight, and hours
//! are counted from it.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Months, NaiveDateTime, Offset, TimeZone};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::types::IntervalMonthDayNanoType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowTimestampType, DataType, IntervalMonthDayNano, IntervalUnit, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use datafusion::arrow::temporal_conversions::as_datetime;
use datafusion::common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion::functions::datetime;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::local::{clock, moment, zone};
use super::{by_unit, is_date, is_text, is_utc, session_zone};
use crate::function::over_arrays;

const NANOSECONDS_OF_A_SECOND: i128 = 1_000_000_000;
const NANOSECONDS_OF_A_DAY: i128 = 86_400 * NANOSECONDS_OF_A_SECOND;

/// Returns the function.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Bin {
        theirs: datetime::date_bin(),
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bin {
    /// DataFusion's, for times of day.
    theirs: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Bin {
    fn name(&self) -> &str {
        "date_bin"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (Some(stride), Some(value), 2..=3) = (types.first(), types.get(1), types.len()) else {
            return plan_err!("`date_bin` takes an interval, a timestamp, and an origin");
        };
        let stride = match stride {
            DataType::Interval(_) | DataType::Duration(_) | DataType::Null => {
                DataType::Interval(IntervalUnit::MonthDayNano)
            }
            text if is_text(text) => DataType::Interval(IntervalUnit::MonthDayNano),
            other => {
                return plan_err!("the first argument of `date_bin` is an interval, not {other}");
            }
        };
        let value = moment_or_time(value)?;
        let mut wanted = vec![stride, value.clone()];
        if let Some(origin) = types.get(2) {
            let origin = moment_or_time(origin)?;
            // A time of day has a time of day for its origin.
            wanted.push(match value {
                DataType::Timestamp(..) => origin,
                time => time,
            });
        }
        Ok(wanted)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[1].clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::Timestamp(unit, its_zone) = arguments.args[1].data_type() else {
            return self.theirs.invoke_with_args(arguments);
        };
        let session = session_zone(&arguments.config_options);
        let by = Clock {
            zone: zone(&session)?,
            is_moment: its_zone.is_some(),
            is_utc: is_utc(&session),
        };
        over_arrays(&arguments, |arrays| {
            let (stride, values, origins) = match arrays {
                [stride, values] => (stride, values, None),
                [stride, values, origins] => (stride, values, Some(by.origins(origins)?)),
                _ => return exec_err!("`date_bin` takes an interval, a timestamp, and an origin"),
            };
            by_unit!(unit, binned(stride, values, origins.as_deref(), &by))
        })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.theirs.inner().output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

fn moment_or_time(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => {
            Ok(data_type.clone())
        }
        other if other.is_null() || is_date(other) || is_text(other) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        other => plan_err!("`date_bin` takes a timestamp or a time, not {other}"),
    }
}

/// By which clock is binned.
struct Clock {
    zone: Tz,
    /// The values are moments, of which clocks in the zone show another time than UTC's.
    is_moment: bool,
    is_utc: bool,
}

impl Clock {
    fn differs(&self) -> bool {
        self.is_moment && !self.is_utc
    }

    /// Returns what the clock showed at each origin.
    fn origins(&self, origins: &ArrayRef) -> Result<Vec<Option<NaiveDateTime>>> {
        let DataType::Timestamp(unit, its_zone) = origins.data_type() else {
            return exec_err!("the origin of `date_bin` is a timestamp");
        };
        let is_moment = its_zone.is_some();
        let clocks = by_unit!(unit, clocks(origins));
        let shown = clocks.into_iter().map(|origin| match is_moment {
            true => clock(origin?, &self.zone),
            false => origin,
        });
        Ok(shown.collect())
    }
}

fn clocks<T: ArrowTimestampType>(array: &ArrayRef) -> Vec<Option<NaiveDateTime>> {
    let values = array.as_primitive::<T>().iter();
    values.map(|value| as_datetime::<T>(value?)).collect()
}

/// The width of a bin.
#[derive(Debug, Clone, Copy)]
enum Stride {
    Months(i32),
    Days(i128),
    /// In nanoseconds.
    Span(i128),
}

impl Stride {
    fn of(interval: IntervalMonthDayNano) -> Result<Self> {
        let days = i128::from(interval.days);
        let span = i128::from(interval.nanoseconds);
        let stride = match (interval.months, days, span) {
            (0, days, 0) => Self::Days(days * NANOSECONDS_OF_A_DAY),
            (0, days, span) => Self::Span(days * NANOSECONDS_OF_A_DAY + span),
            (months, 0, 0) => Self::Months(months),
            _ => {
                return exec_err!(
                    "DATE_BIN stride does not support combination of month, day and nanosecond intervals"
                );
            }
        };
        match stride {
            Self::Months(months) if months > 0 => Ok(stride),
            Self::Days(width) | Self::Span(width) if width > 0 => Ok(stride),
            _ => exec_err!("DATE_BIN stride must be greater than zero"),
        }
    }

    /// Returns the start of the bin in which a clock's time lies.
    fn start(self, clock: NaiveDateTime, origin: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Days(width) | Self::Span(width) => {
                let (from, to) = (nanoseconds(origin), nanoseconds(clock));
                let start = from + (to - from).div_euclid(width) * width;
                let seconds = start.div_euclid(NANOSECONDS_OF_A_SECOND);
                let rest = start.rem_euclid(NANOSECONDS_OF_A_SECOND);
                let start = DateTime::from_timestamp(
                    i64::try_from(seconds).ok()?,
                    u32::try_from(rest).ok()?,
                )?;
                Some(start.naive_utc())
            }
            Self::Months(width) => {
                let months = |date: NaiveDateTime| date.year() * 12 + date.month0().cast_signed();
                let passed = (months(clock) - months(origin)).div_euclid(width) * width;
                let start = months_later(origin, passed)?;
                // The origin's day of the month, or its time, is still to come.
                match start > clock {
                    true => months_later(origin, passed - width),
                    false => Some(start),
                }
            }
        }
    }
}

fn months_later(origin: NaiveDateTime, months: i32) -> Option<NaiveDateTime> {
    let count = Months::new(months.unsigned_abs());
    match months < 0 {
        true => origin.checked_sub_months(count),
        false => origin.checked_add_months(count),
    }
}

fn nanoseconds(clock: NaiveDateTime) -> i128 {
    let clock = clock.and_utc();
    i128::from(clock.timestamp()) * NANOSECONDS_OF_A_SECOND
        + i128::from(clock.timestamp_subsec_nanos())
}

fn binned<T: ArrowTimestampType>(
    stride: &ArrayRef,
    values: &ArrayRef,
    origins: Option<&[Option<NaiveDateTime>]>,
    by: &Clock,
) -> Result<ArrayRef> {
    let strides = stride.as_primitive::<IntervalMonthDayNanoType>();
    let values = values.as_primitive::<T>();
    let epoch = DateTime::UNIX_EPOCH.naive_utc();
    let row = |row: usize| {
        let origin = match origins {
            None => Some(epoch),
            Some(origins) => origins[row],
        };
        let (Some(origin), true, true) = (origin, strides.is_valid(row), values.is_valid(row))
        else {
            return Ok(None);
        };
        let stride = Stride::of(strides.value(row))?;
        let start = start_of_bin::<T>(values.value(row), stride, origin, by);
        start
            .map(Some)
            .ok_or_else(|| exec_datafusion_err!("a bin of `date_bin` starts out of range"))
    };
    let binned = (0..values.len())
        .map(row)
        .collect::<Result<PrimitiveArray<T>>>()?;
    Ok(Arc::new(binned.with_timezone_opt(values.timezone())))
}

fn start_of_bin<T: ArrowTimestampType>(
    value: i64,
    stride: Stride,
    origin: NaiveDateTime,
    by: &Clock,
) -> Option<i64> {
    let utc = as_datetime::<T>(value)?;
    let start = match stride {
        _ if !by.differs() => stride.start(utc, origin)?,
        // The hours of a day that has one twice stay apart, as its clocks go by one offset each time.
        Stride::Span(_) => {
            let offset = by.zone.offset_from_utc_datetime(&utc).fix();
            let shown = utc.checked_add_offset(offset)?;
            stride.start(shown, origin)?.checked_sub_offset(offset)?
        }
        _ => moment(stride.start(clock(utc, &by.zone)?, origin)?, &by.zone)?,
    };
    T::from_naive_datetime(start, None)
}
