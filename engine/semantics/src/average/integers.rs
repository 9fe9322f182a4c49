//! One average of integers of 64 bits, added in 128.
//!
//! A window takes each row in and out again: an array of decimals for each of them would take longer than all else.

use std::mem::size_of_val;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::sum;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

/// The state has the type that sums of decimals have where many groups are averaged.
const SUM_DIGITS: u8 = 38;

/// The sum and number of the values so far.
#[derive(Debug, Default)]
pub(super) struct IntegerAverage {
    // 2^64 values of 64 bits have room in it.
    sum: i128,
    count: u64,
}

fn added(values: &ArrayRef) -> Result<(i128, u64)> {
    let count = (values.len() - values.null_count()) as u64;
    let sum = match values.data_type() {
        DataType::Int64 => {
            let values = values.as_primitive::<Int64Type>().iter();
            values.flatten().map(i128::from).sum()
        }
        DataType::UInt64 => {
            let values = values.as_primitive::<UInt64Type>().iter();
            values.flatten().map(i128::from).sum()
        }
        other => return exec_err!("`avg` cannot add {other} as integers"),
    };
    Ok((sum, count))
}

impl Accumulator for IntegerAverage {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (sum, count) = added(&values[0])?;
        self.sum += sum;
        self.count += count;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (sum, count) = added(&values[0])?;
        self.sum -= sum;
        self.count -= count;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = states[0].as_primitive::<UInt64Type>();
        let sums = states[1].as_primitive::<Decimal128Type>();
        self.count += sum(counts).unwrap_or_default();
        self.sum += sum(sums).unwrap_or_default();
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = (self.count > 0).then_some(self.sum);
        Ok(vec![
            ScalarValue::from(self.count),
            ScalarValue::Decimal128(sum, SUM_DIGITS, 0),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let average = (self.count > 0).then(|| self.sum as f64 / self.count as f64);
        Ok(ScalarValue::Float64(average))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
