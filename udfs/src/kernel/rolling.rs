//! A feature function that follows the rows of a partition: the same code for DataFusion's sliding
//! accumulators and for an operator that takes whole batches.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::ops::Range;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue, not_impl_err};

use crate::number::Numbers;

/// What a feature function does with the rows of its frame.
pub trait Formula: Debug + Send + Sync + 'static {
    /// What one row contributes.
    type Item: Debug + Copy + Send + Sync;
    /// What is computed, before it becomes a column.
    type Output: Send;

    /// How many of the arguments are columns of numbers; those behind them say how to compute.
    fn columns(&self) -> usize {
        1
    }

    /// Whether the current row has a part of its own, besides being in the frame.
    fn needs_current(&self) -> bool {
        false
    }

    /// Reads a row; `None` if it does not count. `position` is its place in the partition.
    fn read(&self, columns: &[Numbers], row: usize, position: u64) -> Option<Self::Item>;

    /// Adds a row to the frame.
    fn push(&mut self, position: u64, item: Self::Item);

    /// Forgets all rows of the frame before `first`.
    fn expire(&mut self, first: u64);

    /// Computes the function for the frame as it is; `current` is the current row, if it counts.
    fn value(&self, current: Option<Self::Item>) -> Option<Self::Output>;

    /// Makes a column of what was computed.
    fn collect(&self, values: Vec<Option<Self::Output>>) -> Result<ArrayRef>;

    /// Forgets everything, for the next partition.
    fn clear(&mut self);

    /// How many bytes are held.
    fn size(&self) -> usize;

    /// The summary of all rows, to be merged elsewhere.
    fn state(&self) -> Result<Vec<ScalarValue>> {
        not_impl_err!("a function of the order of rows has no state that could be merged")
    }

    /// Adds summaries from elsewhere.
    fn merge(&mut self, _states: &[ArrayRef]) -> Result<()> {
        not_impl_err!("a function of the order of rows has no state that could be merged")
    }
}

/// A feature function over the rows of one partition as they come.
pub trait Rolling: Debug + Send + Sync {
    /// Adds rows to the end of the frame.
    fn enter(&mut self, columns: &[ArrayRef]) -> Result<()>;

    /// Takes rows from the beginning of the frame.
    fn leave(&mut self, rows: usize);

    /// Computes the function for the current row: the next of those that came last, or the last.
    fn value(&mut self) -> Result<ArrayRef>;

    /// Computes the function for all rows of a batch. The frame reaches from `preceding` rows before
    /// the current row, or from the partition's begin, to the current row. Each range is a partition;
    /// the first goes on with the rows that came before if `continued` says so.
    fn slide(
        &mut self,
        columns: &[ArrayRef],
        partitions: &[Range<usize>],
        continued: bool,
        preceding: Option<u64>,
    ) -> Result<ArrayRef>;

    /// The summary of all rows, to be merged elsewhere.
    fn state(&self) -> Result<Vec<ScalarValue>>;

    /// Adds summaries from elsewhere.
    fn merge(&mut self, states: &[ArrayRef]) -> Result<()>;

    /// How many bytes are held.
    fn size(&self) -> usize;
}

/// Follows the rows for a formula.
#[derive(Debug)]
pub struct RollingFormula<F: Formula> {
    formula: F,
    /// How many rows have come.
    came: u64,
    /// How many rows have left.
    left: u64,
    /// The rows that came last and whose turn is still to come: peers in a RANGE frame come together.
    waiting: VecDeque<Option<F::Item>>,
    current: Option<F::Item>,
}

impl<F: Formula> RollingFormula<F> {
    /// Begins with no rows.
    pub fn new(formula: F) -> Self {
        Self {
            formula,
            came: 0,
            left: 0,
            waiting: VecDeque::new(),
            current: None,
        }
    }

    fn restart(&mut self) {
        self.formula.clear();
        self.came = 0;
        self.left = 0;
    }
}

fn numbers<'a>(formula: &impl Formula, columns: &'a [ArrayRef]) -> Result<Vec<Numbers<'a>>> {
    let columns = columns.iter().take(formula.columns());
    columns.map(Numbers::of).collect()
}

impl<F: Formula> Rolling for RollingFormula<F> {
    fn enter(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let numbers = numbers(&self.formula, columns)?;
        let rows = numbers.first().map_or(0, Numbers::rows);
        let needs_current = self.formula.needs_current();
        self.waiting.clear();
        for row in 0..rows {
            let item = self.formula.read(&numbers, row, self.came);
            if let Some(item) = item {
                self.formula.push(self.came, item);
            }
            if needs_current {
                self.waiting.push_back(item);
            }
            self.came += 1;
        }
        Ok(())
    }

    fn leave(&mut self, rows: usize) {
        self.left += rows as u64;
        self.formula.expire(self.left);
    }

    fn value(&mut self) -> Result<ArrayRef> {
        if let Some(next) = self.waiting.pop_front() {
            self.current = next;
        }
        let value = self.formula.value(self.current);
        self.formula.collect(vec![value])
    }

    fn slide(
        &mut self,
        columns: &[ArrayRef],
        partitions: &[Range<usize>],
        continued: bool,
        preceding: Option<u64>,
    ) -> Result<ArrayRef> {
        let numbers = numbers(&self.formula, columns)?;
        let mut values = Vec::with_capacity(numbers.first().map_or(0, Numbers::rows));
        for (place, partition) in partitions.iter().enumerate() {
            if place > 0 || !continued {
                self.restart();
            }
            for row in partition.clone() {
                let position = self.came;
                let item = self.formula.read(&numbers, row, position);
                if let Some(item) = item {
                    self.formula.push(position, item);
                }
                // Rows leave after the next has come, as with accumulators: the same sums, bit by bit.
                if let Some(preceding) = preceding {
                    self.formula.expire(position.saturating_sub(preceding));
                }
                self.came += 1;
                values.push(self.formula.value(item));
            }
        }
        self.formula.collect(values)
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        self.formula.state()
    }

    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.formula.merge(states)
    }

    fn size(&self) -> usize {
        self.formula.size() + self.waiting.capacity() * size_of::<Option<F::Item>>()
    }
}
