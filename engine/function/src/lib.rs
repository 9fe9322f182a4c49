//! The functions that people know from DuckDB, PostgreSQL and Spark, by the names and orders of arguments there.
//!
//! One registry says what each is called where, how it is used and what it gives; help, completion, the list of
//! functions and the page `docs/compared-sql.md` are made of it. A function that can be said with others is a
//! piece of SQL that is put into the place of its call before anything is planned; what cannot is computed by a
//! kernel over arrays. Where the three disagree, PostgreSQL comes first, then DuckDB, then Spark.

#![forbid(unsafe_code)]

mod aggregate;
mod computed;
mod entry;
mod expand;
mod json;
mod kernel;
mod lambda;
mod page;
mod placed;
mod read_pattern;
mod reduce;
mod registry;
mod shares;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::registry::FunctionRegistry;
use datafusion::logical_expr::HigherOrderUDF;
use datafusion::logical_expr::planner::ExprPlanner;

pub use expand::{Call, expanded};
pub use lambda::lambda;
pub use page::compared;
use reduce::Reduce;

pub use registry::{Function, SECTION_LABEL, absent, find, functions};

/// Registers all functions that are computed by kernels, replacing others of their names.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in functions() {
        if let Some(made) = function.scalar() {
            registry.register_udf(made)?;
        }
        if let Some(made) = function.aggregate() {
            registry.register_udaf(made)?;
        }
    }
    registry
        .register_higher_order_function(Arc::new(HigherOrderUDF::new_from_impl(Reduce::new())))?;
    for function in placed::functions() {
        registry
            .register_higher_order_function(Arc::new(HigherOrderUDF::new_from_impl(function)))?;
    }
    Ok(())
}

/// Returns what plans operators that stand for functions of this crate.
pub fn expr_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![Arc::new(json::ArrowPlanner)]
}

/// Returns what plans places and slices of texts; it stands before what plans those of lists.
pub fn text_planner() -> Arc<dyn ExprPlanner> {
    Arc::new(json::TextPlacePlanner)
}
