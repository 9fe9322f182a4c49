//! Feature functions: plain DataFusion functions that any DataFusion program can use.
//!
//! [`functions`] lists them, [`register`] puts all of them into a session. A program that also adds
//! [`FrameRule`] to its analyzer has frames refused that a function cannot be computed over, and
//! [`FuseFeatures`] in its physical optimizer computes all feature functions of a window in one pass;
//! on a cluster [`FeatureCodec`] sends that operator to where it runs.

mod frame_rule;
mod fused;
pub mod kernel;
mod notes;
mod number;
mod registry;
mod row;
mod subtract;
mod types;
mod validation;
mod window;

pub use frame_rule::{FrameRule, FrameUse, frame_use};
pub use fused::{FeatureCodec, FuseFeatures};
pub use notes::{notes_on_exactness, notes_on_ties};
pub use number::{Numbers, Twofold};
pub use registry::{Function, FunctionKind, functions, register};
pub use window::{FeatureAggregate, PartitionFunction};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
