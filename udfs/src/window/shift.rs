//! `delta` and `pct_change`: the current row against one some rows before.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::PartitionBehaviour;
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
            let data_type = columns[0].data_type();
            let result = subtraction("delta", data_type, data_type)?.result;
            subtract("delta", &columns[0], &before, &result)
        },
        reach: Some(|steps| reach("delta", steps)),
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
        reach: Some(|steps| reach("pct_change", steps)),
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
