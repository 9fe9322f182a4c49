//! One operator for all feature functions of a window: a single pass over sorted input.
//!
//! DataFusion calls an accumulator row by row and makes a scalar of each result. The kernels can take
//! whole batches, and for frames that end at the current row they need no row that has gone by: this
//! operator gives each batch back as soon as it has come. [`FuseFeatures`] puts it in where it can stand.

mod calls;
mod codec;
mod operator;
mod rule;
mod stream;

pub use codec::FeatureCodec;
pub use rule::FuseFeatures;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
