//! The aggregate function behind `feature_profile`: it keeps the numbers of a column and counts the rest.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type};
use datafusion::common::{DataFusionError, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use super::statistics::{Numbers, Statistics};

/// The fields of what the function returns, all of them numbers.
const FIELDS: [&str; 19] = [
    "rows",
    "count",
    "missing",
    "nan",
    "unique",
    "least",
    "most",
    "mean",
    "std",
    "p01",
    "q25",
    "q50",
    "q75",
    "p99",
    "skewness",
    "kurtosis",
    "zeros",
    "negatives",
    "infinite",
];

/// Makes the function; its arguments are a column and, where rows have weights, their weight. Of a column
/// that is not numeric only the counts mean something.
pub(super) fn profile_function(numeric: bool, weighted: bool) -> AggregateUDF {
    AggregateUDF::from(Profile {
        numeric,
        weighted,
        signature: Signature::any(if weighted { 2 } else { 1 }, Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Profile {
    numeric: bool,
    weighted: bool,
    signature: Signature,
}

fn fields() -> Fields {
    FIELDS
        .iter()
        .map(|name| Field::new(*name, DataType::Float64, true))
        .collect()
}

impl AggregateUDFImpl for Profile {
    fn name(&self) -> &str {
        match (self.numeric, self.weighted) {
            (true, false) => "profile_of_numbers",
            (true, true) => "weighted_profile_of_numbers",
            (false, false) => "profile_of_values",
            (false, true) => "weighted_profile_of_values",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(DataType::Struct(fields()))
    }

    fn state_fields(&self, _arguments: StateFieldsArgs) -> Result<Vec<FieldRef>, DataFusionError> {
        let numbers = || DataType::new_list(DataType::Float64, true);
        Ok(vec![
            Arc::new(Field::new("counts", numbers(), true)),
            Arc::new(Field::new("values", numbers(), true)),
            Arc::new(Field::new("weights", numbers(), true)),
        ])
    }

    fn accumulator(
        &self,
        _arguments: AccumulatorArgs,
    ) -> Result<Box<dyn Accumulator>, DataFusionError> {
        Ok(Box::new(ProfileAccumulator {
            numeric: self.numeric,
            weights: self.weighted.then(Vec::new),
            values: Vec::new(),
            counts: [0.0; 3],
        }))
    }
}

#[derive(Debug)]
struct ProfileAccumulator {
    numeric: bool,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    /// The weight of all rows, of those that are NULL, and of those that are NaN.
    counts: [f64; 3],
}

impl ProfileAccumulator {
    fn row(&mut self, value: Option<f64>, weight: f64) {
        let [rows, nulls, nans] = &mut self.counts;
        *rows += weight;
        match value {
            None => *nulls += weight,
            Some(value) if value.is_nan() => *nans += weight,
            Some(value) if self.numeric => {
                self.values.push(value);
                if let Some(weights) = &mut self.weights {
                    weights.push(weight);
                }
            }
            Some(_) => {}
        }
    }
}

impl Accumulator for ProfileAccumulator {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<(), DataFusionError> {
        let column = &columns[0];
        let numbers = column
            .as_primitive_opt::<Float64Type>()
            .filter(|_| self.numeric);
        let nulls = column.logical_nulls();
        let weights = columns
            .get(1)
            .and_then(|column| column.as_primitive_opt::<Float64Type>());
        for row in 0..column.len() {
            let weight = match weights {
                None => 1.0,
                Some(weights) if weights.is_null(row) => 0.0,
                Some(weights) => weights.value(row),
            };
            if !(weight >= 0.0 && weight.is_finite()) {
                return exec_err!(
                    "`{weight}` is not a weight: weights are finite and not negative"
                );
            }
            if weight > 0.0 {
                let present = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                let value = numbers.map_or(0.0, |numbers| numbers.value(row));
                self.row(present.then_some(value), weight);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue, DataFusionError> {
        let [rows, nulls, nans] = self.counts;
        let numbers = Numbers::new(&self.values, self.weights.as_deref());
        let found: Statistics = numbers.statistics();
        let [p01, q25, q50, q75, p99] = found.quantiles;
        let numbers = [
            Some(rows),
            Some(rows - nulls - nans),
            Some(nulls + nans),
            Some(nans),
            Some(found.unique),
            found.least,
            found.most,
            found.mean,
            found.deviation,
            p01,
            q25,
            q50,
            q75,
            p99,
            found.skewness,
            found.kurtosis,
            Some(found.zeros),
            Some(found.negatives),
            Some(found.infinite),
        ];
        let columns: Vec<ArrayRef> = numbers
            .into_iter()
            .map(|number| Arc::new(Float64Array::from(vec![number])) as ArrayRef)
            .collect();
        let values = StructArray::try_new(fields(), columns, None)?;
        Ok(ScalarValue::Struct(Arc::new(values)))
    }

    fn size(&self) -> usize {
        let weights = self.weights.as_ref().map_or(0, Vec::capacity);
        size_of_val(self) + (self.values.capacity() + weights) * 8
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>, DataFusionError> {
        let weights = self.weights.as_mut().map(std::mem::take);
        Ok(vec![
            list(self.counts.to_vec()),
            list(std::mem::take(&mut self.values)),
            list(weights.unwrap_or_default()),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<(), DataFusionError> {
        let [counts, values, weights] = [0, 1, 2].map(|place| states[place].as_list::<i32>());
        for row in 0..counts.len() {
            let part = counts.value(row);
            for (ours, theirs) in self
                .counts
                .iter_mut()
                .zip(part.as_primitive::<Float64Type>().values())
            {
                *ours += theirs;
            }
            let part = values.value(row);
            self.values
                .extend_from_slice(part.as_primitive::<Float64Type>().values());
            if let Some(ours) = &mut self.weights {
                let part = weights.value(row);
                ours.extend_from_slice(part.as_primitive::<Float64Type>().values());
            }
        }
        Ok(())
    }
}

/// A list of numbers as one value.
fn list(numbers: Vec<f64>) -> ScalarValue {
    let offsets = OffsetBuffer::from_lengths([numbers.len()]);
    let field = Arc::new(Field::new_list_field(DataType::Float64, true));
    let values = Arc::new(Float64Array::from(numbers));
    let list = datafusion::arrow::array::ListArray::new(field, offsets, values, None);
    ScalarValue::List(Arc::new(list))
}
