//! What a query means, where the engine below means something else.
//!
//! Each file takes the place of one unsound function or rule of DataFusion's, and says which and why.

#![forbid(unsafe_code)]

mod average;
mod by_place;
mod columnless_sort;
mod common_number;
mod comparable;
mod conversion;
mod counts;
mod cross_joins;
mod cut_filters;
mod date;
mod distinct_limit;
mod drawn_once;
mod empty_branches;
mod empty_frame;
mod exclusion;
mod extreme;
mod filtered_arguments;
mod frame_distance;
mod function;
mod guard;
mod kept_order;
mod kept_projections;
mod lead_lag;
mod meaning;
mod membership;
mod merged;
mod negation;
mod nested_order;
mod null_safe;
mod order_blind;
mod order_fence;
mod ordered_lists;
mod outer_aggregate;
mod overflow;
mod pattern;
mod percentile;
mod physical;
mod product;
mod product_of_rows;
mod projection_names;
mod pushed_filters;
mod quotient;
mod remainder;
mod repeated_keys;
mod rewrite;
mod risk;
mod row_equality;
mod set_operation;
mod shift;
mod sign;
mod simplify;
mod sliding;
mod spanning_keys;
mod subquery;
mod sum;
mod time;
mod unbounded;
mod verified;
mod whole;
mod window_aggregate;
mod written;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::registry::FunctionRegistry;
use datafusion::functions_nested::remove::array_remove_all_udf;
use datafusion::functions_nested::replace::array_replace_all_udf;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::optimizer::analyzer::Analyzer;
use datafusion::optimizer::{AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;

pub use exclusion::ExclusionPlanner;
pub use merged::{MergedColumnPlanner, mark_merged_columns};
pub use risk::may_fail_physical;
pub use time::{TimeArithmetic, series_tables};
pub use unbounded::PlanUnbounded;

/// Rules that rewrite what was planned before anything is optimized, in their order.
pub(crate) type AnalyzerRules = Vec<Arc<dyn AnalyzerRule + Send + Sync>>;
/// Rules that rewrite logical plans, in their order.
pub(crate) type OptimizerRules = Vec<Arc<dyn OptimizerRule + Send + Sync>>;
/// Rules that rewrite physical plans, in their order.
pub(crate) type PhysicalRules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// Puts our functions in the place of DataFusion's.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    registry.register_udaf(sum::checked_sum())?;
    let over_windows = lead_lag::shifts().into_iter();
    for function in over_windows.chain(counts::window_functions()) {
        registry.register_udwf(function)?;
    }
    for function in written::first_arguments()
        .into_iter()
        .chain(pattern::patterns())
    {
        registry.register_udf(Arc::new(function))?;
    }
    registry.register_udaf(average::rounded_average())?;
    registry.register_udaf(product_of_rows::function())?;
    for function in extreme::functions() {
        registry.register_udaf(function)?;
    }
    for function in percentile::functions() {
        registry.register_udaf(function)?;
    }
    for function in ordered_lists::functions() {
        registry.register_udaf(function)?;
    }
    for function in conversion::functions()
        .into_iter()
        .chain(shift::functions())
        .chain(counts::functions())
        .chain(whole::functions())
    {
        registry.register_udf(function)?;
    }
    // They remove and replace all values, as in PostgreSQL and Spark; DataFusion's the first one.
    let aliases = [
        (array_remove_all_udf(), ["array_remove", "list_remove"]),
        (array_replace_all_udf(), ["array_replace", "list_replace"]),
    ];
    for (function, names) in aliases {
        let function = ScalarUDF::clone(&function).with_aliases(names);
        registry.register_udf(Arc::new(function))?;
    }
    registry.register_udf(comparable::function())?;
    registry.register_udf(membership::function())?;
    registry.register_udf(nested_order::function())?;
    registry.register_udf(quotient::function())?;
    registry.register_udf(remainder::function())?;
    registry.register_udf(sign::function())?;
    registry.register_udf(exclusion::mark())?;
    time::register(registry)
}

/// Says whether a function stands for what SQL writes otherwise, so that nobody else knows its name.
pub fn is_internal(function: &str) -> bool {
    function.starts_with("lakesh_")
}

/// Returns what plans operators where DataFusion gives them another type.
pub fn expr_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![
        Arc::new(quotient::QuotientPlanner),
        Arc::new(product::ProductPlanner),
        Arc::new(date::DatePlanner),
        Arc::new(ordered_lists::NthPlanner),
        Arc::new(counts::CountPlanner),
    ]
}

