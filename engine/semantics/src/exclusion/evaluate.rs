//! Computes a partition row by row, each over what remains of its frame.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::compute::{SortColumn, filter};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::utils::evaluate_partition_ranges;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::PartitionEvaluator;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use super::Exclusion;
use super::accumulate::Accumulated;
use super::parts::{Parts, parts};

/// Which value of a frame a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    First,
    Last,
    /// The place is the second argument of the row; below zero it counts from the end.
    Nth,
}

/// What is computed.
#[derive(Debug)]
pub(super) enum Over {
    Aggregate(Box<Accumulated>),
    One { place: Place, ignores_nulls: bool },
}

impl Over {
    pub(super) fn aggregate(function: AggregateFunctionExpr, fields: &[FieldRef]) -> Self {
        Self::Aggregate(Box::new(Accumulated::new(function, fields)))
    }

    pub(super) fn one(place: Place, ignores_nulls: bool) -> Self {
        Self::One {
            place,
            ignores_nulls,
        }
    }
}

/// The function over one partition, which is asked for its rows in their order.
#[derive(Debug)]
pub(super) struct Evaluator {
    over: Over,
    exclusion: Exclusion,
    /// How many of the columns are the function's own arguments.
    arguments: usize,
    has_filter: bool,
    partition: Option<Partition>,
    row: usize,
}

impl Evaluator {
    pub(super) fn new(
        over: Over,
        exclusion: Exclusion,
        arguments: usize,
        has_filter: bool,
    ) -> Self {
        Self {
            over,
            exclusion,
            arguments,
            has_filter,
            partition: None,
            row: 0,
        }
    }
}

impl PartitionEvaluator for Evaluator {
    /// `columns` are the arguments, the condition of FILTER, and the keys of the window's order.
    fn evaluate(&mut self, columns: &[ArrayRef], frame: &Range<usize>) -> Result<ScalarValue> {
        let partition = match &mut self.partition {
            Some(partition) => partition,
            None => {
                let partition = Partition::new(columns, self.arguments, self.has_filter)?;
                self.partition.insert(partition)
            }
        };
        let row = self.row;
        self.row += 1;
        let parts = parts(self.exclusion, frame, row, partition.peers_of(row));
        let is_empty = parts.iter().all(Range::is_empty);
        let parts = parts.map(|part| partition.kept(part));
        match &mut self.over {
            Over::Aggregate(accumulated) => {
                accumulated.evaluate(&partition.arguments, parts, is_empty)
            }
            Over::One {
                place,
                ignores_nulls,
            } => {
                let place = match place {
                    Place::First => 1,
                    Place::Last => -1,
                    Place::Nth => nth(columns, row)?.unwrap_or(0),
                };
                one(place, *ignores_nulls, &partition.arguments, &parts)
            }
        }
    }

    /// Peers may lie anywhere behind a row.
    fn supports_bounded_execution(&self) -> bool {
        false
    }

    fn uses_window_frame(&self) -> bool {
        true
    }
}

/// The columns of a partition.
#[derive(Debug)]
struct Partition {
    /// The values that FILTER leaves.
    arguments: Vec<ArrayRef>,
    /// How many rows before each row FILTER leaves; `None` where all are.
    kept: Option<Vec<usize>>,
    /// The rows that the window's order does not tell apart.
    peers: Vec<Range<usize>>,
    /// The place of the last range that was asked for.
    current: usize,
}

impl Partition {
    fn new(columns: &[ArrayRef], arguments: usize, has_filter: bool) -> Result<Self> {
        let (arguments, others) = columns.split_at(arguments);
        let (condition, order) = others.split_at(usize::from(has_filter));
        let Some(rows) = columns.first().map(|column| column.len()) else {
            return exec_err!("a window function without arguments has no rows");
        };
        let order = order.iter().map(|values| SortColumn {
            values: ArrayRef::clone(values),
            options: None,
        });
        let peers = evaluate_partition_ranges(rows, &order.collect::<Vec<_>>())?;
        let (arguments, kept) = match condition.first() {
            None => (arguments.to_vec(), None),
            Some(condition) => {
                let condition = condition.as_boolean();
                let arguments = arguments.iter().map(|values| filter(values, condition));
                let arguments = arguments.collect::<Result<_, _>>()?;
                (arguments, Some(counts(condition)))
            }
        };
        Ok(Self {
            arguments,
            kept,
            peers,
            current: 0,
        })
    }

    /// Returns the peers of a row, which is not before the one that was asked for before.
    fn peers_of(&mut self, row: usize) -> &Range<usize> {
        while self.current + 1 < self.peers.len() && self.peers[self.current].end <= row {
            self.current += 1;
        }
        &self.peers[self.current]
    }

    /// Returns where the rows of a range are among those that FILTER leaves.
    fn kept(&self, rows: Range<usize>) -> Range<usize> {
        match &self.kept {
            Some(kept) => kept[rows.start]..kept[rows.end],
            None => rows,
        }
    }
}

/// Counts for each row, and for the end, the rows before it that a condition is true for.
fn counts(condition: &BooleanArray) -> Vec<usize> {
    let mut count = 0;
    let mut counts = Vec::with_capacity(condition.len() + 1);
    counts.push(0);
    for is_true in condition {
        count += usize::from(is_true == Some(true));
        counts.push(count);
    }
    counts
}

/// Returns the value at a place among those that remain, below zero from the end; NULL where there is none.
fn one(
    place: i64,
    ignores_nulls: bool,
    arguments: &[ArrayRef],
    parts: &Parts,
) -> Result<ScalarValue> {
    let Some(values) = arguments.first() else {
        return exec_err!("a value of a window needs an argument");
    };
    let nulls = values.logical_nulls().filter(|_| ignores_nulls);
    let is_seen = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
    let mut rows = parts.iter().cloned().flatten().filter(is_seen);
    let steps = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
    let found = match place {
        0 => None,
        1.. => rows.nth(steps - 1),
        ..0 => rows.nth_back(steps - 1),
    };
    match found {
        Some(found) => ScalarValue::try_from_array(values, found),
        None => ScalarValue::try_from(values.data_type()),
    }
}

/// Returns the place that `nth_value` is asked for in a row.
fn nth(columns: &[ArrayRef], row: usize) -> Result<Option<i64>> {
    let places = columns
        .get(1)
        .and_then(|places| places.as_any().downcast_ref::<Int64Array>());
    match places {
        Some(places) => Ok(places.is_valid(row).then(|| places.value(row))),
        None => exec_err!("`nth_value` takes a whole number as its second argument"),
    }
}
