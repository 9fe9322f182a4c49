//! Keeps the keys of joins whose one side belongs to several tables, such as `a.x + c.y = b.z`.
//!
//! DataFusion 55.2 takes inner joins apart where one of them is a cross join, and joins their tables in another
//! order by the keys that fit two of them. A key that spans three fits none, and is lost: more rows come out.
//! Such keys are conditions of the join while the rule runs, which it keeps, and keys again afterwards.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, Operator, binary_expr};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::null_safe::extract;

/// The rule of DataFusion's, over plans without such keys.
#[derive(Debug)]
pub(crate) struct KeepSpanningKeys {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl KeepSpanningKeys {
    pub(crate) fn new(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }
}

impl OptimizerRule for KeepSpanningKeys {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let spans = |node: &LogicalPlan| match node {
            LogicalPlan::Join(join) => Ok(is_plain(join) && join.on.iter().any(is_spanning)),
            _ => Ok(false),
        };
        if !plan.exists(spans)? {
            return self.rule.rewrite(plan, config);
        }
        let without = plan.clone().transform_up(|node| match node {
            LogicalPlan::Join(join) if is_plain(&join) => Ok(without_spanning_keys(join)),
            other => Ok(Transformed::no(other)),
        })?;
        let found = self.rule.rewrite(without.data, config)?;
        if !found.transformed {
            return Ok(Transformed::no(plan));
        }
        let again = found.data.transform_up(|node| match node {
            LogicalPlan::Join(mut join) if is_plain(&join) => {
                let extracted = extract(&mut join, Operator::Eq)?;
                let join = LogicalPlan::Join(join);
                Ok(Transformed::new_transformed(join, extracted))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(Transformed::yes(again.data))
    }
}

/// Says whether the rule takes a join apart.
fn is_plain(join: &Join) -> bool {
    join.join_type == JoinType::Inner
        && join.null_equality == datafusion::common::NullEquality::NullEqualsNothing
}

fn is_spanning((left, right): &(Expr, Expr)) -> bool {
    let spans = |side: &Expr| {
        let columns = side.column_refs();
        let tables: HashSet<_> = columns.iter().map(|column| &column.relation).collect();
        tables.len() > 1
    };
    spans(left) || spans(right)
}

fn without_spanning_keys(mut join: Join) -> Transformed<LogicalPlan> {
    let (spanning, others): (Vec<_>, Vec<_>) = join.on.into_iter().partition(is_spanning);
    join.on = others;
    let is_changed = !spanning.is_empty();
    let keys = spanning
        .into_iter()
        .map(|(left, right)| binary_expr(left, Operator::Eq, right));
    join.filter = conjunction(join.filter.take().into_iter().chain(keys));
    Transformed::new_transformed(LogicalPlan::Join(join), is_changed)
}
