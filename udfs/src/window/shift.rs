//! `delta` and `pct_change`: the current row against one some rows before.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, UInt64Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, not_impl_err, plan_err};

use super::{PartitionBehaviour, Reach};
use crate::kernel::Rolling;
use crate::number::Numbers;
use crate::registry::{Behaviour, Function};
use crate::subtract::{subtract, subtraction};
use crate::types::{check_count, number, number_or_time, whole};

pub(super) static DELTA: Function = Function {
    name: "delta",
    usage: "delta(x [, k]) OVER (… ORDER BY …)",
    summary: "Returns x less what it was k rows before (1 if left out); integers give BIGINT, dates and timestamps an interval. It ignores the frame, as lag does.",
    nulls: "NULL if either is NULL or there is no such row; an overflow is an error.",
    examples: &["SELECT delta(x) OVER (ORDER BY t) FROM (VALUES (1, 2.0), (2, 4.0)) AS s(t, x);"],
    parameters: &["x", "k"],
    behaviour: Behaviour::Partition(PartitionBehaviour {
        coerce: |types| {
            check_count("delta", types, 1..=2)?;
            number_and_steps("delta", number_or_time("delta", &types[0])?, types)
        },
        returns: |types| Ok(subtraction("delta", &types[0], &types[0])?.result),
        compute: |columns, rows| {
            let before = before(&columns[0], steps_of("delta", columns)?, rows)?;
            differences(&columns[0], &before)
        },
        reach: Some(Reach {
            rows: |steps| reach("delta", steps),
            rolling: |steps| Box::new(Shift::new(steps, differences)),
        }),
    }),
};

pub(super) static PCT_CHANGE: Function = Function {
    name: "pct_change",
    usage: "pct_change(x [, k]) OVER (… ORDER BY …)",
    summary: "Returns by what share x has changed since k rows before (1 if left out): (x - p) / p. It ignores the frame, as lag does.",
    nulls: "NULL if either is NULL, there is no such row, or p is 0.",
    examples: &[
        "SELECT pct_change(x) OVER (ORDER BY t) FROM (VALUES (1, 2.0), (2, 3.0)) AS s(t, x);",
    ],
    parameters: &["x", "k"],
    behaviour: Behaviour::Partition(PartitionBehaviour {
        coerce: |types| {
            check_count("pct_change", types, 1..=2)?;
            number_and_steps("pct_change", number("pct_change", &types[0])?, types)
        },
        returns: |_| Ok(DataType::Float64),
        compute: |columns, rows| {
            let before = before(&columns[0], steps_of("pct_change", columns)?, rows)?;
            changes(&columns[0], &before)
        },
        reach: Some(Reach {
            rows: |steps| reach("pct_change", steps),
            rolling: |steps| Box::new(Shift::new(steps, changes)),
        }),
    }),
};

fn number_and_steps(name: &str, first: DataType, types: &[DataType]) -> Result<Vec<DataType>> {
    let mut coerced = vec![first];
    if let Some(steps) = types.get(1) {
        coerced.push(whole(name, "its number of rows", steps)?);
    }
    Ok(coerced)
}

/// Reads how many rows before the other row is.
fn reach(name: &str, steps: &ScalarValue) -> Result<usize> {
    match steps {
        ScalarValue::Int64(Some(steps)) if *steps > 0 => Ok(rows(*steps)),
        other => plan_err!("`{name}` looks a positive number of rows back, not {other}"),
    }
}

/// A distance in rows; no partition has more rows than fit.
fn rows(steps: i64) -> usize {
    usize::try_from(steps).unwrap_or(usize::MAX)
}

fn steps_of(name: &str, columns: &[ArrayRef]) -> Result<usize> {
    let Some(steps) = columns.get(1) else {
        return Ok(1);
    };
    let steps: &Int64Array = steps.as_primitive::<Int64Type>();
    match steps.iter().next() {
        Some(Some(found)) if found > 0 => Ok(rows(found)),
        None => Ok(1),
        _ => exec_err!("`{name}` looks a positive number of rows back"),
    }
}

