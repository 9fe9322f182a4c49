//! Gathers the values of a group.

use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array, new_empty_array};
use datafusion::arrow::compute::{SortOptions, concat, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use super::Kind;
use super::place::{continuous, discrete, distinct, sorted};

/// Up to how many rows arrays are put together as they come.
const SMALL: usize = 8192;

/// All values of a group, as they came.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) kind: Kind,
    /// `None` for NULL, whose percentile is NULL.
    pub(super) share: Option<f64>,
    pub(super) sort: SortOptions,
    pub(super) is_distinct: bool,
    pub(super) values: Vec<ArrayRef>,
    pub(super) data_type: DataType,
}

impl Gathered {
    fn add(&mut self, values: ArrayRef) -> Result<()> {
        if values.len() == values.null_count() {
            return Ok(());
        }
        self.values.push(values);
        // Many groups get few rows at a time, and an array has a price of its own.
        while let [.., before, last] = self.values.as_slice()
            && before.len() <= last.len()
            && last.len() <= SMALL
        {
            let both = concat(&[before.as_ref(), last.as_ref()])?;
            self.values.truncate(self.values.len() - 2);
            self.values.push(both);
        }
        Ok(())
    }
}

impl Accumulator for Gathered {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(copied(&values[0])?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (Some(share), false) = (self.share, self.values.is_empty()) else {
            return ScalarValue::try_from(&self.data_type);
        };
        let mut sorted = sorted(&self.values, self.sort)?;
        if self.is_distinct {
            sorted = distinct(&sorted)?;
        }
        match self.kind {
            Kind::Continuous => continuous(&sorted, share),
            Kind::Discrete => discrete(&sorted, share),
        }
    }

    fn size(&self) -> usize {
        let values = self.values.iter();
        size_of_val(self)
            + self.values.capacity() * size_of::<ArrayRef>()
            + values.map(Array::get_array_memory_size).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        let all = match parts.is_empty() {
            true => new_empty_array(&self.data_type),
            false => concat(&parts)?,
        };
        let list = SingleRowListArrayBuilder::new(all).build_list_array();
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states[0].as_list_opt::<i32>() else {
            return exec_err!("a percentile keeps its values in a list");
        };
        for place in 0..lists.len() {
            if lists.is_valid(place) {
                self.add(copied(&lists.value(place))?)?;
            }
        }
        Ok(())
    }
}

/// Copies a part of an array, so that it does not keep all of it.
fn copied(values: &ArrayRef) -> Result<ArrayRef> {
    let rows = UInt64Array::from_iter_values(0..values.len() as u64);
    Ok(take(values, &rows, None)?)
}
