//! Finds the form that stands for all values equal to it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::{try_unary, unary};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float16Type, Float32Type, Float64Type, IntervalDayTime,
    IntervalDayTimeType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Result;

const NANOSECONDS_OF_A_DAY: i128 = 86_400_000_000_000;
const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;
/// As PostgreSQL and DuckDB compare: a month has 30 days, a day 24 hours.
const DAYS_OF_A_MONTH: i128 = 30;

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Returns the values in their canonical form.
pub(super) fn canonical(values: &ArrayRef) -> Result<ArrayRef> {
    macro_rules! floats {
        ($type:ty, $nan:expr, $zero:expr) => {{
            let values = values.as_primitive::<$type>();
            let one: PrimitiveArray<$type> = unary(values, |value| match value.is_nan() {
                true => $nan,
                // -0.0 + 0.0 is 0.0.
                false => value + $zero,
            });
            Ok(Arc::new(one))
        }};
    }
    match values.data_type() {
        DataType::Float16 => floats!(Float16Type, Half::NAN, Half::ZERO),
        DataType::Float32 => floats!(Float32Type, f32::NAN, 0.0),
        DataType::Float64 => floats!(Float64Type, f64::NAN, 0.0),
        DataType::Interval(IntervalUnit::DayTime) => {
            let values = values.as_primitive::<IntervalDayTimeType>();
            let one: PrimitiveArray<IntervalDayTimeType> = try_unary(values, day_time)?;
            Ok(Arc::new(one))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = values.as_primitive::<IntervalMonthDayNanoType>();
            let one: PrimitiveArray<IntervalMonthDayNanoType> = try_unary(values, month_day_nano)?;
            Ok(Arc::new(one))
        }
        // Months are their own form, and so is every value of another type.
        _ => Ok(Arc::clone(values)),
    }
}

fn day_time(span: IntervalDayTime) -> std::result::Result<IntervalDayTime, ArrowError> {
    let total = i64::from(span.days) * MILLISECONDS_OF_A_DAY + i64::from(span.milliseconds);
    // Both parts have the sign of the whole, so that an order by fields is one by length.
    let days = i32::try_from(total / MILLISECONDS_OF_A_DAY).map_err(|_| out_of_range())?;
    let milliseconds = i32::try_from(total % MILLISECONDS_OF_A_DAY).map_err(|_| out_of_range())?;
    Ok(IntervalDayTime { days, milliseconds })
}

fn month_day_nano(
    span: IntervalMonthDayNano,
) -> std::result::Result<IntervalMonthDayNano, ArrowError> {
    let days = i128::from(span.months) * DAYS_OF_A_MONTH + i128::from(span.days);
    let total = days * NANOSECONDS_OF_A_DAY + i128::from(span.nanoseconds);
    let days = total / NANOSECONDS_OF_A_DAY;
    let narrow = |count: i128| i32::try_from(count).map_err(|_| out_of_range());
    let nanoseconds = total % NANOSECONDS_OF_A_DAY;
    Ok(IntervalMonthDayNano {
        months: narrow(days / DAYS_OF_A_MONTH)?,
        days: narrow(days % DAYS_OF_A_MONTH)?,
        nanoseconds: i64::try_from(nanoseconds).map_err(|_| out_of_range())?,
    })
}

fn out_of_range() -> ArrowError {
    ArrowError::ComputeError("an interval is out of range".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::arrow::array::{Array, Float64Array, IntervalMonthDayNanoArray};

    use super::*;

    #[test]
    fn there_is_one_nan_and_one_zero() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(-0.0),
            Some(-f64::NAN),
            Some(f64::NEG_INFINITY),
            None,
        ]));
        let one = canonical(&values).unwrap();
        let one = one.as_primitive::<Float64Type>();
        assert_eq!(one.value(0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(one.value(1).to_bits(), f64::NAN.to_bits());
        assert_eq!(one.value(2), f64::NEG_INFINITY);
        assert!(one.is_null(3));
    }

    #[test]
    fn intervals_are_ordered_by_their_length() {
        let span = |months, days, hours: i64| IntervalMonthDayNano {
            months,
            days,
            nanoseconds: hours * 3_600_000_000_000,
        };
        let spans = vec![
            span(0, -2, 1),
            span(0, -1, 0),
            span(0, 0, -1),
            span(0, 0, 23),
            span(0, 1, 0),
            span(0, 0, 36),
            span(0, 29, 0),
            span(1, 0, 0),
            span(1, -1, 48),
        ];
        let forms = |spans: &[IntervalMonthDayNano]| {
            let array: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(spans.to_vec()));
            let one = canonical(&array).unwrap();
            one.as_primitive::<IntervalMonthDayNanoType>()
                .values()
                .to_vec()
        };
        let ordered = forms(&spans);
        assert!(ordered.is_sorted(), "{ordered:?}");
        assert_eq!(forms(&[span(0, 0, 24)]), forms(&[span(0, 1, 0)]));
        assert_eq!(forms(&[span(1, 0, 0)]), forms(&[span(0, 30, 0)]));
    }
}
