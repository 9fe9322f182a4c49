//! The extremes of many groups of floating-point numbers.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::compute::unary;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float16Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type,
};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Turns the bits of a number into an integer that compares as the number does, and back: of negative ones
/// all bits but the sign, as in IEEE 754's total order.
macro_rules! turned {
    ($integer:ty, $bits:expr) => {{
        let bits: $integer = $bits;
        if bits < 0 {
            bits ^ <$integer>::MAX
        } else {
            bits
        }
    }};
}

/// Returns the integers that stand for numbers of a floating-point type; `None` for another type.
pub(super) fn key_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Float16 => Some(DataType::Int16),
        DataType::Float32 => Some(DataType::Int32),
        DataType::Float64 => Some(DataType::Int64),
        _ => None,
    }
}

/// Finds the extremes of the integers that stand for the numbers.
pub(super) struct GroupExtremes {
    inner: Box<dyn GroupsAccumulator>,
    data_type: DataType,
}

impl GroupExtremes {
    pub(super) fn over(inner: Box<dyn GroupsAccumulator>, data_type: DataType) -> Self {
        Self { inner, data_type }
    }

    fn numbers_of(&self, states: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
        states
            .iter()
            .map(|keys| numbers(keys, &self.data_type))
            .collect()
    }
}

impl fmt::Debug for GroupExtremes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GroupExtremes({})", self.data_type)
    }
}

impl GroupsAccumulator for GroupExtremes {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(
            &keys_of(values)?,
            group_indices,
            opt_filter,
            total_num_groups,
        )
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner
            .merge_batch(&keys_of(values)?, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        numbers(&self.inner.evaluate(emit_to)?, &self.data_type)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.inner.state(emit_to)?;
        self.numbers_of(states)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let states = self.inner.convert_to_state(&keys_of(values)?, opt_filter)?;
        self.numbers_of(states)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

fn keys_of(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    values.iter().map(keys).collect()
}

/// Turns numbers into integers of the same order, NaN into one above all.
fn keys(values: &ArrayRef) -> Result<ArrayRef> {
    macro_rules! keys {
        ($float:ty, $integer:ty, $native:ty, $nan:expr) => {{
            let values = values.as_primitive::<$float>();
            let keys: PrimitiveArray<$integer> = unary(values, |value| {
                let value = if value.is_nan() { $nan } else { value };
                turned!($native, value.to_bits().cast_signed())
            });
            Ok(Arc::new(keys))
        }};
    }
    match values.data_type() {
        DataType::Float16 => keys!(Float16Type, Int16Type, i16, Half::NAN),
        DataType::Float32 => keys!(Float32Type, Int32Type, i32, f32::NAN),
        DataType::Float64 => keys!(Float64Type, Int64Type, i64, f64::NAN),
        other => exec_err!("{other} is no floating-point type"),
    }
}

/// Turns integers back into the numbers for which they stand.
fn numbers(keys: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    macro_rules! numbers {
        ($integer:ty, $float:ty, $native:ty, $from_bits:expr) => {{
            let keys = keys.as_primitive::<$integer>();
            let numbers: PrimitiveArray<$float> = unary(keys, |key| {
                $from_bits(turned!($native, key).cast_unsigned())
            });
            Ok(Arc::new(numbers))
        }};
    }
    match data_type {
        DataType::Float16 => numbers!(Int16Type, Float16Type, i16, Half::from_bits),
        DataType::Float32 => numbers!(Int32Type, Float32Type, i32, f32::from_bits),
        DataType::Float64 => numbers!(Int64Type, Float64Type, i64, f64::from_bits),
        other => exec_err!("{other} is no floating-point type"),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Float64Array;

    use super::*;

    #[test]
    fn keys_have_the_order_of_the_numbers() {
        let numbers_in_order = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.0,
            -f64::MIN_POSITIVE,
            0.0,
            f64::MIN_POSITIVE,
            1.0,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
        ];
        let values: ArrayRef = Arc::new(Float64Array::from(numbers_in_order.to_vec()));
        let found = keys(&values).expect("doubles have keys");
        let found = found.as_primitive::<Int64Type>().values();
        assert!(found.is_sorted_by(|one, other| one < other), "{found:?}");
        let back = numbers(&keys(&values).expect("keys"), &DataType::Float64).expect("numbers");
        let back = back.as_primitive::<Float64Type>().values();
        assert_eq!(
            format!("{:?}", back.to_vec()),
            format!("{numbers_in_order:?}")
        );
    }
}
