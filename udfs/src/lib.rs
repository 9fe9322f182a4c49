//! Feature functions: plain DataFusion functions that any DataFusion program can use.
//!
//! [`functions`] lists them, [`register`] puts all of them into a session. A program that also adds
//! [`FrameRule`] to its analyzer has frames refused that a function cannot be computed over, and
//! [`FuseFeatures`] in its physical optimizer computes all feature functions of a window in one pass, and
//! [`SortByKeys`] sorts the rows for them faster; on a cluster [`FeatureCodec`] sends both operators to
//! where they run.

#![forbid(unsafe_code)]

mod extract;
mod frame_rule;
mod fused;
pub mod kernel;
mod notes;
mod number;
mod registry;
mod row;
mod sort;
mod subtract;
mod types;
mod validation;
mod window;

pub use frame_rule::{FrameRule, FrameUse, frame_use};
pub use fused::{FeatureCodec, FuseFeatures};
pub use notes::{notes_on_exactness, notes_on_ties};
pub use number::{Numbers, Twofold};
pub use registry::{Function, FunctionKind, functions, register};
pub use sort::{KeySortExec, SortByKeys};
pub use window::{FeatureAggregate, PartitionFunction};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
