//! A LATERAL query that DataFusion takes apart wrongly is refused.
//!
//! DataFusion 55.2 makes a join of it and moves the comparison with the outer row above what stands over it:
//! window functions then count the rows of all outer rows, HAVING without GROUP BY keeps outer rows with NULLs
//! in the place of nothing, and grouping sets lose the total of no rows.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// Refuses such queries.
#[derive(Debug)]
pub(crate) struct CheckLaterals;

impl AnalyzerRule for CheckLaterals {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            // A subquery in an expression is no input.
            for input in node.inputs() {
                if let LogicalPlan::Subquery(lateral) = input
                    && !lateral.outer_ref_columns.is_empty()
                {
                    check(&lateral.subquery)?;
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "check_laterals"
    }
}

fn check(query: &LogicalPlan) -> Result<()> {
    query.apply(|node| {
        let what = match node {
            LogicalPlan::Window(_) => "window functions",
            LogicalPlan::Aggregate(aggregate) if has_sets(aggregate) => "grouping sets",
            LogicalPlan::Filter(filter) if is_of_all_rows(&filter.input) => {
                "HAVING without GROUP BY"
            }
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        plan_err!(
            "a LATERAL query that depends on the rows before it cannot have {what}; \
             join the rows first and group them by a key of the outer row"
        )
    })?;
    Ok(())
}

fn has_sets(aggregate: &Aggregate) -> bool {
    let mut keys = aggregate.group_expr.iter();
    keys.any(|key| matches!(key, Expr::GroupingSet(_)))
}

fn is_of_all_rows(input: &LogicalPlan) -> bool {
    match input {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => is_of_all_rows(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_of_all_rows(&alias.input),
        _ => false,
    }
}
