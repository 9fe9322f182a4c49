//! An aggregate in a subquery over nothing but columns of the outer query is one of the outer query.
//!
//! That is the standard's rule: `SELECT (SELECT min(t.k) FROM u) FROM t` has one row. DataFusion computes it in the
//! subquery, for each row of t. Here it is refused; in its right place it says the same to everybody.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// Refuses such aggregates.
#[derive(Debug)]
pub(crate) struct CheckOuterAggregates;

impl AnalyzerRule for CheckOuterAggregates {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Aggregate(aggregate) = node {
                for expression in &aggregate.aggr_expr {
                    expression.apply(|part| {
                        if let Expr::AggregateFunction(function) = part {
                            check(function, part)?;
                        }
                        Ok(TreeNodeRecursion::Continue)
                    })?;
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "check_outer_aggregates"
    }
}

fn check(function: &AggregateFunction, whole: &Expr) -> Result<()> {
    let (mut outer, mut own) = (None, false);
    // FILTER and ORDER BY count as its arguments do.
    let params = &function.params;
    let order = params.order_by.iter().map(|sort| &sort.expr);
    let parts = params.args.iter().chain(params.filter.as_deref());
    for argument in parts.chain(order) {
        argument.apply(|part| {
            match part {
                Expr::OuterReferenceColumn(_, column) => outer = Some(column.flat_name()),
                Expr::Column(_)
                | Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_) => own = true,
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    match outer {
        Some(column) if !own => plan_err!(
            "`{}` in a subquery aggregates `{column}`, a column of the outer query, and so belongs to that; \
             write it there, or `{column}` alone",
            whole.schema_name()
        ),
        _ => Ok(()),
    }
}
