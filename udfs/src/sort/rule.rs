//! Finds sorts by keys of numbers and times and puts the operator of this crate in their place.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::operator::KeySortExec;

/// The rule for DataFusion's physical optimizer, to stand behind those that order and distribute rows.
#[derive(Debug, Default)]
pub struct SortByKeys;

impl PhysicalOptimizerRule for SortByKeys {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| {
            let Some(sort) = node.downcast_ref::<SortExec>() else {
                return Ok(Transformed::no(node));
            };
            Ok(match KeySortExec::instead_of(sort)? {
                Some(fast) => Transformed::yes(Arc::new(fast)),
                None => Transformed::no(node),
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "sort_by_keys"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
