//! `weighted_quantile`: the inverted distribution function of weighted values.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Accumulator;

use super::weights::Weights;
use crate::frame_rule::FrameUse;
use crate::number::{float_key, key_float};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, double};
use crate::window::{AggregateBehaviour, Call, Implementation};

pub(super) static WEIGHTED_QUANTILE: Function = Function {
    name: "weighted_quantile",
    usage: "weighted_quantile(x, q, weight)",
    summary: "Returns the smallest value up to which the weights make at least the share q of all.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL if the weights sum up to 0; NaN if a value is NaN.",
    examples: &[
        "SELECT weighted_quantile(x, 0.5, w) FROM (VALUES (1, 1), (2, 1), (9, 3)) AS t(x, w);",
    ],
    parameters: &["x", "q", "weight"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| {
            check_count("weighted_quantile", types, 3..=3)?;
            let numbers = types.iter().map(|one| double("weighted_quantile", one));
            numbers.collect()
        },
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::Growing,
        state: |_| {
            let list = || DataType::List(Field::new_list_field(DataType::Float64, true).into());
            vec![("values", list()), ("weights", list())]
        },
        implementation: Implementation::Groups(make, None),
    }),
};

fn make(call: &Call) -> Result<Box<dyn Accumulator>> {
    let share = match call.constant(1, "the quantile")? {
        Some(ScalarValue::Float64(Some(share))) if (0.0..=1.0).contains(share) => *share,
        other => {
            let found = other.map_or("NULL".to_owned(), ToString::to_string);
            return plan_err!("`weighted_quantile` takes a quantile from 0 to 1, not {found}");
        }
    };
    Ok(Box::new(Quantile {
        name: call.name,
        share,
        values: Vec::new(),
        compact: 1024,
    }))
}

#[derive(Debug)]
struct Quantile {
    name: &'static str,
    share: f64,
    /// Values by their order, each with its weight.
    values: Vec<(i64, f64)>,
    /// At how many values equal ones are added up.
    compact: usize,
}

impl Quantile {
    fn add(&mut self, value: f64, weight: f64) {
        self.values.push((float_key(value), weight));
        if self.values.len() >= self.compact {
            self.sort();
            self.compact = self.compact.max(self.values.len() * 2);
        }
    }

    /// Sorts the values and adds the weights of equal ones up.
    fn sort(&mut self) {
        self.values
            .sort_unstable_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
        self.values.dedup_by(|next, kept| {
            let equal = next.0 == kept.0;
            if equal {
                kept.1 += next.1;
            }
            equal
        });
    }
}

impl Accumulator for Quantile {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = columns[0].as_primitive::<Float64Type>();
        let weights = Weights::of(self.name, columns.get(2));
        for row in 0..values.len() {
            if let Some(weight) = weights.get(row)?
                && values.is_valid(row)
            {
                self.add(values.value(row), weight);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.sort();
        let Some((largest, _)) = self.values.last() else {
            return Ok(ScalarValue::Float64(None));
        };
        let largest = key_float(*largest);
        if largest.is_nan() {
            return Ok(ScalarValue::Float64(Some(f64::NAN)));
        }
        let weight: f64 = self.values.iter().map(|(_, weight)| weight).sum();
        let wanted = self.share * weight;
        let mut sum = 0.0;
        let reached = self.values.iter().find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        });
        let value = reached.map_or(largest, |(key, _)| key_float(*key));
        Ok(ScalarValue::Float64(Some(value)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<(i64, f64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.sort();
        let values: Float64Array = self
            .values
            .iter()
            .map(|(key, _)| Some(key_float(*key)))
            .collect();
        let weights: Float64Array = self.values.iter().map(|(_, one)| Some(*one)).collect();
        let list = |column: Float64Array| {
            SingleRowListArrayBuilder::new(Arc::new(column)).build_list_scalar()
        };
        Ok(vec![list(values), list(weights)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, weights) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in 0..values.len() {
            let (values, weights) = (values.value(row), weights.value(row));
            let values = values.as_primitive::<Float64Type>().values();
            let weights = weights.as_primitive::<Float64Type>().values();
            for (value, weight) in values.iter().zip(weights) {
                self.add(*value, *weight);
            }
        }
        Ok(())
    }
}