/// Returns for each row the value some rows before.
fn before(column: &ArrayRef, steps: usize, rows: usize) -> Result<ArrayRef> {
    let indices: UInt64Array = (0..rows)
        .map(|row| row.checked_sub(steps).map(|row| row as u64))
        .collect();
    Ok(take(column, &indices, None)?)
}

/// Computes `x - p`.
fn differences(column: &ArrayRef, before: &ArrayRef) -> Result<ArrayRef> {
    let data_type = column.data_type();
    let result = subtraction("delta", data_type, data_type)?.result;
    subtract("delta", column, before, &result)
}

/// Computes `(x - p) / p` where p is not 0.
fn changes(column: &ArrayRef, before: &ArrayRef) -> Result<ArrayRef> {
    let (values, previous) = (Numbers::of(column)?, Numbers::of(before)?);
    let change = |row: usize| {
        let (value, previous) = (values.get(row)?, previous.get(row)?);
        let base = previous.value();
        let difference = match value.high.is_finite() && previous.high.is_finite() {
            true => value.minus(previous),
            false => value.high - previous.high,
        };
        (base != 0.0).then(|| difference / base)
    };
    let changes: Float64Array = (0..column.len()).map(change).collect();
    Ok(Arc::new(changes))
}

/// Compares each row with one before, batch by batch.
#[derive(Debug)]
struct Shift {
    steps: usize,
    /// Computes the function from the values and those before them.
    compute: fn(&ArrayRef, &ArrayRef) -> Result<ArrayRef>,
    /// The last rows of the partition so far, as many as are needed.
    tail: Option<ArrayRef>,
}

impl Shift {
    fn new(steps: usize, compute: fn(&ArrayRef, &ArrayRef) -> Result<ArrayRef>) -> Self {
        Self {
            steps,
            compute,
            tail: None,
        }
    }

    /// Keeps the rows that the next batch may look back at.
    fn keep(&mut self, values: &ArrayRef, begin: usize) -> Result<()> {
        let begin = begin.max(values.len().saturating_sub(self.steps));
        let slice = values.slice(begin, values.len() - begin);
        // A slice would hold the whole batch in memory.
        let all: UInt64Array = (0..slice.len() as u64).map(Some).collect();
        self.tail = Some(take(&slice, &all, None)?);
        Ok(())
    }
}

impl Rolling for Shift {
    fn enter(&mut self, _columns: &[ArrayRef]) -> Result<()> {
        not_impl_err!("a function of the row some rows before has no frame")
    }

    fn leave(&mut self, _rows: usize) {}

    fn value(&mut self) -> Result<ArrayRef> {
        not_impl_err!("a function of the row some rows before has no frame")
    }

    fn slide(
        &mut self,
        columns: &[ArrayRef],
        partitions: &[Range<usize>],
        continued: bool,
        _preceding: Option<u64>,
    ) -> Result<ArrayRef> {
        let column = &columns[0];
        let (joined, shift) = match &self.tail {
            Some(tail) if continued => (concat(&[tail.as_ref(), column.as_ref()])?, tail.len()),
            _ => (Arc::clone(column), 0),
        };
        let mut indices = Vec::with_capacity(column.len());
        let mut begin = 0;
        for (place, partition) in partitions.iter().enumerate() {
            begin = match place {
                0 => 0,
                _ => partition.start + shift,
            };
            for row in partition.start + shift..partition.end + shift {
                let before = row.checked_sub(self.steps);
                let before = before.filter(|before| *before >= begin);
                indices.push(before.map(|before| before as u64));
            }
        }
        let before = take(&joined, &UInt64Array::from(indices), None)?;
        self.keep(&joined, begin)?;
        (self.compute)(column, &before)
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        not_impl_err!("a function of the row some rows before has no state")
    }

    fn merge(&mut self, _states: &[ArrayRef]) -> Result<()> {
        not_impl_err!("a function of the row some rows before has no state")
    }

    fn size(&self) -> usize {
        self.tail
            .as_ref()
            .map_or(0, |tail| tail.get_array_memory_size())
    }
}
