//! An order that later rules lose is made anew.
//!
//! DataFusion 55.2 leaves a sort out where a filter leaves one value of a column, as `k > 2` does by the bounds
//! 2 and 3, and then pushes a projection into the join above, which forgets that value: the last check of the
//! plan finds no order and fails (`SanityCheckPlan`). Here what is missing is added, and the plan checked again.
//! Where the rule that adds it moves a sort below such a join once more, the sort is put in its place by hand.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::output_requirements::OutputRequirements;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

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
                let steps: [&dyn PhysicalOptimizerRule; 5] = [
                    &OutputRequirements::new_add_mode(),
                    &EnsureRequirements::new(),
                    &AddSorts,
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

/// Puts a sort below each node whose input does not have the order that it asks for.
#[derive(Debug)]
struct AddSorts;

impl PhysicalOptimizerRule for AddSorts {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let mut inputs = Vec::new();
            let mut added = false;
            for (input, order) in node
                .children()
                .into_iter()
                .zip(node.required_input_ordering())
            {
                let claims = input.equivalence_properties();
                let wanted = match order.map(|order| order.into_single()) {
                    Some(order) if !claims.ordering_satisfy_requirement(order.clone())? => {
                        LexOrdering::new(order.into_iter().map(PhysicalSortExpr::from))
                    }
                    _ => None,
                };
                inputs.push(match wanted {
                    None => Arc::clone(input),
                    Some(order) => {
                        added = true;
                        let many = input.output_partitioning().partition_count() > 1;
                        let sort = SortExec::new(order, Arc::clone(input));
                        Arc::new(sort.with_preserve_partitioning(many))
                    }
                });
            }
            Ok(match added {
                true => Transformed::yes(replace_children_if_necessary(node, inputs)?),
                false => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "add_sorts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
