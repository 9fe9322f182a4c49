//! `missing_rate`: the share of rows without a value.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::shapes::passes;
use super::weights::Weights;
use crate::frame_rule::FrameUse;
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, double};
use crate::window::{AggregateBehaviour, Call, Implementation};

pub(super) static MISSING_RATE: Function = Function {
    name: "missing_rate",
    usage: "missing_rate(x [, weight])",
    summary: "Returns the share of rows whose x is NULL or NaN; a weight says how often a row counts.",
    nulls: "Rows whose weight is NULL are left out; a negative weight is an error; NULL of no rows.",
    examples: &[
        "SELECT missing_rate(x) FROM (VALUES (1.0), (NULL), ('NaN'::double), (2.0)) AS t(x);",
    ],
    parameters: &["x", "weight"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| value_and_weight("missing_rate", types),
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::Growing,
        state: |_| vec![("missing", DataType::Float64), ("rows", DataType::Float64)],
        implementation: Implementation::Groups(
            |call| {
                Ok(Box::new(MissingAccumulator {
                    name: call.name,
                    share: Share::default(),
                }))
            },
            Some(groups),
        ),
    }),
};

/// Checks the arguments of a function that takes any value and perhaps a weight.
pub(super) fn value_and_weight(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=2)?;
    let mut coerced = vec![types[0].clone()];
    if let Some(weight) = types.get(1) {
        coerced.push(double(name, weight)?);
    }
    Ok(coerced)
}

fn groups(call: &Call) -> Result<Box<dyn GroupsAccumulator>> {
    Ok(Box::new(MissingGroups {
        name: call.name,
        shares: Vec::new(),
    }))
}

/// The weights of the rows without a value, and of all.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    missing: f64,
    rows: f64,
}

impl Share {
    fn add(&mut self, missing: bool, weight: f64) {
        self.rows += weight;
        if missing {
            self.missing += weight;
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.missing += other.missing;
    }

    fn rate(&self) -> Option<f64> {
        (self.rows > 0.0).then(|| self.missing / self.rows)
    }
}

/// Calls a function with each row that counts: its number, whether it has no value, its weight.
fn each(
    name: &'static str,
    columns: &[ArrayRef],
    mut take: impl FnMut(usize, bool, f64),
) -> Result<()> {
    let column = &columns[0];
    let nulls = column.logical_nulls();
    let is_nan = nan_test(column);
    let weights = Weights::of(name, columns.get(1));
    for row in 0..column.len() {
        if let Some(weight) = weights.get(row)? {
            let missing = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) || is_nan(row);
            take(row, missing, weight);
        }
    }
    Ok(())
}

/// Returns what says whether a row holds NaN.
fn nan_test(column: &ArrayRef) -> Box<dyn Fn(usize) -> bool + '_> {
    match column.data_type() {
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>().values();
            Box::new(|row| values[row].is_nan())
        }
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>().values();
            Box::new(|row| values[row].is_nan())
        }
        DataType::Float16 => {
            let values = column.as_primitive::<Float16Type>().values();
            Box::new(|row| values[row].is_nan())
        }
        _ => Box::new(|_| false),
    }
}

fn columns_of(shares: &[Share]) -> Vec<ArrayRef> {
    let missing: Float64Array = shares.iter().map(|share| Some(share.missing)).collect();
    let rows: Float64Array = shares.iter().map(|share| Some(share.rows)).collect();
    vec![Arc::new(missing), Arc::new(rows)]
}

fn shares_of(columns: &[ArrayRef]) -> impl Iterator<Item = Share> + '_ {
    let [missing, rows] = [0, 1].map(|place| columns[place].as_primitive::<Float64Type>());
    (0..rows.len()).map(|row| Share {
        missing: missing.value(row),
        rows: rows.value(row),
    })
}

#[derive(Debug)]
struct MissingAccumulator {
    name: &'static str,
    share: Share,
}

impl Accumulator for MissingAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let share = &mut self.share;
        each(self.name, values, |_, missing, weight| {
            share.add(missing, weight);
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.share.rate()))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.share.missing.into(), self.share.rows.into()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        shares_of(states).for_each(|share| self.share.merge(share));
        Ok(())
    }
}

struct MissingGroups {
    name: &'static str,
    shares: Vec<Share>,
}

impl GroupsAccumulator for MissingGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.shares.resize(group_count, Share::default());
        let shares = &mut self.shares;
        each(self.name, values, |row, missing, weight| {
            if passes(filter, row) {
                shares[groups[row]].add(missing, weight);
            }
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let shares = emit_to.take_needed(&mut self.shares);
        let rates: Float64Array = shares.iter().map(Share::rate).collect();
        Ok(Arc::new(rates))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(columns_of(&emit_to.take_needed(&mut self.shares)))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        group_count: usize,
    ) -> Result<()> {
        self.shares.resize(group_count, Share::default());
        for (share, group) in shares_of(values).zip(groups) {
            self.shares[*group].merge(share);
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut shares = vec![Share::default(); values[0].len()];
        each(self.name, values, |row, missing, weight| {
            if passes(filter, row) {
                shares[row].add(missing, weight);
            }
        })?;
        Ok(columns_of(&shares))
    }

    fn size(&self) -> usize {
        self.shares.capacity() * size_of::<Share>()
    }
}
