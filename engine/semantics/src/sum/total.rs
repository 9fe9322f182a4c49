//! One total: of all rows, or of those in a window's frame.

use std::fmt;
use std::mem::size_of_val;

use datafusion::arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;

use super::range::{Summed, WideOf, added, out_of_range};

/// The total of the rows so far.
pub(super) struct Total<T: Summed> {
    total: WideOf<T>,
    /// How many values are in the total; a sum of none is NULL.
    count: usize,
    result: DataType,
}

impl<T: Summed> Total<T> {
    pub(super) fn new(result: DataType) -> Self {
        Self {
            total: WideOf::<T>::ZERO,
            count: 0,
            result,
        }
    }

    fn add(&mut self, part: Option<WideOf<T>>, count: usize) -> Result<()> {
        let part = part.ok_or_else(|| out_of_range(&self.result))?;
        let total = self.total.add_checked(part);
        self.total = total.map_err(|_| out_of_range(&self.result))?;
        self.count += count;
        Ok(())
    }
}

impl<T: Summed> fmt::Debug for Total<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Total({})", self.result)
    }
}

impl<T: Summed> Accumulator for Total<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<T>();
        self.add(added(values), values.len() - values.null_count())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<T>();
        let part = added(values).ok_or_else(|| out_of_range(&self.result))?;
        let total = self.total.sub_checked(part);
        self.total = total.map_err(|_| out_of_range(&self.result))?;
        self.count -= values.len() - values.null_count();
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let totals = states[0].as_primitive::<T::Wide>();
        for total in totals.iter().flatten() {
            self.add(Some(total), 1)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let total = (self.count != 0).then_some(self.total);
        let wide = T::wide_type(&self.result);
        Ok(vec![ScalarValue::new_primitive::<T::Wide>(total, &wide)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = match self.count {
            0 => None,
            _ => {
                let total = T::narrow(self.total, &self.result);
                Some(total.ok_or_else(|| out_of_range(&self.result))?)
            }
        };
        ScalarValue::new_primitive::<T>(total, &self.result)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
