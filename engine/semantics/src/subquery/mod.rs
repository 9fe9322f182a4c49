//! Makes joins and aggregates of subqueries that depend on an outer row, or that are asked for a truth.
//!
//! DataFusion's own rules lose NULL (`5 NOT IN (SELECT …)`, IN below OR, CASE and NOT), take an aggregate
//! without rows for no row (`EXISTS (SELECT count(*) …)`), mix up columns of one name, and refuse whatever
//! does not compare with `=` (apache/datafusion 24960, 25340, 25347, 25480). Here they never see such a
//! subquery, nor a LATERAL one (`lateral`): this rule runs before the first optimization and leaves none but
//! scalar ones that depend on nothing, which are evaluated once.
//!
//! The method is that of Neumann and Kemper, "Unnesting Arbitrary Queries" (BTW 2015): a subquery is
//! evaluated for all values of the outer columns at once, in a plan that carries these values as columns
//! of its own (`flatten`), and is joined with the outer rows on them. Where the subquery compares them
//! with columns by `=`, these columns carry the values, and the join is the one that DataFusion would make;
//! else the distinct values of the outer rows are joined in (`domain`).

mod attach;
mod compare;
mod domain;
mod flatten;
mod flatten_groups;
mod flatten_joins;
mod flatten_rows;
mod lateral;
mod names;
mod node;
mod one_row;
mod repeatable;
mod single_row;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use names::Names;

/// Leaves no subquery but scalar ones that depend on nothing.
#[derive(Debug)]
pub(crate) struct JoinSubqueries;

impl AnalyzerRule for JoinSubqueries {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        if !holds_subqueries(&plan)? {
            return Ok(plan);
        }
        node::rewrite(plan, &Names::default())
    }

    fn name(&self) -> &str {
        "join_subqueries"
    }
}

/// Whether there is a subquery anywhere in the expressions of a plan, or a LATERAL one in its FROM.
fn holds_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= matches!(node, LogicalPlan::Subquery(_));
        node.apply_expressions(|expression| {
            found |= has_subquery(expression);
            Ok(if found {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        })
    })?;
    Ok(found)
}

/// Whether there is a subquery in an expression.
fn has_subquery(expression: &Expr) -> bool {
    let is_subquery = |part: &Expr| {
        Ok(matches!(
            part,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
        ))
    };
    expression
        .exists(is_subquery)
        .expect("looking at an expression does not fail")
}