/// Makes the types of an expression fit and computes what does not depend on a row, for whoever plans none.
pub fn simplified(expression: Expr, context: SimplifyContext) -> Result<Expr> {
    simplify::simplified(expression, context)
}

/// Returns DataFusion's analyzer rules with ours beside them.
pub fn analyzer_rules() -> AnalyzerRules {
    let mut rules = Analyzer::new().rules;
    // Before types are made equal, which hides rows behind casts.
    rules.insert(0, Arc::new(frame_distance::CheckDistances));
    rules.insert(0, Arc::new(row_equality::CompareRows));
    rules.insert(2, Arc::new(remainder::WriteRemainders));
    rules.insert(3, Arc::new(common_number::CommonNumbers));
    rules.insert(4, Arc::new(time::CoerceTimes));
    rules.push(Arc::new(outer_aggregate::CheckOuterAggregates));
    rules.push(Arc::new(repeated_keys::DropRepeatedKeys));
    rules.push(Arc::new(set_operation::CountCopies));
    rules.push(Arc::new(subquery::JoinSubqueries));
    // After the types of operands have been made alike, and before constants are looked at.
    let rewrites: [(&str, rewrite::Rewrite); 4] = [
        ("subtract_from_zero", negation::subtract_from_zero),
        ("check_shifts", shift::check_count),
        ("convert", conversion::convert),
        ("compute_per_row", membership::compute_per_row),
    ];
    for (name, rewrite) in rewrites {
        rules.push(Arc::new(rewrite::RewriteExpressions { name, rewrite }));
    }
    rules.push(Arc::new(comparable::CompareCanonical));
    // After values within them have been made comparable.
    rules.push(Arc::new(rewrite::RewriteExpressions {
        name: "nested_order",
        rewrite: nested_order::compare,
    }));
    rules.push(Arc::new(drawn_once::DrawOnce));
    rules.push(Arc::new(filtered_arguments::FilterArguments));
    rules.push(Arc::new(overflow::CheckConstants));
    rules.push(Arc::new(order_blind::ForgetOrders));
    rules.push(Arc::new(empty_frame::EmptyFrames));
    // Last, when arguments have the types with which accumulators are made.
    rules.push(Arc::new(sliding::SlideAggregates));
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
            "simplify_expressions" => rules.push(Arc::new(simplify::SimplifySoundly::default())),
            "eliminate_cross_join" => {
                let connected = Arc::new(cross_joins::ConnectJoins::new(rule));
                rules.push(Arc::new(spanning_keys::KeepSpanningKeys::new(connected)) as _);
            }
            "propagate_empty_relation" => {
                rules.push(Arc::new(empty_branches::DropEmptyParts::default()) as _);
            }
            // No LATERAL query is left when it runs.
            "decorrelate_lateral_join" => {}
            "optimize_projections" => {
                rules.push(Arc::new(projection_names::NameProjections) as _);
                rules.push(rule);
            }
            _ => rules.push(rule),
        }
    }
    rules.push(Arc::new(columnless_sort::DropColumnlessSorts));
    // Last, since rules that take joins apart know plain ones alone.
    rules.push(Arc::new(null_safe::ExtractNullSafeKeys));
    rules
}

/// Puts ours into a list of rules for physical plans.
pub fn adjust_physical_rules(rules: &mut PhysicalRules) {
    // First, since they must see expressions before they move into scans.
    rules.insert(0, Arc::new(overflow::CheckOverflow));
    rules.insert(1, Arc::new(guard::GuardConditions));
    rules.insert(
        0,
        Arc::new(comparable::CompareNumbers { before_scans: true }),
    );
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
            "EnsureRequirements" => {
                rules.push(Arc::new(order_fence::FenceOrders));
                rules.push(rule);
            }
            // It adds up too little of what stacked windows look ahead, and nothing where `lag` looks ahead.
            "LimitPushPastWindows" => {}
            "SanityCheckPlan" => {
                rules.push(Arc::new(distinct_limit::DropDistinctLimits));
                rules.push(Arc::new(kept_order::CheckOrMend));
            }
            _ => rules.push(rule),
        }
    }
    rules.push(Arc::new(comparable::CompareNumbers {
        before_scans: false,
    }));
}
