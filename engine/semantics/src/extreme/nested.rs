//! The extremes of lists, structs and maps.
//!
//! DataFusion 55.2 does not compare what lies two levels deep: `min` of lists of lists fails, and over a
//! window the first one stays. Here values are compared as ORDER BY does, NULL inside of them last.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::mem::size_of_val;

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array, make_comparator};
use datafusion::arrow::compute::{SortOptions, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

const ORDER: SortOptions = SortOptions {
    descending: false,
    nulls_first: false,
};

/// Says whether the values of a type are compared here.
pub(super) fn is_nested(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(_, _)
        | DataType::Struct(_)
        | DataType::Map(_, _) => true,
        DataType::Dictionary(_, value) => is_nested(value),
        _ => false,
    }
}

/// Says whether the values of a type have no order here, nor in DataFusion.
pub(super) fn has_no_order(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::ListView(_)
            | DataType::LargeListView(_)
            | DataType::Union(_, _)
            | DataType::RunEndEncoded(_, _)
    )
}

/// Which of two values stays.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Least,
    Greatest,
}

impl Side {
    fn prefers(self, order: Ordering) -> bool {
        match self {
            Self::Least => order.is_lt(),
            Self::Greatest => order.is_gt(),
        }
    }
}

/// Copies one value, so that the rows around it can go.
fn one(values: &ArrayRef, at: usize) -> Result<ArrayRef> {
    Ok(take(values, &UInt64Array::from(vec![at as u64]), None)?)
}

fn first_of(values: &[ArrayRef]) -> Result<&ArrayRef> {
    match values {
        [values] => Ok(values),
        _ => exec_err!("`min` and `max` take one value"),
    }
}

fn scalar(value: Option<&ArrayRef>, data_type: &DataType) -> Result<ScalarValue> {
    match value {
        Some(value) => ScalarValue::try_from_array(value, 0),
        None => ScalarValue::try_new_null(data_type),
    }
}

/// The extreme of all values so far.
#[derive(Debug)]
pub(super) struct NestedExtreme {
    side: Side,
    data_type: DataType,
    best: Option<ArrayRef>,
}

impl NestedExtreme {
    pub(super) fn new(side: Side, data_type: DataType) -> Self {
        Self {
            side,
            data_type,
            best: None,
        }
    }
}

impl Accumulator for NestedExtreme {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = first_of(values)?;
        let compare = make_comparator(values, values, ORDER)?;
        let valid = (0..values.len()).filter(|at| values.is_valid(*at));
        let best = valid.reduce(|best, at| match self.side.prefers(compare(at, best)) {
            true => at,
            false => best,
        });
        let Some(best) = best else {
            return Ok(());
        };
        if let Some(known) = &self.best {
            let compare = make_comparator(values, known, ORDER)?;
            if !self.side.prefers(compare(best, 0)) {
                return Ok(());
            }
        }
        self.best = Some(one(values, best)?);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        scalar(self.best.as_ref(), &self.data_type)
    }

    fn size(&self) -> usize {
        let best = self.best.as_ref();
        size_of_val(self) + best.map_or(0, |best| best.get_array_memory_size())
    }
}

/// The extreme of the rows of a frame that moves.
#[derive(Debug)]
pub(super) struct MovingExtreme {
    side: Side,
    data_type: DataType,
    /// Values that are or can become the extreme, with their places, the extreme first.
    candidates: VecDeque<(u64, ArrayRef)>,
    /// Rows that have come, and rows that have gone.
    come: u64,
    gone: u64,
}

impl MovingExtreme {
    pub(super) fn new(side: Side, data_type: DataType) -> Self {
        Self {
            side,
            data_type,
            candidates: VecDeque::new(),
            come: 0,
            gone: 0,
        }
    }

    /// Adds a value; earlier ones that it beats are never the extreme again.
    fn push(&mut self, value: ArrayRef) -> Result<()> {
        while let Some((_, last)) = self.candidates.back() {
            let order = make_comparator(last, &value, ORDER)?(0, 0);
            if self.side.prefers(order) {
                break;
            }
            self.candidates.pop_back();
        }
        self.candidates.push_back((self.come, value));
        Ok(())
    }
}

impl Accumulator for MovingExtreme {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = first_of(values)?;
        for at in 0..values.len() {
            if values.is_valid(at) {
                self.push(one(values, at)?)?;
            }
            self.come += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.gone += first_of(values)?.len() as u64;
        while self
            .candidates
            .front()
            .is_some_and(|(place, _)| *place < self.gone)
        {
            self.candidates.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let best = self.candidates.front().map(|(_, value)| value);
        scalar(best, &self.data_type)
    }

    fn size(&self) -> usize {
        let values = self.candidates.iter();
        let values = values.map(|(_, value)| size_of_val(value) + value.get_array_memory_size());
        size_of_val(self) + values.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::ListArray;
    use datafusion::arrow::datatypes::Int32Type;

    use super::*;

    fn lists(values: Vec<Option<Vec<Option<i32>>>>) -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(values))
    }

    fn said(accumulator: &mut dyn Accumulator) -> String {
        accumulator.evaluate().expect("a value").to_string()
    }

    #[test]
    fn the_extreme_of_all_batches_stays() {
        let first = lists(vec![None, Some(vec![Some(2), Some(1)])]);
        let second = lists(vec![
            Some(vec![Some(2)]),
            Some(vec![Some(2), None]),
            Some(vec![Some(1), Some(9)]),
        ]);
        for (side, expect) in [(Side::Least, "[1, 9]"), (Side::Greatest, "[2, ]")] {
            let mut extreme = NestedExtreme::new(side, first.data_type().clone());
            assert!(extreme.evaluate().expect("NULL").is_null());
            for batch in [&first, &second] {
                extreme
                    .update_batch(&[Arc::clone(batch)])
                    .expect("lists can be compared");
            }
            assert_eq!(said(&mut extreme), expect);
        }
    }

    #[test]
    fn what_left_the_frame_is_no_extreme() {
        let values = lists(vec![
            Some(vec![Some(3)]),
            Some(vec![Some(1)]),
            None,
            Some(vec![Some(2)]),
        ]);
        let mut extreme = MovingExtreme::new(Side::Greatest, values.data_type().clone());
        // A frame of two rows.
        let mut seen = Vec::new();
        for at in 0..values.len() {
            extreme
                .update_batch(&[values.slice(at, 1)])
                .expect("lists can be compared");
            if at >= 2 {
                extreme
                    .retract_batch(&[values.slice(at - 2, 1)])
                    .expect("it was there");
            }
            seen.push(said(&mut extreme));
        }
        assert_eq!(seen, ["[3]", "[3]", "[1]", "[2]"]);
    }
}
