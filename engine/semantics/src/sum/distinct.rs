//! The total of different values: of all rows, or of those in a window's frame.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;

use super::range::{Summed, WideOf, out_of_range};

/// The different values so far, with how often each is there, and their total.
pub(super) struct DistinctTotal<T: Summed<Native: Hash + Eq>> {
    counts: HashMap<T::Native, usize>,
    total: WideOf<T>,
    result: DataType,
}

impl<T: Summed<Native: Hash + Eq>> DistinctTotal<T> {
    pub(super) fn new(result: DataType) -> Self {
        Self {
            counts: HashMap::new(),
            total: WideOf::<T>::ZERO,
            result,
        }
    }
}

impl<T: Summed<Native: Hash + Eq>> fmt::Debug for DistinctTotal<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DistinctTotal({})", self.result)
    }
}

impl<T: Summed<Native: Hash + Eq>> Accumulator for DistinctTotal<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<T>().iter().flatten() {
            let count = self.counts.entry(value).or_insert(0);
            *count += 1;
            if *count == 1 {
                let total = self.total.add_checked(T::widen(value));
                self.total = total.map_err(|_| out_of_range(&self.result))?;
            }
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<T>().iter().flatten() {
            let Some(count) = self.counts.get_mut(&value) else {
                continue;
            };
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&value);
                let total = self.total.sub_checked(T::widen(value));
                self.total = total.map_err(|_| out_of_range(&self.result))?;
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[values])?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = PrimitiveArray::<T>::from_iter_values(self.counts.keys().copied());
        let values = Arc::new(values.with_data_type(self.result.clone()));
        let list = SingleRowListArrayBuilder::new(values).build_list_scalar();
        Ok(vec![list])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = match self.counts.is_empty() {
            true => None,
            false => {
                let total = T::narrow(self.total, &self.result);
                Some(total.ok_or_else(|| out_of_range(&self.result))?)
            }
        };
        ScalarValue::new_primitive::<T>(total, &self.result)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counts.capacity() * size_of::<(T::Native, usize)>()
    }
}
