//! `date_trunc` over the whole range of a timestamp, and by the session's zone where it has one.
//!
//! DataFusion 55.2 multiplies all units to nanoseconds, so that the year 9999 is out of range or wraps, makes
//! nanoseconds of days and texts, and goes by the zone of the column.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Weekday};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowTimestampType, DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion::arrow::temporal_conversions::as_datetime;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::functions::datetime;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use super::local::{clock, moment, zone};
use super::{by_unit, is_date, is_text, session_zone};
use crate::function::over_arrays;

/// Returns the function.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Truncate {
        theirs: datetime::date_trunc(),
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

/// To what a timestamp is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// So many microseconds.
    Span(i64),
    Day,
    Week,
    /// The year that weeks are counted in.
    WeekYear,
    /// So many months, that divide years or are divided by a year.
    Months(i32),
    /// So many years, counted from the year 1.
    Years(i32),
}

impl Part {
    fn named(name: &str) -> Result<Self> {
        Ok(match name.to_lowercase().as_str() {
            "microsecond" | "microseconds" | "us" | "usec" | "usecs" => Self::Span(1),
            "millisecond" | "milliseconds" | "ms" | "msec" | "msecs" => Self::Span(1_000),
            "second" | "seconds" | "s" | "sec" | "secs" | "epoch" => Self::Span(1_000_000),
            "minute" | "minutes" | "m" | "min" | "mins" => Self::Span(60_000_000),
            "hour" | "hours" | "h" | "hr" | "hrs" => Self::Span(3_600_000_000),
            // Parts of a date that count days, as DuckDB takes them.
            "day" | "days" | "d" | "dd" | "doy" | "dayofyear" | "dow" | "dayofweek" | "weekday"
            | "isodow" | "julian" => Self::Day,
            "week" | "weeks" | "w" | "weekofyear" | "yearweek" => Self::Week,
            "isoyear" => Self::WeekYear,
            "month" | "months" | "mon" | "mons" | "mm" => Self::Months(1),
            "quarter" | "quarters" => Self::Months(3),
            "year" | "years" | "y" | "yr" | "yrs" | "yy" | "yyyy" => Self::Months(12),
            "decade" | "decades" | "dec" | "decs" => Self::Months(120),
            "century" | "centuries" | "cent" | "c" => Self::Years(100),
            "millennium" | "millennia" | "millenium" | "mil" | "mils" => Self::Years(1_000),
            _ => {
                return exec_err!(
                    "Unsupported date_trunc granularity: '{name}'. Supported values are: microsecond, \
                     millisecond, second, minute, hour, day, week, month, quarter, year, decade, century, \
                     millennium"
                );
            }
        })
    }

