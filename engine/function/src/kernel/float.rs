//! Numbers by their bits: the next one, and the sign.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, exec_err, plan_err};

/// A FLOAT where a FLOAT is among the two and no DOUBLE.
pub(crate) fn next_type(types: &[DataType]) -> Result<DataType> {
    let is_number = |data_type: &DataType| data_type.is_numeric() || data_type.is_null();
    if !types.iter().all(is_number) {
        return plan_err!("`nextafter` takes two numbers");
    }
    let has_float = types.contains(&DataType::Float32) && !types.contains(&DataType::Float64);
    Ok(match has_float {
        true => DataType::Float32,
        false => DataType::Float64,
    })
}

/// `nextafter`: the next number from one towards another.
pub(crate) fn next_after(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let types: Vec<DataType> = arrays
        .iter()
        .map(|array| array.data_type().clone())
        .collect();
    let (result, [from, to]) = (next_type(&types)?, arrays) else {
        return exec_err!("`nextafter` takes two numbers");
    };
    let (from, to) = (cast(from, &result)?, cast(to, &result)?);
    if result == DataType::Float32 {
        let pairs = from.as_primitive::<Float32Type>().iter();
        let pairs = pairs.zip(to.as_primitive::<Float32Type>().iter());
        let next = pairs.map(|(from, to)| {
            let (from, to) = (from?, to?);
            Some(match (from < to, from > to) {
                (true, _) => from.next_up(),
                (_, true) => from.next_down(),
                _ if from.is_nan() => from,
                _ => to,
            })
        });
        return Ok(Arc::new(next.collect::<Float32Array>()));
    }
    let pairs = from.as_primitive::<Float64Type>().iter();
    let pairs = pairs.zip(to.as_primitive::<Float64Type>().iter());
    let next = pairs.map(|(from, to)| {
        let (from, to) = (from?, to?);
        Some(match (from < to, from > to) {
            (true, _) => from.next_up(),
            (_, true) => from.next_down(),
            _ if from.is_nan() => from,
            _ => to,
        })
    });
    Ok(Arc::new(next.collect::<Float64Array>()))
}

/// `signbit`: whether the sign is a minus.
pub(crate) fn has_sign(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [numbers] = arrays else {
        return exec_err!("`signbit` takes one number");
    };
    let numbers = numbers.as_primitive::<Float64Type>().iter();
    let signs = numbers.map(|number| number.map(f64::is_sign_negative));
    Ok(Arc::new(signs.collect::<BooleanArray>()))
}
