//! Keeps a plan as it was if a rule of DataFusion's has changed what it means.
//!
//! Two rules bring fields of structs towards scans. A projection on their way that computes something
//! under the name of a column of its input is lost: `SELECT a, s['b'] FROM (SELECT -a AS a, s FROM t)`
//! gives `a` (<https://github.com/apache/datafusion/issues/25414>). Others fail, since a name stands
//! twice then. The rules only make queries faster, so that they may as well do nothing.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, ExpressionPlacement, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::meaning::Meaning;

/// A rule of DataFusion's whose results are looked at.
#[derive(Debug)]
pub(crate) struct Verified {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl Verified {
    pub(crate) fn new(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }
}

impl OptimizerRule for Verified {
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
        if !has_leaves(&plan)? {
            return Ok(Transformed::no(plan));
        }
        let Ok(found) = self.rule.rewrite(plan.clone(), config) else {
            return Ok(Transformed::no(plan));
        };
        if !found.transformed {
            return Ok(found);
        }
        let Some(order) = Meaning::of(&plan)?.places_in(&Meaning::of(&found.data)?) else {
            return Ok(Transformed::no(plan));
        };
        if order
            .iter()
            .copied()
            .eq(0..found.data.schema().fields().len())
        {
            return Ok(found);
        }
        let schema = found.data.schema();
        let columns = order
            .into_iter()
            .map(|place| Expr::from(schema.qualified_field(place)));
        let restored = Projection::try_new(columns.collect(), Arc::new(found.data.clone()))?;
        Ok(Transformed::yes(LogicalPlan::Projection(restored)))
    }
}

/// Says whether the rules have anything to do, and may.
///
/// They would draw a struct with `random()` in it anew for each of its fields
/// (<https://github.com/apache/datafusion/issues/24678>).
fn has_leaves(plan: &LogicalPlan) -> Result<bool> {
    let is_leaf = |part: &Expr| Ok(part.placement() == ExpressionPlacement::MoveTowardsLeafNodes);
    let (mut found, mut drawn) = (false, false);
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            found |= expression.exists(is_leaf)?;
            drawn |= expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found && !drawn)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
    use datafusion::functions::core::expr_fn::get_field;
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit, table_scan};
    use datafusion::optimizer::extract_leaf_expressions::PushDownLeafProjections;
    use datafusion::optimizer::{Optimizer, OptimizerContext};

    /// `SELECT a, s['b'] FROM (SELECT -a AS a, s FROM t WHERE a > 0)`
    fn plan() -> LogicalPlan {
        let inner = Fields::from(vec![Field::new("b", DataType::Int64, true)]);
        let fields = vec![
            Field::new("a", DataType::Int64, true),
            Field::new("s", DataType::Struct(inner), true),
        ];
        let scan = table_scan(Some("t"), &Schema::new(fields), None).unwrap();
        let renamed = scan.filter(col("t.a").gt(lit(0_i64))).and_then(|plan| {
            plan.project([Expr::Negative(Box::new(col("t.a"))).alias("a"), col("t.s")])
        });
        let outer = renamed
            .unwrap()
            .project([col("a"), get_field(col("s"), "b")]);
        LogicalPlanBuilder::build(outer.unwrap()).unwrap()
    }

    fn same(rule: Arc<dyn OptimizerRule + Send + Sync>) -> bool {
        let context = OptimizerContext::new().with_max_passes(1);
        let optimizer = Optimizer::with_rules(vec![rule]);
        let found = optimizer.optimize(plan(), &context, |_, _| {});
        let before = Meaning::of(&plan()).unwrap();
        found.is_ok_and(|found| before.places_in(&Meaning::of(&found).unwrap()).is_some())
    }

    #[test]
    fn a_computed_column_is_not_lost() {
        assert!(same(Arc::new(Verified::new(Arc::new(
            PushDownLeafProjections::new()
        )))));
    }

    /// When this fails DataFusion has mended it, and `Verified` may go.
    #[test]
    fn datafusion_loses_it() {
        assert!(!same(Arc::new(PushDownLeafProjections::new())));
    }
}
