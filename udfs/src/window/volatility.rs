//! `volatility`: the standard deviation of a frame.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type, UInt8Type};
use datafusion::common::{Result, ScalarValue};

use super::momentum::{has_mode, number_and_mode};
use super::{AggregateBehaviour, Call, Implementation};
use crate::frame_rule::FrameUse;
use crate::kernel::{Formula, Moments, Rolling, RollingFormula, Strays, TwoStack};
use crate::number::{Numbers, Twofold, divisor};
use crate::registry::{Behaviour, Function};

pub(super) static VOLATILITY: Function = Function {
    name: "volatility",
    usage: "volatility(x [, 'cv']) OVER (…)",
    summary: "Returns the standard deviation of the frame (of a sample, n - 1); with 'cv' divided by the mean, with its sign.",
    nulls: "Rows whose x is NULL are left out; NULL of fewer than two values, and with 'cv' if the mean is 0.",
    examples: &[
        "SELECT volatility(x) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM (VALUES (1, 2.0), (2, 4.0), (3, 9.0)) AS s(t, x);",
        "SELECT volatility(x, 'cv') FROM (VALUES (2.0), (4.0)) AS s(x);",
    ],
    parameters: &["x", "mode"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| number_and_mode("volatility", types),
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::Any,
        state: |_| {
            vec![
                ("count", DataType::Float64),
                ("mean", DataType::Float64),
                ("mean_rest", DataType::Float64),
                ("squares", DataType::Float64),
                ("strays", DataType::UInt8),
            ]
        },
        implementation: Implementation::Rolling(make),
    }),
};

fn make(call: &Call, slides: bool) -> Result<Box<dyn Rolling>> {
    Ok(Box::new(RollingFormula::new(Volatility {
        rows: TwoStack::new(slides),
        relative: has_mode(call, "cv")?,
        divisor: divisor(&call.types[0]),
    })))
}

#[derive(Debug)]
struct Volatility {
    rows: TwoStack<Moments>,
    relative: bool,
    divisor: f64,
}

impl Formula for Volatility {
    type Item = Twofold;
    type Output = f64;

    fn read(&self, columns: &[Numbers], row: usize, _position: u64) -> Option<Twofold> {
        columns[0].get(row)
    }

    fn push(&mut self, position: u64, item: Twofold) {
        self.rows.push(position, item);
    }

    fn expire(&mut self, first: u64) {
        self.rows.expire(first);
    }

    fn value(&self, _current: Option<Twofold>) -> Option<f64> {
        let summary = self.rows.summary();
        let deviation = summary.deviation()?;
        if !self.relative {
            return Some(deviation / self.divisor);
        }
        let mean = summary.mean()?;
        (mean != 0.0).then(|| deviation / mean)
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

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let summary = self.rows.summary();
        Ok(vec![
            summary.count.into(),
            summary.mean.high.into(),
            summary.mean.low.into(),
            summary.squares.into(),
            summary.strays.bits().into(),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [count, high, low, squares] =
            [0, 1, 2, 3].map(|place| states[place].as_primitive::<Float64Type>());
        let strays = states[4].as_primitive::<UInt8Type>();
        for row in 0..strays.len() {
            self.rows.merge(&Moments {
                count: count.value(row),
                mean: Twofold {
                    high: high.value(row),
                    low: low.value(row),
                },
                squares: squares.value(row),
                strays: Strays::from_bits(strays.value(row)),
            });
        }
        Ok(())
    }
}
