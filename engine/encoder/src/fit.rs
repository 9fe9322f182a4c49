//! What one output of an encoder learns while rows pass by.
//!
//! States of several partitions or folds merge into one. Sums are kept exactly enough that their order
//! does not show.

mod bins;
mod groups;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, exec_err};

use self::bins::BinFit;
use self::groups::GroupFit;
use super::category::{CategoryType, exact_cast};
use super::fitted::Fitted;
use super::kind::EncoderKind;

/// The columns of a batch that belong to one output.
#[derive(Debug, Clone)]
pub(super) struct FitColumns {
    /// The categories, or the numbers to bin.
    pub(super) value: ArrayRef,
    pub(super) target: Option<ArrayRef>,
    pub(super) weight: Option<ArrayRef>,
}

/// What was learned so far.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    kind: EncoderKind,
    category: Option<CategoryType>,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Groups(GroupFit),
    Bins(BinFit),
}

impl Fit {
    /// Begins with no rows. `category` is the type of the column's values where those are categories.
    pub(super) fn new(kind: &EncoderKind, category: Option<CategoryType>) -> Self {
        let state = match kind {
            EncoderKind::QuantileBins { .. } => State::Bins(BinFit::all()),
            EncoderKind::UniformBins { .. } => State::Bins(BinFit::range()),
            _ => State::Groups(GroupFit::new(category.is_none_or(CategoryType::is_text))),
        };
        Self {
            kind: kind.clone(),
            category,
            state,
        }
    }

    /// Learns from rows. Rows without weight or, where there is one, without target do not count.
    pub(super) fn update(&mut self, columns: &FitColumns) -> Result<(), DataFusionError> {
        let weight = weights(columns.weight.as_ref())?;
        let target = columns
            .target
            .as_ref()
            .map(|target| exact_cast(target, &DataType::Float64))
            .transpose()?;
        let counts = counting_rows(columns.value.len(), weight.as_ref(), target.as_ref());
        let keep = |column: &ArrayRef| match &counts {
            Some(counts) => filter(column, counts),
            None => Ok(column.clone()),
        };
        let value = keep(&columns.value)?;
        let weight = weight.as_ref().map(keep).transpose()?;
        let target = target.as_ref().map(keep).transpose()?;
        let numbers = |column: &'_ ArrayRef| column.as_primitive::<Float64Type>().clone();
        let (weight, target) = (weight.as_ref().map(numbers), target.as_ref().map(numbers));
        match &mut self.state {
            State::Groups(groups) => {
                let keys = match self.category {
                    Some(category) => category.keys(&value)?,
                    None => exact_cast(&value, &DataType::Utf8)?,
                };
                groups.update(&keys, target.as_ref(), weight.as_ref())
            }
            State::Bins(bins) => {
                let values = exact_cast(&value, &DataType::Float64)?;
                bins.update(values.as_primitive::<Float64Type>(), weight.as_ref());
                Ok(())
            }
        }
    }

    /// Takes over what another state of the same output learned.
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), DataFusionError> {
        match (&mut self.state, &other.state) {
            (State::Groups(groups), State::Groups(others)) => groups.merge(others),
            (State::Bins(bins), State::Bins(others)) => {
                bins.merge(others);
                Ok(())
            }
            _ => exec_err!("two kinds of encoders cannot be merged"),
        }
    }

    /// Returns the bytes that it takes.
    pub(super) fn size(&self) -> usize {
        match &self.state {
            State::Groups(groups) => groups.size(),
            State::Bins(bins) => bins.size(),
        }
    }

    /// Ends learning; where there was nothing to learn from, every value is NULL.
    pub(super) fn finish_or_nothing(self) -> Result<Fitted, DataFusionError> {
        match &self.state {
            State::Bins(bins) if bins.is_empty() => Ok(Fitted::bins(Vec::new())),
            _ => self.finish(),
        }
    }

    /// Ends learning.
    pub(super) fn finish(self) -> Result<Fitted, DataFusionError> {
        match self.state {
            State::Groups(groups) => groups.finish(&self.kind, self.category),
            State::Bins(bins) => Ok(Fitted::bins(bins.finish(&self.kind)?)),
        }
    }
}

/// Reads weights; a negative one or NaN is misuse.
fn weights(column: Option<&ArrayRef>) -> Result<Option<ArrayRef>, DataFusionError> {
    let Some(column) = column else {
        return Ok(None);
    };
    let weight = exact_cast(column, &DataType::Float64)?;
    let wrong = weight
        .as_primitive::<Float64Type>()
        .iter()
        .flatten()
        .find(|weight| !(*weight >= 0.0 && weight.is_finite()));
    match wrong {
        None => Ok(Some(weight)),
        Some(weight) => {
            exec_err!("`{weight}` is not a weight: weights are finite and not negative")
        }
    }
}

/// Says which rows count; `None` when all do.
fn counting_rows(
    rows: usize,
    weight: Option<&ArrayRef>,
    target: Option<&ArrayRef>,
) -> Option<BooleanArray> {
    let weighs = |row: usize| {
        weight.is_none_or(|weight| {
            weight.is_valid(row) && weight.as_primitive::<Float64Type>().value(row) > 0.0
        })
    };
    let has_target = |row: usize| {
        target.is_none_or(|target| {
            target.is_valid(row) && !target.as_primitive::<Float64Type>().value(row).is_nan()
        })
    };
    let counts: BooleanArray = (0..rows)
        .map(|row| Some(weighs(row) && has_target(row)))
        .collect();
    (counts.true_count() < rows).then_some(counts)
}

#[cfg(test)]
mod tests;
