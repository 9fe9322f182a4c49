//! `momentum`: how far the current value is from the mean of its frame.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};

use super::{AggregateBehaviour, Call, Implementation};
use crate::frame_rule::FrameUse;
use crate::kernel::{Formula, Moments, Rolling, RollingFormula, TwoStack};
use crate::number::{Numbers, Twofold, divisor};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, number, text};

pub(super) static MOMENTUM: Function = Function {
    name: "momentum",
    usage: "momentum(x [, 'ratio']) OVER (… ROWS BETWEEN n PRECEDING AND CURRENT ROW)",
    summary: "Returns x of the current row less the mean of the frame; with 'ratio' x divided by the mean, less 1.",
    nulls: "NULL if x of the current row is NULL, and with 'ratio' if the mean is 0; other rows whose x is NULL are left out.",
    examples: &[
        "SELECT momentum(x) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM (VALUES (1, 2.0), (2, 4.0), (3, 9.0)) AS s(t, x);",
    ],
    parameters: &["x", "mode"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| number_and_mode("momentum", types),
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::CurrentRow {
            instead: "is about the current row; write it with OVER (… ORDER BY …)",
        },
        state: |_| Vec::new(),
        implementation: Implementation::Rolling(make),
    }),
};

/// Checks the arguments of a function that takes a number and perhaps a word.
pub(super) fn number_and_mode(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=2)?;
    let mut coerced = vec![number(name, &types[0])?];
    if let Some(mode) = types.get(1) {
        coerced.push(text(name, "its mode", mode)?);
    }
    Ok(coerced)
}

/// Says whether a call asks for its one other mode.
pub(super) fn has_mode(call: &Call, mode: &str) -> Result<bool> {
    let Some(value) = call.constant(1, "its mode")? else {
        return Ok(false);
    };
    let word = value.to_string();
    if word.eq_ignore_ascii_case(mode) {
        return Ok(true);
    }
    plan_err!("`{}` has the mode '{mode}' and no '{word}'", call.name)
}

fn make(call: &Call, slides: bool) -> Result<Box<dyn Rolling>> {
    Ok(Box::new(RollingFormula::new(Momentum {
        rows: TwoStack::new(slides),
        ratio: has_mode(call, "ratio")?,
        divisor: divisor(&call.types[0]),
    })))
}

#[derive(Debug)]
struct Momentum {
    rows: TwoStack<Moments>,
    ratio: bool,
    divisor: f64,
}

impl Formula for Momentum {
    type Item = Twofold;
    type Output = f64;

    fn needs_current(&self) -> bool {
        true
    }

    fn read(&self, columns: &[Numbers], row: usize, _position: u64) -> Option<Twofold> {
        columns[0].get(row)
    }

    fn push(&mut self, position: u64, item: Twofold) {
        self.rows.push(position, item);
    }

    fn expire(&mut self, first: u64) {
        self.rows.expire(first);
    }

    fn value(&self, current: Option<Twofold>) -> Option<f64> {
        let current = current?;
        let summary = self.rows.summary();
        let distance = summary.distance(current)?;
        if !self.ratio {
            return Some(distance / self.divisor);
        }
        let mean = summary.mean()?;
        // The same as current / mean - 1, without losing the digits that both have in common.
        let ratio = match mean.is_infinite() {
            true => current.value() / mean - 1.0,
            false => distance / mean,
        };
        (mean != 0.0).then_some(ratio)
    }

    fn collect(&self, values: Vec<Option<f64>>) -> Result<ArrayRef> {
        Ok(Arc::new(Float64Array::from(values)))
    }

    fn clear(&mut self) {
        self.rows.clear();
    }

    fn size(&self) -> usize {
        self.rows.size()
    }
}
