//! Window functions that see their whole partition: the rows that they gather are charged.
//!
//! DataFusion's `WindowAggExec` collects all its input, of every partition, and joins it into one batch,
//! and asks the memory pool for none of it: twelve columns of text took 2.8 GB at a limit of 256 MB.
//! Ours computes a partition as soon as it is whole, gives its rows in batches of the usual size, and
//! asks for what it holds, so that it ends with an error where the limit is reached.

mod gather;
mod operator;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::WindowAggExec;

use operator::ChargedWindowExec;

/// Puts the operator that is charged in the place of DataFusion's.
#[derive(Debug)]
pub struct ChargeWindows;

impl PhysicalOptimizerRule for ChargeWindows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| {
            if !node.is::<WindowAggExec>() {
                return Ok(Transformed::no(node));
            }
            let charged: Arc<dyn ExecutionPlan> = Arc::new(ChargedWindowExec::new(node));
            Ok(Transformed::yes(charged))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "charge_windows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
