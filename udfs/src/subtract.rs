//! Checked subtraction of numbers, dates and timestamps, for `difference` and `delta`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, IntervalMonthDayNanoArray, PrimitiveArray,
};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{
    DataType, Float64Type, IntervalMonthDayNano, IntervalUnit, TimeUnit,
};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::binary::BinaryTypeCoercer;

use crate::number::Numbers;
use crate::types::{common, number_or_time};

/// How two types are subtracted.
pub(crate) struct Subtraction {
    pub(crate) left: DataType,
    pub(crate) right: DataType,
    pub(crate) result: DataType,
}

/// The type of the difference of two moments.
const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// Finds out how two types are subtracted: whole numbers give BIGINT, moments an interval.
pub(crate) fn subtraction(name: &str, left: &DataType, right: &DataType) -> Result<Subtraction> {
    let one = |left: DataType, right: DataType, result: DataType| {
        Ok(Subtraction {
            left,
            right,
            result,
        })
    };
    let types = match (left.is_null(), right.is_null()) {
        (false, true) => [left.clone(), left.clone()],
        (true, false) => [right.clone(), right.clone()],
        _ => [left.clone(), right.clone()],
    };
    let left = number_or_time(name, &types[0])?;
    let right = number_or_time(name, &types[1])?;
    let whole = |one: &DataType| matches!(one, DataType::Int64 | DataType::UInt64);
    match (&left, &right) {
        (l, r) if whole(l) && whole(r) => one(left, right, DataType::Int64),
        (l, r) if l.is_temporal() || r.is_temporal() => {
            if !(l.is_temporal() && r.is_temporal()) {
                return plan_err!("`{name}` cannot subtract {right} from {left}");
            }
            let both = common(name, &types)?;
            one(both.clone(), both, INTERVAL)
        }
        (DataType::Float64, _) | (_, DataType::Float64) => {
            one(DataType::Float64, DataType::Float64, DataType::Float64)
        }
        (l, r) => {
            let decimal = |one: &DataType| match one {
                DataType::Int64 => DataType::Decimal128(19, 0),
                DataType::UInt64 => DataType::Decimal128(20, 0),
                other => other.clone(),
            };
            let (l, r) = (decimal(l), decimal(r));
            let result = BinaryTypeCoercer::new(&l, &Operator::Minus, &r).get_result_type()?;
            one(l, r, result)
        }
    }
}

/// Subtracts columns of the types that `subtraction` gave.
pub(crate) fn subtract(
    name: &str,
    left: &ArrayRef,
    right: &ArrayRef,
    result: &DataType,
) -> Result<ArrayRef> {
    match result {
        DataType::Float64 => {
            let left = left.as_primitive::<Float64Type>();
            let right = right.as_primitive::<Float64Type>();
            let difference: PrimitiveArray<Float64Type> =
                datafusion::arrow::compute::binary(left, right, |left, right| left - right)?;
            Ok(Arc::new(difference))
        }
        DataType::Decimal128(..) => Ok(numeric::sub(left, right)?),
        DataType::Int64 => whole_numbers(name, left, right),
        _ => moments(name, left, right),
    }
}

fn whole_numbers(name: &str, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let (left, right) = (Numbers::of(left)?, Numbers::of(right)?);
    let difference = |row: usize| {
        let (Some(left), Some(right)) = (left.key(row), right.key(row)) else {
            return Ok(None);
        };
        let difference = i64::try_from(left - right);
        difference.map(Some).map_err(|_| {
            exec_datafusion_err!(
                "`{name}`: {left} - {right} does not fit into BIGINT; subtract DOUBLE or DECIMAL"
            )
        })
    };
    let rows = 0..left.rows();
    Ok(Arc::new(
        rows.map(difference).collect::<Result<Int64Array>>()?,
    ))
}

fn moments(name: &str, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let unit = match left.data_type() {
        DataType::Timestamp(unit, _) => Some(*unit),
        _ => None,
    };
    let rows = left.len();
    let (left, right) = (Numbers::of(left)?, Numbers::of(right)?);
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        found.push(match (left.key(row), right.key(row)) {
            (Some(left), Some(right)) => Some(interval(name, left - right, unit)?),
            _ => None,
        });
    }
    Ok(Arc::new(IntervalMonthDayNanoArray::from(found)))
}

/// Makes an interval of a number of days, or of units of time.
pub(crate) fn interval(
    name: &str,
    difference: i128,
    unit: Option<TimeUnit>,
) -> Result<IntervalMonthDayNano> {
    let too_long =
        |_: std::num::TryFromIntError| exec_datafusion_err!("`{name}`: the interval is too long");
    let Some(unit) = unit else {
        let days = i32::try_from(difference).map_err(too_long)?;
        return Ok(IntervalMonthDayNano::new(0, days, 0));
    };
    let nanoseconds = difference * nanoseconds(unit);
    let nanoseconds = i64::try_from(nanoseconds).map_err(too_long)?;
    Ok(IntervalMonthDayNano::new(0, 0, nanoseconds))
}

/// How many nanoseconds a unit of time has.
pub(crate) fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}
