//! A sum of floating-point numbers that does not depend on their order.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility, cast,
};
use lakesh_encoder::Sum;

/// Sums numbers; NULL where there are none.
pub(super) fn exact_sum(numbers: Expr) -> Expr {
    let function = AggregateUDF::from(ExactSum {
        signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
    });
    function.call(vec![cast(numbers, DataType::Float64)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactSum {
    signature: Signature,
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &str {
        "exact_sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, _arguments: StateFieldsArgs) -> Result<Vec<FieldRef>, DataFusionError> {
        Ok(["high", "low"]
            .map(|name| Arc::new(Field::new(name, DataType::Float64, true)))
            .to_vec())
    }

    fn accumulator(
        &self,
        _arguments: AccumulatorArgs,
    ) -> Result<Box<dyn Accumulator>, DataFusionError> {
        Ok(Box::new(ExactSumAccumulator { sum: None }))
    }
}

#[derive(Debug)]
struct ExactSumAccumulator {
    sum: Option<Sum>,
}

impl Accumulator for ExactSumAccumulator {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<(), DataFusionError> {
        for number in columns[0].as_primitive::<Float64Type>().iter().flatten() {
            self.sum.get_or_insert_default().add(number);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue, DataFusionError> {
        Ok(ScalarValue::Float64(self.sum.map(Sum::value)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>, DataFusionError> {
        let parts = self.sum.map(Sum::parts);
        Ok(vec![
            ScalarValue::Float64(parts.map(|parts| parts.0)),
            ScalarValue::Float64(parts.map(|parts| parts.1)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<(), DataFusionError> {
        let [high, low] = [0, 1].map(|place| states[place].as_primitive::<Float64Type>());
        for row in 0..high.len() {
            if high.is_valid(row) {
                let part = Sum::from_parts(high.value(row), low.value(row));
                self.sum.get_or_insert_default().add_sum(part);
            }
        }
        Ok(())
    }
}
