//! Pushes projections towards scans, but not below what takes rows out if they may fail, in the stead of
//! DataFusion's `ProjectionPushdown`.
//!
//! It computes `10 / k` before `WHERE k <> 0` if the result has fewer columns than the filter's input
//! (<https://github.com/apache/datafusion/issues/25136>), and parts of a join's condition before the join. It also
//! pushes for ever where a point of yielding stands between two projections.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::projection_pushdown::ProjectionPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::projection::{
    ProjectionExec, remove_unnecessary_projections, try_embed_projection,
};

use crate::risk::may_fail_physical;

type Node = Arc<dyn ExecutionPlan>;

/// Pushes the projections that may move.
#[derive(Debug)]
pub(crate) struct PushSafeProjections {
    push: ProjectionPushdown,
}

impl PushSafeProjections {
    pub(crate) fn new() -> Self {
        Self {
            push: ProjectionPushdown::new(),
        }
    }
}

impl PhysicalOptimizerRule for PushSafeProjections {
    fn optimize(&self, plan: Node, config: &ConfigOptions) -> Result<Node> {
        let plan = without_points(plan)?;
        if !plan.exists(|node| Ok(is_bound(node)))? {
            return self.push.optimize(plan, config);
        }
        plan.transform_down(|node| {
            let Some(projection) = node.downcast_ref::<ProjectionExec>() else {
                return Ok(Transformed::no(node));
            };
            if !is_bound(&node) || !takes_rows_out(projection.input()) {
                return remove_unnecessary_projections(node);
            }
            let embedded = match projection.input().downcast_ref::<FilterExec>() {
                Some(filter) => try_embed_projection(projection, filter)?,
                None => None,
            };
            Ok(embedded.map_or_else(|| Transformed::no(node), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &str {
        "push_safe_projections"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Takes points of yielding out of a plan that is optimized once more, as rows of an INSERT are; later rules put
/// them back.
///
/// A projection above such a point is handed to what is below. If that is a projection, too, it answers with the
/// one above and its point, for which the same holds: there is no end.
fn without_points(plan: Node) -> Result<Node> {
    let without = plan.transform_up(|node| {
        Ok(match node.downcast_ref::<CooperativeExec>() {
            Some(point) => Transformed::yes(Arc::clone(point.children()[0])),
            None => Transformed::no(node),
        })
    });
    without.data()
}

/// Says whether a node computes something that may fail, or is drawn, for its own rows alone.
fn is_bound(node: &Node) -> bool {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        let schema = projection.input().schema();
        return projection
            .expr()
            .iter()
            .any(|column| is_volatile(&column.expr) || may_fail_physical(&column.expr, &schema));
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
        && let Some(filter) = join.filter()
    {
        let condition = filter.expression();
        return is_volatile(condition) || may_fail_physical(condition, filter.schema());
    }
    false
}

fn takes_rows_out(node: &Node) -> bool {
    node.is::<FilterExec>() || node.fetch().is_some()
}
