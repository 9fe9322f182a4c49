//! Counts the copies of a row in EXCEPT ALL and INTERSECT ALL.
//!
//! DataFusion plans them as anti and semi joins, which keep every copy of a row or none (apache/datafusion
//! 12955, 12956). With m copies on the left and n on the right, EXCEPT ALL keeps m - n of them and
//! INTERSECT ALL the smaller number. Here the copies on both sides are numbered, and the join is on the
//! number too.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Column, NullEquality, Result};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Distinct, Expr, ExprFunctionExt, Join, JoinType, LogicalPlan, LogicalPlanBuilder,
};
use datafusion::optimizer::AnalyzerRule;

/// The columns with a copy's number, on the left and on the right.
const COPIES: [&str; 2] = ["__left_copy", "__right_copy"];

/// Finds the joins that stand for EXCEPT ALL and INTERSECT ALL.
#[derive(Debug)]
pub(crate) struct CountCopies;

impl AnalyzerRule for CountCopies {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Join(join) if keeps_copies(&join) => {
                Ok(Transformed::yes(count_copies(&join)?))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "count_copies"
    }
}

/// Whether a join is one that the planner makes of EXCEPT ALL or INTERSECT ALL.
///
/// No other join takes NULL for equal before the first optimization. Without ALL the left side is made
/// distinct first; where it was distinct already, there is one copy at most, and the plain join is right.
fn keeps_copies(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftAnti | JoinType::LeftSemi)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
        && join.on.len() == join.left.schema().fields().len()
        && join.on.len() == join.right.schema().fields().len()
        && !matches!(join.left.as_ref(), LogicalPlan::Distinct(Distinct::All(_)))
        && join
            .left
            .schema()
            .index_of_column_by_name(None, COPIES[0])
            .is_none()
}

fn count_copies(join: &Join) -> Result<LogicalPlan> {
    let (mut left_on, mut right_on): (Vec<_>, Vec<_>) = join.on.iter().cloned().unzip();
    let left = numbered(&join.left, &left_on, COPIES[0])?;
    let right = numbered(&join.right, &right_on, COPIES[1])?;
    left_on.push(Expr::Column(Column::new_unqualified(COPIES[0])));
    right_on.push(Expr::Column(Column::new_unqualified(COPIES[1])));
    let columns = join.left.schema().columns();
    let joined = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        left_on.into_iter().zip(right_on).collect(),
        None,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        false,
    )?;
    LogicalPlanBuilder::from(LogicalPlan::Join(joined))
        .project(columns.into_iter().map(Expr::Column))?
        .build()
}

/// Numbers the copies of each row, from one.
fn numbered(plan: &LogicalPlan, row: &[Expr], name: &str) -> Result<LogicalPlan> {
    let number = row_number().partition_by(row.to_vec()).build()?;
    let place = Expr::Column(Column::new_unqualified(number.schema_name().to_string()));
    let columns = plan.schema().columns().into_iter().map(Expr::Column);
    let kept: Vec<_> = columns.chain([place.alias(name)]).collect();
    LogicalPlanBuilder::from(plan.clone())
        .window(vec![number])?
        .project(kept)?
        .build()
}
