//! What a query means, where the engine below means something else.
//!
//! Each file takes the place of one unsound function or rule of DataFusion's, and says which and why.

#![forbid(unsafe_code)]

mod average;
mod comparable;
mod conversion;
mod correlation;
mod date;
mod function;
mod membership;
mod negation;
mod overflow;
mod physical;
mod quotient;
mod rewrite;
mod shift;
mod simplify;
mod sum;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::registry::FunctionRegistry;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::analyzer::Analyzer;
use datafusion::optimizer::{AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;

/// Rules that rewrite what was planned before anything is optimized, in their order.
pub(crate) type AnalyzerRules = Vec<Arc<dyn AnalyzerRule + Send + Sync>>;
/// Rules that rewrite logical plans, in their order.
pub(crate) type OptimizerRules = Vec<Arc<dyn OptimizerRule + Send + Sync>>;
/// Rules that rewrite physical plans, in their order.
pub(crate) type PhysicalRules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// Puts our functions in the place of DataFusion's.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(sum::checked_sum())?;
    registry.register_udaf(average::rounded_average())?;
    for function in conversion::functions()
        .into_iter()
        .chain(shift::functions())
    {
        registry.register_udf(function)?;
    }
    registry.register_udf(comparable::function())?;
    registry.register_udf(membership::function())?;
    registry.register_udf(quotient::function())?;
    Ok(())
}

/// Says whether a function stands for what SQL writes otherwise, so that nobody else knows its name.
pub fn is_internal(function: &str) -> bool {
    function.starts_with("lakesh_")
}

/// Returns what plans operators where DataFusion gives them another type.
pub fn expr_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![
        Arc::new(quotient::QuotientPlanner),
        Arc::new(date::DatePlanner),
    ]
}

/// Makes the types of an expression fit and computes what does not depend on a row, for whoever plans none.
pub fn simplified(expression: Expr, context: SimplifyContext) -> Result<Expr> {
    simplify::simplified(expression, context)
}

/// Returns DataFusion's analyzer rules with ours beside them.
pub fn analyzer_rules() -> AnalyzerRules {
    let mut rules = Analyzer::new().rules;
    // After the types of operands have been made alike, and before constants are looked at.
    let rewrites: [(&str, rewrite::Rewrite); 4] = [
        ("subtract_from_zero", negation::subtract_from_zero),
        ("check_shifts", shift::check_count),
        ("convert", conversion::convert),
        ("compute_per_row", membership::compute_per_row),
    ];
    for (name, rewrite) in rewrites {
        rules.push(Arc::new(rewrite::RewriteExpressions { name, rewrite }));
    }
    rules.push(Arc::new(comparable::CompareCanonical));
    rules.push(Arc::new(overflow::CheckConstants));
    rules.push(Arc::new(correlation::CheckCorrelation));
    rules
}

/// Returns DataFusion's rules for logical plans, with ours in the place of those that are unsound.
pub fn optimizer_rules() -> OptimizerRules {
    let ours: [Arc<dyn OptimizerRule + Send + Sync>; 1] =
        [Arc::new(simplify::SimplifySoundly::default())];
    let mut rules = Optimizer::new().rules;
    for rule in &mut rules {
        if let Some(ours) = ours.iter().find(|ours| ours.name() == rule.name()) {
            *rule = Arc::clone(ours);
        }
    }
    rules
}

/// Puts ours into a list of rules for physical plans.
pub fn adjust_physical_rules(rules: &mut PhysicalRules) {
    // First, since it must see expressions before they move into scans.
    rules.insert(0, Arc::new(overflow::CheckOverflow));
    rules.insert(
        0,
        Arc::new(comparable::CompareNumbers { before_scans: true }),
    );
    rules.push(Arc::new(comparable::CompareNumbers {
        before_scans: false,
    }));
}