    /// Cuts what a clock shows.
    fn cut(self, clock: NaiveDateTime) -> Option<NaiveDateTime> {
        let date = clock.date();
        let date = match self {
            Self::Span(_) | Self::Day => date,
            Self::Week => {
                let days = i64::from(date.weekday().num_days_from_monday());
                date.checked_sub_signed(TimeDelta::days(days))?
            }
            Self::WeekYear => NaiveDate::from_isoywd_opt(date.iso_week().year(), 1, Weekday::Mon)?,
            Self::Months(count) => {
                let months = date.year() * 12 + date.month0().cast_signed();
                let first = months - months.rem_euclid(count);
                let month = first.rem_euclid(12).cast_unsigned();
                NaiveDate::from_ymd_opt(first.div_euclid(12), month + 1, 1)?
            }
            Self::Years(count) => {
                let year = (date.year() - 1).div_euclid(count) * count + 1;
                NaiveDate::from_ymd_opt(year, 1, 1)?
            }
        };
        Some(date.and_time(NaiveTime::MIN))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Truncate {
    /// DataFusion's, for times of day.
    theirs: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Truncate {
    fn name(&self) -> &str {
        "date_trunc"
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [part, value] = types else {
            return plan_err!("`date_trunc` takes a unit and a timestamp");
        };
        if !is_text(part) && !part.is_null() {
            return plan_err!("the unit of `date_trunc` is a text such as 'month', not {part}");
        }
        let value = match value {
            DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => value.clone(),
            other if other.is_null() || is_date(other) || is_text(other) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            other => {
                return plan_err!("`date_trunc` takes a date, a timestamp or a time, not {other}");
            }
        };
        Ok(vec![DataType::Utf8, value])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[1].clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [unit, value] = arguments.arg_fields else {
            return plan_err!("`date_trunc` takes a unit and a timestamp");
        };
        let may_be_null = unit.is_nullable() || value.is_nullable();
        let field = Field::new(self.name(), value.data_type().clone(), may_be_null);
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::Timestamp(unit, its_zone) = arguments.args[1].data_type() else {
            return self.theirs.invoke_with_args(arguments);
        };
        let by = match &its_zone {
            Some(_) => zone(&session_zone(&arguments.config_options))?,
            None => zone("UTC")?,
        };
        let parts = match &arguments.args[0] {
            ColumnarValue::Scalar(part) => match part.try_as_str().flatten() {
                Some(part) => Some(Part::named(part)?),
                None => {
                    let data_type = arguments.args[1].data_type();
                    return ScalarValue::try_from(&data_type).map(ColumnarValue::Scalar);
                }
            },
            ColumnarValue::Array(_) => None,
        };
        match parts {
            Some(part) => {
                let value = ScalarFunctionArgs {
                    args: vec![arguments.args[1].clone()],
                    ..arguments
                };
                over_arrays(&value, |arrays| match arrays {
                    [array] => by_unit!(unit, truncated(array, part, &by)),
                    _ => exec_err!("`date_trunc` takes a unit and a timestamp"),
                })
            }
            None => over_arrays(&arguments, |arrays| match arrays {
                [parts, array] => by_unit!(unit, truncated_each(parts, array, &by)),
                _ => exec_err!("`date_trunc` takes a unit and a timestamp"),
            }),
        }
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.theirs.inner().output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

fn truncated<T: ArrowTimestampType>(array: &ArrayRef, part: Part, by: &Tz) -> Result<ArrayRef> {
    let array = array.as_primitive::<T>();
    let one = |value: i64| truncated_value::<T>(value, part, by);
    let cut: PrimitiveArray<T> = array.try_unary(|value| {
        one(value).ok_or_else(|| exec_datafusion_err!("the timestamp is out of range"))
    })?;
    Ok(Arc::new(cut.with_timezone_opt(array.timezone())))
}

/// Cuts each row to a unit of its own; NULL for a unit that is NULL.
fn truncated_each<T: ArrowTimestampType>(
    parts: &ArrayRef,
    array: &ArrayRef,
    by: &Tz,
) -> Result<ArrayRef> {
    let array = array.as_primitive::<T>();
    let rows = parts.as_string::<i32>().iter().zip(array.iter());
    let cut = rows.map(|row| {
        let (Some(part), Some(value)) = row else {
            return Ok(None);
        };
        match truncated_value::<T>(value, Part::named(part)?, by) {
            Some(value) => Ok(Some(value)),
            None => exec_err!("the timestamp is out of range"),
        }
    });
    let cut: PrimitiveArray<T> = cut.collect::<Result<_>>()?;
    Ok(Arc::new(cut.with_timezone_opt(array.timezone())))
}

fn truncated_value<T: ArrowTimestampType>(value: i64, part: Part, by: &Tz) -> Option<i64> {
    let per_second = match T::UNIT {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    if let Part::Span(microseconds) = part {
        let span = i128::from(microseconds) * i128::from(per_second) / 1_000_000;
        let span = i64::try_from(span.max(1)).ok()?;
        // The hours of a day that has one twice stay apart, as its clocks go by one offset each time.
        let offset = by.offset_from_utc_datetime(&as_datetime::<T>(value)?).fix();
        let offset = i64::from(offset.local_minus_utc()) * per_second;
        return value.checked_sub(value.checked_add(offset)?.rem_euclid(span));
    }
    let cut = part.cut(clock(as_datetime::<T>(value)?, by)?)?;
    T::from_naive_datetime(moment(cut, by)?, None)
}
