//! Feature functions over the rows of a frame, and those over the rows before.

mod aggregate;
mod momentum;
mod partition;
mod range;
mod rank;
mod shift;
mod slope;
mod target;
mod volatility;

pub use aggregate::FeatureAggregate;
pub(crate) use aggregate::{AggregateBehaviour, Call, Implementation, State};
pub use partition::PartitionFunction;
pub(crate) use partition::{PartitionBehaviour, Reach};

use crate::registry::Function;

/// The functions of this module.
pub(crate) static WINDOW_FUNCTIONS: &[&Function] = &[
    &shift::DELTA,
    &shift::PCT_CHANGE,
    &momentum::MOMENTUM,
    &volatility::VOLATILITY,
    &slope::TREND_SLOPE,
    &rank::ROLLING_RANK,
    &range::MINMAX_RANGE,
    &target::TARGET_ENCODE_OOF,
    &target::TARGET_ENCODE_ORDERED,
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
