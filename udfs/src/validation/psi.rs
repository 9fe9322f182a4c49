//! `psi`: how far two distributions over the same bins are apart.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use crate::frame_rule::FrameUse;
use crate::number::Twofold;
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, double};
use crate::window::{AggregateBehaviour, Implementation};

/// The least share that a bin counts with: an empty bin would make the index infinite.
const FLOOR: f64 = 1e-4;

pub(super) static PSI: Function = Function {
    name: "psi",
    usage: "psi(expected_share, actual_share)",
    summary: "Returns the population stability index over bins, one a row: the sum of (a - e) * ln(a / e), where shares below 0.0001 count as that.",
    nulls: "Bins of which a share is NULL are left out; a negative share is an error; NULL of no bins.",
    examples: &["SELECT psi(e, a) FROM (VALUES (0.5, 0.4), (0.5, 0.6)) AS bins(e, a);"],
    parameters: &["expected_share", "actual_share"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| {
            check_count("psi", types, 2..=2)?;
            types.iter().map(|one| double("psi", one)).collect()
        },
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::Growing,
        state: |_| {
            vec![
                ("sum", DataType::Float64),
                ("sum_rest", DataType::Float64),
                ("bins", DataType::UInt64),
            ]
        },
        implementation: Implementation::Groups(|_| Ok(Box::new(Psi::default())), None),
    }),
};

#[derive(Debug, Default)]
struct Psi {
    sum: Twofold,
    bins: u64,
}

impl Accumulator for Psi {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [expected, actual] = [0, 1].map(|place| values[place].as_primitive::<Float64Type>());
        for (expected, actual) in expected.iter().zip(actual) {
            let (Some(expected), Some(actual)) = (expected, actual) else {
                continue;
            };
            if !(expected >= 0.0 && actual >= 0.0 && (expected + actual).is_finite()) {
                return exec_err!(
                    "`psi`: the shares {expected} and {actual} are not both 0 or more"
                );
            }
            let (expected, actual) = (expected.max(FLOOR), actual.max(FLOOR));
            self.sum = self
                .sum
                .plus((actual - expected) * (actual / expected).ln());
            self.bins += 1;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let index = (self.bins > 0).then(|| self.sum.value());
        Ok(ScalarValue::Float64(index))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            self.sum.high.into(),
            self.sum.low.into(),
            self.bins.into(),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [high, low] = [0, 1].map(|place| states[place].as_primitive::<Float64Type>());
        let bins = states[2].as_primitive::<UInt64Type>();
        for row in 0..bins.len() {
            self.sum = self.sum.plus_twofold(Twofold {
                high: high.value(row),
                low: low.value(row),
            });
            self.bins += bins.value(row);
        }
        Ok(())
    }
}
