//! The edges of bins: quantiles of the values, or equal widths between the smallest and the largest.

use datafusion::arrow::array::{Array, Float64Array};
use datafusion::common::{DataFusionError, exec_err};

use crate::kind::EncoderKind;
use crate::sum::Sum;

/// What bins are made of.
#[derive(Debug, Clone)]
pub(super) enum BinFit {
    /// Every value, and its weight where there are weights: exact quantiles need all.
    All {
        values: Vec<f64>,
        weights: Option<Vec<f64>>,
    },
    /// The smallest and the largest value.
    Range(Option<(f64, f64)>),
}

impl BinFit {
    pub(super) fn all() -> Self {
        Self::All {
            values: Vec::new(),
            weights: None,
        }
    }

    pub(super) fn range() -> Self {
        Self::Range(None)
    }

    pub(super) fn update(&mut self, column: &Float64Array, weight: Option<&Float64Array>) {
        let present =
            (0..column.len()).filter(|row| column.is_valid(*row) && !column.value(*row).is_nan());
        match self {
            Self::All { values, weights } => {
                if let Some(weight) = weight {
                    let weights = weights.get_or_insert_default();
                    weights.extend(present.clone().map(|row| weight.value(row)));
                }
                values.extend(present.map(|row| column.value(row)));
            }
            Self::Range(range) => {
                for row in present {
                    *range = widened(*range, (column.value(row), column.value(row)));
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (
                Self::All { values, weights },
                Self::All {
                    values: more,
                    weights: more_weights,
                },
            ) => {
                values.extend_from_slice(more);
                if let Some(more) = more_weights {
                    weights.get_or_insert_default().extend_from_slice(more);
                }
            }
            (Self::Range(range), Self::Range(Some(more))) => *range = widened(*range, *more),
            _ => {}
        }
    }

    /// Says whether there was no value yet.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::All { values, .. } => values.is_empty(),
            Self::Range(range) => range.is_none(),
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::All { values, weights } => {
                (values.capacity() + weights.as_ref().map_or(0, Vec::capacity)) * 8
            }
            Self::Range(_) => 0,
        }
    }

    /// Returns all edges, the outer ones included, each once.
    pub(super) fn finish(self, kind: &EncoderKind) -> Result<Vec<f64>, DataFusionError> {
        let bins = match kind {
            EncoderKind::QuantileBins { bins } | EncoderKind::UniformBins { bins } => *bins,
            _ => return exec_err!("`{}` has no bins", kind.function()),
        };
        let mut edges = match self {
            Self::All {
                values,
                weights: None,
            } => quantiles(values, bins),
            Self::All {
                values,
                weights: Some(weights),
            } => weighted_quantiles(values, weights, bins),
            Self::Range(None) => Vec::new(),
            Self::Range(Some((least, most))) => {
                if !(most - least).is_finite() {
                    return exec_err!("bins of equal width need finite values");
                }
                equal_widths(least, most, bins)
            }
        };
        if edges.is_empty() {
            return exec_err!("there are no values to make bins of");
        }
        edges.dedup();
        if edges.len() < 2 {
            return exec_err!(
                "the value is `{}` in every row: there is nothing to bin",
                edges[0]
            );
        }
        Ok(edges)
    }
}

fn widened(range: Option<(f64, f64)>, by: (f64, f64)) -> Option<(f64, f64)> {
    Some(match range {
        None => by,
        Some((least, most)) => (least.min(by.0), most.max(by.1)),
    })
}

/// Quantiles by linear interpolation: type 7 of Hyndman and Fan, numpy's default.
fn quantiles(mut values: Vec<f64>, bins: usize) -> Vec<f64> {
    let Some(last) = values.len().checked_sub(1) else {
        return Vec::new();
    };
    values.sort_unstable_by(f64::total_cmp);
    // Rounded in the same steps as numpy does it: a value that lies on an edge must not change sides.
    let step = 100.0 / bins as f64;
    let quantile = |number: usize| {
        let position = last as f64 * (number as f64 * step / 100.0);
        let lower = (position.floor() as usize).min(last);
        between(
            values[lower],
            values[(lower + 1).min(last)],
            position - lower as f64,
        )
    };
    let edges = (0..bins).map(quantile).chain([values[last]]);
    edges.map(|edge| edge + 0.0).collect()
}

/// The point at a part of the way; next to an infinity there is no way to go.
fn between(lower: f64, upper: f64, part: f64) -> f64 {
    if part == 0.0 || lower == upper || lower == f64::NEG_INFINITY {
        lower
    } else if upper == f64::INFINITY {
        upper
    } else if part >= 0.5 {
        upper - (upper - lower) * (1.0 - part)
    } else {
        lower + (upper - lower) * part
    }
}

/// Quantiles as the inverse of the weighted distribution: the least value that has that share of the
/// weight at or below it.
fn weighted_quantiles(values: Vec<f64>, weights: Vec<f64>, bins: usize) -> Vec<f64> {
    let mut rows: Vec<(f64, f64)> = values.into_iter().zip(weights).collect();
    rows.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Vec::new();
    };
    let mut edges = vec![first.0 + 0.0];
    let mut total = Sum::default();
    rows.iter().for_each(|row| total.add(row.1));
    let total = total.value();
    let mut below = Sum::default();
    let mut number = 1;
    for (value, weight) in &rows {
        below.add(*weight);
        while number < bins && below.value() >= total * number as f64 / bins as f64 {
            edges.push(*value + 0.0);
            number += 1;
        }
    }
    edges.push(last.0 + 0.0);
    edges
}

/// Edges as numpy's `linspace` has them.
fn equal_widths(least: f64, most: f64, bins: usize) -> Vec<f64> {
    let step = (most - least) / bins as f64;
    let mut edges: Vec<f64> = (0..bins)
        .map(|number| number as f64 * step + least + 0.0)
        .collect();
    edges.push(most + 0.0);
    edges
}
