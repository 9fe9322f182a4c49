//! ORDER BY among the arguments of an aggregate to which the order of its values means nothing.
//!
//! DataFusion 55.2 sorts for most of them and hands the keys over as further arguments: `max(x ORDER BY y)` with
//! GROUP BY fails, `stddev` and `median` panic, and two orders in one query are "conflicting". Such a function gives
//! the same in every order, so that its ORDER BY goes here.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// The functions, besides those of a regression. Functions for which ORDER BY says what they are computed of, such
/// as `percentile_cont`, are not among them.
const BLIND: &[&str] = &[
    "approx_distinct",
    "approx_median",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "kurtosis",
    "max",
    "median",
    "min",
    "missing_rate",
    "psi",
    "skewness",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
    "weighted_mean",
    "weighted_quantile",
    "weighted_std",
    "zero_variance",
];

/// Takes the order away from functions that have no use for it.
#[derive(Debug)]
pub(crate) struct ForgetOrders;

impl AnalyzerRule for ForgetOrders {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            let node = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let unordered = expression.transform_up(|part| Ok(unordered(part)))?;
                Ok(unordered.update_data(|expression| name.restore(expression)))
            })?;
            match node.transformed {
                true => Ok(Transformed::yes(node.data.recompute_schema()?)),
                false => Ok(node),
            }
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "forget_orders"
    }
}

fn unordered(part: Expr) -> Transformed<Expr> {
    match part {
        Expr::AggregateFunction(mut function)
            if !function.params.order_by.is_empty() && is_blind(function.func.name()) =>
        {
            function.params.order_by.clear();
            Transformed::yes(Expr::AggregateFunction(function))
        }
        other => Transformed::no(other),
    }
}

fn is_blind(function: &str) -> bool {
    BLIND.contains(&function) || function.starts_with("regr_")
}
