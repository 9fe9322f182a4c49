//! Weights of rows: how often a row counts.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, exec_err};

/// The weights of a batch of rows; without any each row counts once.
pub(super) struct Weights<'a> {
    name: &'static str,
    column: Option<&'a Float64Array>,
}

impl<'a> Weights<'a> {
    pub(super) fn of(name: &'static str, column: Option<&'a ArrayRef>) -> Self {
        Self {
            name,
            column: column.map(|column| column.as_primitive::<Float64Type>()),
        }
    }

    /// Returns a row's weight; `None` if it does not count, which a weight of 0 says as well as NULL.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Result<Option<f64>> {
        let Some(column) = self.column else {
            return Ok(Some(1.0));
        };
        if column.is_null(row) {
            return Ok(None);
        }
        match column.value(row) {
            0.0 => Ok(None),
            weight if weight > 0.0 && weight.is_finite() => Ok(Some(weight)),
            weight => exec_err!(
                "`{}`: a weight is {weight}; weights are 0 or more, or NULL",
                self.name
            ),
        }
    }
}
