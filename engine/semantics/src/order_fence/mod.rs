//! What a plan's nodes claim about the order of their rows is believed only where it holds.
//!
//! DataFusion 55.2 leaves sorts out, and groups rows as if they were sorted, by claims that are false:
//!
//! - A filter says that a column has one value where the bounds that it derives meet. It derives them through
//!   casts and divisions that many values share: `CAST(ts AS DATE) = DATE '2024-01-01'` makes a constant of
//!   `ts`. Bounds of files that do not hold do the same.
//! - An outer join keeps the constants of the side that it fills up with NULLs.
//! - GROUPING SETS, ROLLUP and CUBE keep the constants of keys that become NULL.
//! - UNION ALL of branches in each of which a key is constant sorts by the rest of the keys alone, while ORDER
//!   BY … LIMIT shares what it has found among them.
//! - A window's `min` and `max` over a frame that grows are NULL before they are values, wherever NULLs sort.
//! - The sort above OFFSET without LIMIT is moved below it.
//!
//! Before DataFusion looks at orders, a node of ours is put above such a one; it claims what holds, and lets no
//! sort pass.

mod claims;
mod node;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};

use claims::{Because, doubtful};
use node::OrderFenceExec;

type Node = Arc<dyn ExecutionPlan>;

/// Puts fences where claims do not hold.
#[derive(Debug)]
pub(crate) struct FenceOrders;

impl PhysicalOptimizerRule for FenceOrders {
    fn optimize(&self, plan: Node, _: &ConfigOptions) -> Result<Node> {
        plan.transform_up(fenced).data()
    }

    fn name(&self) -> &str {
        "fence_orders"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn fenced(node: Node) -> Result<Transformed<Node>> {
    let mut new = Arc::clone(&node);
    let (places, because) = places_that_become_null(&new);
    if !places.is_empty() {
        let inputs = new.children().into_iter().cloned().enumerate();
        let inputs = inputs.map(|(place, input)| match places.contains(&place) {
            true => under(input, because),
            false => Ok(input),
        });
        new = replace_children_if_necessary(Arc::clone(&new), inputs.collect::<Result<_>>()?)?;
    }
    let new = match doubtful(&new) {
        Some(because) => under(new, because)?,
        None => new,
    };
    Ok(match Arc::ptr_eq(&new, &node) {
        true => Transformed::no(node),
        false => Transformed::yes(new),
    })
}

/// Puts a fence above a node if that claims something which does not hold.
fn under(node: Node, because: Because) -> Result<Node> {
    Ok(match because.is_needed(&node)? {
        true => Arc::new(OrderFenceExec::new(node, because)?),
        false => node,
    })
}

/// Returns the inputs whose columns can be NULL above, whatever they are below.
fn places_that_become_null(node: &Node) -> (&'static [usize], Because) {
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>()
        && aggregate.group_expr().has_grouping_set()
    {
        return (&[0], Because::Grouped);
    }
    let join = if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        Some(*join.join_type())
    } else if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        Some(*join.join_type())
    } else {
        let join = node.downcast_ref::<SortMergeJoinExec>();
        join.map(|join| join.join_type())
    };
    let places: &[usize] = match join {
        Some(JoinType::Left) => &[1],
        Some(JoinType::Right) => &[0],
        Some(JoinType::Full) => &[0, 1],
        _ => &[],
    };
    (places, Because::BecomesNull)
}
