//! Makes operators that turn few rows into many let go of their thread now and then.
//!
//! DataFusion yields where data enters a plan. A join of two small inputs runs for hours on what it has
//! read, never yields, and could not be cancelled.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// The operators that can give many rows for each that they read, or many rounds without reading.
const MULTIPLYING: [&str; 7] = [
    "CrossJoinExec",
    "HashJoinExec",
    "NestedLoopJoinExec",
    "PiecewiseMergeJoinExec",
    "RecursiveQueryExec",
    "SortMergeJoinExec",
    "UnnestExec",
];

/// Puts a point of yielding above each operator that multiplies rows.
#[derive(Debug)]
pub struct Cooperate;

impl PhysicalOptimizerRule for Cooperate {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| {
            if !MULTIPLYING.contains(&node.name()) {
                return Ok(Transformed::no(node));
            }
            let yielding: Arc<dyn ExecutionPlan> = Arc::new(CooperativeExec::new(node));
            Ok(Transformed::yes(yielding))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "cooperate"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
