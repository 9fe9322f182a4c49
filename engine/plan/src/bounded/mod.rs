//! Functions whose results are far larger than what they are given: bounded by the memory limit.
//!
//! DataFusion calls a function once for a batch, or once while it plans where all arguments are
//! constants, and charges nobody: `range(0, 10000000000)` asked the system for 75 GB. What such a call
//! would give is estimated before it is made, and refused beyond a part of the limit.

mod function;
mod growth;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::registry::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;
use lakesh_memory::runtime::Memory;

use function::Bounded;
use growth::GROWTHS;

/// Puts bounds around the functions that are registered.
pub fn register(registry: &mut dyn FunctionRegistry, memory: &Memory) -> Result<()> {
    for (name, growth) in GROWTHS {
        let function = registry.udf(name)?;
        let bounded = Bounded::new(Arc::clone(function.inner()), *growth, memory.clone());
        registry.register_udf(Arc::new(ScalarUDF::new_from_impl(bounded)))?;
    }
    Ok(())
}
