//! An order that later rules lose is made anew.
//!
//! DataFusion 55.2 leaves a sort out where a filter leaves one value of a column, as `k > 2` does by the bounds
//! 2 and 3, and then pushes a projection into the join above, which forgets that value: the last check of the
//! plan finds no order and fails (`SanityCheckPlan`). Here what is missing is added, and the plan checked again.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::output_requirements::OutputRequirements;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::ExecutionPlan;

/// Stands in the place of `SanityCheckPlan`.
#[derive(Debug)]
pub(crate) struct CheckOrMend;

impl PhysicalOptimizerRule for CheckOrMend {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let check = SanityCheckPlan::new();
        match check.optimize(Arc::clone(&plan), config) {
            Ok(plan) => Ok(plan),
            Err(_) => {
                // The order of the whole is a requirement too.
                let steps: [&dyn PhysicalOptimizerRule; 4] = [
                    &OutputRequirements::new_add_mode(),
                    &EnsureRequirements::new(),
                    &OutputRequirements::new_remove_mode(),
                    &check,
                ];
                let mut steps = steps.into_iter();
                steps.try_fold(plan, |plan, step| step.optimize(plan, config))
            }
        }
    }

    fn name(&self) -> &str {
        "SanityCheckPlan"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
