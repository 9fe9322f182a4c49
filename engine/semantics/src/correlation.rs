//! Refuses subqueries whose connection to the outer query would be lost.
//!
//! DataFusion makes a join of a correlated subquery and gives all its columns the subquery's own
//! qualifier. Two columns of one name that both have to do with the outer query then become one, and the
//! rows are wrong in silence: `EXISTS (SELECT 1 FROM o JOIN r … WHERE o.id = c.id AND r.id = c.region)`.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// Looks at every correlated subquery.
#[derive(Debug)]
pub(crate) struct CheckCorrelation;

impl AnalyzerRule for CheckCorrelation {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expression| expression.apply(check))
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "check_correlation"
    }
}

fn check(expression: &Expr) -> Result<TreeNodeRecursion> {
    let (subquery, compared) = match expression {
        Expr::Exists(exists) => (&exists.subquery, false),
        Expr::ScalarSubquery(subquery) => (subquery, false),
        Expr::InSubquery(inside) => (&inside.subquery, true),
        Expr::SetComparison(set) => (&set.subquery, true),
        _ => return Ok(TreeNodeRecursion::Continue),
    };
    if subquery.outer_ref_columns.is_empty() {
        return Ok(TreeNodeRecursion::Continue);
    }
    let mut columns = correlated(&subquery.subquery)?;
    if compared {
        columns.extend(first_column(&subquery.subquery));
    }
    for (place, column) in columns.iter().enumerate() {
        let same = |other: &&Column| {
            other.name == column.name
                && other.relation.is_some()
                && other.relation != column.relation
        };
        if let Some(other) = columns[..place].iter().find(same)
            && column.relation.is_some()
        {
            return plan_err!(
                "`{other}` and `{column}` of a subquery have one name, and both are compared with the outer query, \
                 which DataFusion cannot tell apart; rename one: \
                 `(SELECT {0} AS other_{0}, … FROM …)`",
                column.name
            );
        }
    }
    Ok(TreeNodeRecursion::Continue)
}

/// Lists the subquery's own columns in conditions that name the outer query.
fn correlated(subquery: &LogicalPlan) -> Result<Vec<Column>> {
    let mut found = Vec::new();
    subquery.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            let parts = split_conjunction(&filter.predicate);
            let outer = parts.into_iter().filter(|part| part.contains_outer());
            found.extend(outer.flat_map(|part| part.column_refs().into_iter().cloned()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// Returns the column that a subquery gives, where it is one of a table's.
fn first_column(subquery: &LogicalPlan) -> Option<Column> {
    match subquery {
        LogicalPlan::Projection(projection) => match projection.expr.first()? {
            Expr::Column(column) => Some(column.clone()),
            _ => None,
        },
        LogicalPlan::Distinct(distinct) => first_column(distinct.input()),
        _ => None,
    }
}
