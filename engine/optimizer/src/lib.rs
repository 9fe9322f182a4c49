//! Rules that make plans faster and change no row.
//!
//! Each rule says in its file why the plan that it makes has the same rows, and has a switch:
//! `SET lakesh.optimizer.<rule> = off`. EXPLAIN names the rules that changed a plan.

#![forbid(unsafe_code)]

mod conditions;
mod estimate;
mod joins;
mod rule;
mod share;

use std::sync::Arc;

use datafusion::common::{Result, internal_err};
use datafusion::optimizer::OptimizerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;

pub use rule::{Changes, RULES, Rule, Switches};

/// Rules that rewrite logical plans, in their order.
type OptimizerRules = Vec<Arc<dyn OptimizerRule + Send + Sync>>;
/// Rules that rewrite physical plans, in their order.
type PhysicalRules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// The rule of DataFusion's that chooses which side of a join is built on.
const JOIN_SELECTION: &str = "join_selection";

/// Puts the rules of this crate among those that rewrite logical plans.
pub fn with_logical_rules(mut rules: OptimizerRules) -> OptimizerRules {
    let sharing = share::ShareSubplans::before(rules.clone());
    rules.insert(0, Arc::new(sharing));
    rules
}

/// Puts the rules of this crate among those that rewrite physical plans.
pub fn add_physical_rules(rules: &mut PhysicalRules) -> Result<()> {
    let Some(selection) = rules.iter().position(|rule| rule.name() == JOIN_SELECTION) else {
        return internal_err!(
            "there is no rule `{JOIN_SELECTION}` for the order of joins to follow"
        );
    };
    let ordering = joins::OrderJoins::after(Arc::clone(&rules[selection]));
    rules[selection] = Arc::new(ordering);
    rules.push(Arc::new(conditions::OrderConditions));
    Ok(())
}
