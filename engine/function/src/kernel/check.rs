//! Arithmetic that gives NULL where its result has no room.

use datafusion::arrow::array::{ArrayRef, new_empty_array, new_null_array};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, exec_err};

/// An operation of arrow's that fails where a result has no room.
type Operation = fn(&ArrayRef, &ArrayRef) -> std::result::Result<ArrayRef, ArrowError>;

fn adding(left: &ArrayRef, right: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    numeric::add(left, right)
}

fn subtracting(left: &ArrayRef, right: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    numeric::sub(left, right)
}

fn multiplying(left: &ArrayRef, right: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    numeric::mul(left, right)
}

fn taking_remainder(
    left: &ArrayRef,
    right: &ArrayRef,
) -> std::result::Result<ArrayRef, ArrowError> {
    numeric::rem(left, right)
}

/// The type of `try_add`.
pub(crate) fn sum_type(types: &[DataType]) -> Result<DataType> {
    result_type(types, adding)
}

/// `try_add`.
pub(crate) fn sum(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    attempted(arrays, adding)
}

/// The type of `try_subtract`.
pub(crate) fn difference_type(types: &[DataType]) -> Result<DataType> {
    result_type(types, subtracting)
}

/// `try_subtract`.
pub(crate) fn difference(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    attempted(arrays, subtracting)
}

/// The type of `try_multiply`.
pub(crate) fn product_type(types: &[DataType]) -> Result<DataType> {
    result_type(types, multiplying)
}

/// `try_multiply`.
pub(crate) fn product(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    attempted(arrays, multiplying)
}

/// The type of `try_mod`.
pub(crate) fn remainder_type(types: &[DataType]) -> Result<DataType> {
    result_type(types, taking_remainder)
}

/// `try_mod`.
pub(crate) fn remainder(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    attempted(arrays, taking_remainder)
}

/// The types in which two operands meet: whole numbers as BIGINT, beside a DOUBLE all as DOUBLE.
fn aligned(left: &DataType, right: &DataType) -> (DataType, DataType) {
    let is_whole = |data_type: &DataType| data_type.is_integer() || data_type.is_null();
    let as_decimal = |data_type: &DataType| match data_type.is_integer() {
        true => DataType::Decimal128(19, 0),
        false => data_type.clone(),
    };
    if is_whole(left) && is_whole(right) {
        (DataType::Int64, DataType::Int64)
    } else if (left.is_floating() || right.is_floating())
        && [left, right]
            .iter()
            .all(|side| side.is_numeric() || side.is_null())
    {
        (DataType::Float64, DataType::Float64)
    } else if left.is_decimal() || right.is_decimal() {
        (as_decimal(left), as_decimal(right))
    } else if left.is_null() {
        (right.clone(), right.clone())
    } else if right.is_null() {
        (left.clone(), left.clone())
    } else {
        (left.clone(), right.clone())
    }
}

fn result_type(types: &[DataType], operation: Operation) -> Result<DataType> {
    let [left, right] = types else {
        return exec_err!("two operands are needed");
    };
    let (left, right) = aligned(left, right);
    let computed = operation(&new_empty_array(&left), &new_empty_array(&right))?;
    Ok(computed.data_type().clone())
}

fn attempted(arrays: &[ArrayRef], operation: Operation) -> Result<ArrayRef> {
    let [left, right] = arrays else {
        return exec_err!("two operands are needed");
    };
    let (left_type, right_type) = aligned(left.data_type(), right.data_type());
    let (left, right) = (cast(left, &left_type)?, cast(right, &right_type)?);
    if let Ok(computed) = operation(&left, &right) {
        return Ok(computed);
    }
    // Some row has no room: each is tried by itself.
    let result_type = result_type(&[left_type, right_type], operation)?;
    let rows: Vec<ArrayRef> = (0..left.len())
        .map(|row| {
            operation(&left.slice(row, 1), &right.slice(row, 1))
                .unwrap_or_else(|_| new_null_array(&result_type, 1))
        })
        .collect();
    let rows: Vec<_> = rows.iter().map(AsRef::as_ref).collect();
    Ok(concat(&rows)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;

    use super::{product, remainder, sum};

    #[test]
    fn what_has_no_room_is_null_and_the_rest_stays() {
        let left: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(2), None]));
        let right: ArrayRef = Arc::new(Int64Array::from(vec![2, 0, 1]));
        let pair = [left, right];
        let numbers = |array: ArrayRef| -> Vec<Option<i64>> {
            array.as_primitive::<Int64Type>().iter().collect()
        };
        assert_eq!(numbers(sum(&pair).unwrap()), [None, Some(2), None]);
        assert_eq!(numbers(product(&pair).unwrap()), [None, Some(0), None]);
        assert_eq!(numbers(remainder(&pair).unwrap()), [Some(1), None, None]);
        assert_eq!(sum(&pair).unwrap().len(), 3);
    }
}
