//! DISTINCT below a LIMIT over rows that come in an order.
//!
//! DataFusion 55.2 tells an aggregate how many groups are wanted while its rows have no order yet. Where a later
//! rule gives them one, as below a sort-merge join, the aggregate takes the number for that of a top-k, lacks a
//! direction and fails ("ordering direction required"). Here the number goes; the LIMIT above stays.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// Takes limits from aggregates that cannot keep them.
#[derive(Debug)]
pub(crate) struct DropDistinctLimits;

impl PhysicalOptimizerRule for DropDistinctLimits {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(aggregate) = node.downcast_ref::<AggregateExec>() else {
                return Ok(Transformed::no(node));
            };
            let is_kept = match aggregate.limit_options() {
                None => true,
                Some(options) => {
                    options.descending().is_some()
                        || aggregate.is_unordered_unfiltered_group_by_distinct()
                }
            };
            match is_kept {
                true => Ok(Transformed::no(node)),
                false => Ok(Transformed::yes(Arc::new(
                    aggregate.with_new_limit_options(None),
                ))),
            }
        })
        .data()
    }

    fn name(&self) -> &str {
        "drop_distinct_limits"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
