//! Where a percentile lies among sorted values.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use datafusion::arrow::compute::{SortOptions, concat, filter, is_not_null, partition, sort, take};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};

/// Sorts what was gathered, without NULL; NaN is the largest, whatever its sign.
pub(super) fn sorted(values: &[ArrayRef], options: SortOptions) -> Result<ArrayRef> {
    let parts: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
    let all = concat(&parts)?;
    let all = filter(&all, &is_not_null(&all)?)?;
    let all: ArrayRef = match all.data_type() {
        DataType::Float32 => {
            let one = |value: f32| if value.is_nan() { f32::NAN } else { value };
            Arc::new(
                all.as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(one),
            )
        }
        DataType::Float64 => {
            let one = |value: f64| if value.is_nan() { f64::NAN } else { value };
            Arc::new(
                all.as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(one),
            )
        }
        _ => all,
    };
    Ok(sort(&all, Some(options))?)
}

/// Leaves one of each of sorted values.
pub(super) fn distinct(sorted: &ArrayRef) -> Result<ArrayRef> {
    if sorted.is_empty() {
        return Ok(sorted.clone());
    }
    let starts = partition(std::slice::from_ref(sorted))?.ranges();
    let starts: UInt64Array = starts
        .iter()
        .map(|range| Some(range.start as u64))
        .collect();
    Ok(take(sorted, &starts, None)?)
}

/// Returns the first value at or behind a share of all.
pub(super) fn discrete(sorted: &ArrayRef, share: f64) -> Result<ScalarValue> {
    let count = sorted.len();
    // As PostgreSQL does: the first row is that of the share 0 too.
    let row = (share * count as f64).ceil() as usize;
    ScalarValue::try_from_array(sorted, row.clamp(1, count) - 1)
}

/// Returns the value at a share of all, between two where it falls between them.
pub(super) fn continuous(sorted: &ArrayRef, share: f64) -> Result<ScalarValue> {
    match sorted.data_type() {
        DataType::Float64 => {
            let values = sorted.as_primitive::<Float64Type>().values();
            Ok(ScalarValue::Float64(Some(between(values, share))))
        }
        DataType::Float32 => {
            let values = sorted.as_primitive::<Float32Type>().values();
            let values = values.iter().map(|value| f64::from(*value));
            let value = between(&values.collect::<Vec<_>>(), share);
            Ok(ScalarValue::Float32(Some(value as f32)))
        }
        other => exec_err!("there is nothing between two values of {other}"),
    }
}

fn between(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (first, second) = (place.floor(), place.ceil());
    let (low, high) = (sorted[first as usize], sorted[second as usize]);
    // Between two that are equal, infinities too, there is no difference to take a part of.
    match first == second || low == high {
        true => low,
        false => low + (high - low) * (place - first),
    }
}
