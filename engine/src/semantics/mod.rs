//! What a query means, where the engine below means something else.
//!
//! Each file takes the place of one unsound function or rule of DataFusion's, and says which and why.

mod correlation;
mod overflow;
mod sum;

use datafusion::error::Result;
use datafusion::execution::registry::FunctionRegistry;

pub(crate) use correlation::CheckCorrelation;
pub(crate) use overflow::{CheckConstants, CheckOverflow};

/// Puts our functions in the place of DataFusion's.
pub(crate) fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(sum::checked_sum())?;
    Ok(())
}
