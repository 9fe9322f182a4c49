//! What a query means, where the engine below means something else.
//!
//! Each file takes the place of one unsound function or rule of DataFusion's, and says which and why.

#![forbid(unsafe_code)]

mod by_place;
mod compared_column;
mod correlation;
mod cut_filters;
mod drawn_once;
mod filtered_arguments;
mod guard;
mod kept_projections;
mod meaning;
mod merged;
mod null_safe;
mod overflow;
mod projection_names;
mod pushed_filters;
mod risk;
mod row_equality;
mod sum;
mod verified;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::registry::FunctionRegistry;
use datafusion::optimizer::analyzer::Analyzer;
use datafusion::optimizer::{AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;

pub use merged::{MergedColumnPlanner, mark_merged_columns};

/// Rules that rewrite what was planned before anything is optimized, in their order.
pub(crate) type AnalyzerRules = Vec<Arc<dyn AnalyzerRule + Send + Sync>>;
/// Rules that rewrite logical plans, in their order.
pub(crate) type OptimizerRules = Vec<Arc<dyn OptimizerRule + Send + Sync>>;
/// Rules that rewrite physical plans, in their order.
pub(crate) type PhysicalRules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// Puts our functions in the place of DataFusion's.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(sum::checked_sum())?;
    Ok(())
}

/// Returns DataFusion's analyzer rules with ours beside them.
pub fn analyzer_rules() -> AnalyzerRules {
    let mut rules = Analyzer::new().rules;
    // Before types are made equal, which hides rows behind casts.
    rules.insert(0, Arc::new(row_equality::CompareRows));
    rules.push(Arc::new(compared_column::NameComparedColumns));
    rules.push(Arc::new(drawn_once::DrawOnce));
    rules.push(Arc::new(filtered_arguments::FilterArguments));
    rules.push(Arc::new(overflow::CheckConstants));
    rules.push(Arc::new(correlation::CheckCorrelation));
    rules
}

/// Returns DataFusion's rules for logical plans, with ours in the place of those that are unsound.
pub fn optimizer_rules() -> OptimizerRules {
    let mut rules = Vec::new();
    for rule in Optimizer::new().rules {
        match rule.name() {
            "extract_equijoin_predicate" => rules.push(Arc::new(null_safe::ExtractEqualities) as _),
            "push_down_filter" => {
                rules.push(Arc::new(pushed_filters::PushSafeFilters::default()) as _);
            }
            "common_sub_expression_eliminate" => {
                rules.push(Arc::new(cut_filters::CutLogicalFilters) as _);
                rules.push(rule);
            }
            "extract_leaf_expressions" | "push_down_leaf_projections" => {
                rules.push(Arc::new(verified::Verified::new(rule)) as _);
            }
            "optimize_projections" => {
                rules.push(Arc::new(projection_names::NameProjections) as _);
                rules.push(rule);
            }
            _ => rules.push(rule),
        }
    }
    // Last, since rules that take joins apart know plain ones alone.
    rules.push(Arc::new(null_safe::ExtractNullSafeKeys));
    rules
}

/// Puts ours into a list of rules for physical plans.
pub fn adjust_physical_rules(rules: &mut PhysicalRules) {
    // First, since they must see expressions before they move into scans.
    rules.insert(0, Arc::new(overflow::CheckOverflow));
    rules.insert(1, Arc::new(guard::GuardConditions));
    let theirs = std::mem::take(rules);
    for rule in theirs {
        match rule.name() {
            "FilterPushdown" => rules.push(Arc::new(by_place::PushFiltersByPlace::named())),
            "FilterPushdown(Post)" => {
                rules.push(Arc::new(guard::CutFilters));
                rules.push(Arc::new(by_place::PushFiltersByPlace::found_out()));
            }
            "ProjectionPushdown" => {
                rules.push(Arc::new(kept_projections::PushSafeProjections::new()));
            }
            _ => rules.push(rule),
        }
    }
}
