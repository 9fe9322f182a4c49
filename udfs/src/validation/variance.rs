//! `zero_variance`: whether a column holds at most one value.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::missing::value_and_weight;
use super::weights::Weights;
use crate::frame_rule::FrameUse;
use crate::number::without_negative_zero;
use crate::registry::{Behaviour, Function};
use crate::window::{AggregateBehaviour, Call, Implementation};

pub(super) static ZERO_VARIANCE: Function = Function {
    name: "zero_variance",
    usage: "zero_variance(x [, weight])",
    summary: "Says whether x has at most one distinct value; a weight says how often a row counts.",
    nulls: "NULL is no value; rows whose weight is NULL or 0 are left out; a negative weight is an error; NULL of no rows.",
    examples: &["SELECT zero_variance(x) FROM (VALUES (1), (NULL), (1)) AS t(x);"],
    parameters: &["x", "weight"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| value_and_weight("zero_variance", types),
        returns: |_| Ok(DataType::Boolean),
        frame: FrameUse::Growing,
        state: |_| {
            vec![
                ("value", DataType::Binary),
                ("varies", DataType::Boolean),
                ("rows", DataType::Boolean),
            ]
        },
        implementation: Implementation::Groups(make, None),
    }),
};

fn make(call: &Call) -> Result<Box<dyn Accumulator>> {
    let data_type = match call.types[0].is_floating() {
        true => DataType::Float64,
        false => call.types[0].clone(),
    };
    Ok(Box::new(Variance {
        name: call.name,
        converter: Arc::new(RowConverter::new(vec![SortField::new(data_type)])?),
        first: None,
        varies: false,
        rows: false,
    }))
}

#[derive(Debug)]
struct Variance {
    name: &'static str,
    /// Turns values of any type into bytes that are equal if the values are.
    converter: Arc<RowConverter>,
    first: Option<Vec<u8>>,
    varies: bool,
    rows: bool,
}

impl Variance {
    fn see(&mut self, value: &[u8]) {
        match &self.first {
            None => self.first = Some(value.to_vec()),
            Some(first) => self.varies |= first != value,
        }
    }
}

impl Accumulator for Variance {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column = without_negative_zero(&values[0])?;
        let nulls = column.logical_nulls();
        let weights = Weights::of(self.name, values.get(1));
        let converter = Arc::clone(&self.converter);
        let rows = converter.convert_columns(&[column])?;
        for row in 0..rows.num_rows() {
            if weights.get(row)?.is_none() {
                continue;
            }
            self.rows = true;
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                self.see(rows.row(row).data());
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Boolean(self.rows.then_some(!self.varies)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.converter.size() + self.first.as_ref().map_or(0, Vec::capacity)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::Binary(self.first.clone()),
            self.varies.into(),
            self.rows.into(),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let values = states[0].as_binary::<i32>();
        let (varies, rows) = (states[1].as_boolean(), states[2].as_boolean());
        for row in 0..values.len() {
            self.varies |= varies.value(row);
            self.rows |= rows.value(row);
            if values.is_valid(row) {
                self.see(values.value(row));
            }
        }
        Ok(())
    }
}
