//! One average: of all rows, or of those in a window's frame.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{cast, sum_checked};
use datafusion::arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType, Decimal256Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use super::divide::Division;

/// Divides what another accumulator has counted and added.
#[derive(Debug)]
pub(super) struct Average {
    inner: Box<dyn Accumulator>,
    division: Division,
    /// The other accumulator holds the values themselves.
    is_distinct: bool,
}

impl Average {
    /// Returns the accumulator, with a division where there is one to be done.
    pub(super) fn over(
        inner: Box<dyn Accumulator>,
        division: Option<Division>,
        is_distinct: bool,
    ) -> Box<dyn Accumulator> {
        match division {
            Some(division) => Box::new(Self {
                inner,
                division,
                is_distinct,
            }),
            None => inner,
        }
    }
}

impl Accumulator for Average {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&self.division.added(values)?)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&self.division.added(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.inner.state()?;
        match state.as_slice() {
            [values] if self.is_distinct => {
                let (count, sum) = counted_and_added(values)?;
                self.division.average(count, &sum)
            }
            [ScalarValue::UInt64(count), sum] if !self.is_distinct => {
                self.division.average(count.unwrap_or(0), sum)
            }
            _ => exec_err!("`avg` has another state than it should"),
        }
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

/// Counts and adds the values of a list.
fn counted_and_added(values: &ScalarValue) -> Result<(u64, ScalarValue)> {
    let ScalarValue::List(list) = values else {
        return exec_err!("`avg` of distinct values has another state than it should");
    };
    let values = list.value(0);
    let count = (values.len() - values.null_count()) as u64;
    let scale = match values.data_type() {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        other => return exec_err!("`avg` cannot add {other}"),
    };
    let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale);
    let values = cast(&values, &wide)?;
    let sum = sum_checked(values.as_primitive::<Decimal256Type>())?;
    let sum = ScalarValue::Decimal256(sum, DECIMAL256_MAX_PRECISION, scale);
    Ok((count, sum))
}
