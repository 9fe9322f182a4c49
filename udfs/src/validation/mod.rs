//! Aggregate functions that say whether a column is fit to be a feature.

mod missing;
mod psi;
mod quantile;
mod shapes;
mod variance;
mod weights;

use crate::registry::Function;

/// The functions of this module.
pub(crate) static VALIDATION_FUNCTIONS: &[&Function] = &[
    &missing::MISSING_RATE,
    &variance::ZERO_VARIANCE,
    &shapes::SKEWNESS,
    &shapes::SKEWNESS_POP,
    &shapes::KURTOSIS,
    &shapes::KURTOSIS_POP,
    &shapes::WEIGHTED_MEAN,
    &shapes::WEIGHTED_STD,
    &quantile::WEIGHTED_QUANTILE,
    &psi::PSI,
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
