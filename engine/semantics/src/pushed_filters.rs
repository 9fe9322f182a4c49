//! Pushes filters towards scans, in the stead of DataFusion's `PushDownFilter`, which pushes too much.
//!
//! It asks `random() > 0.5` before a GROUP BY instead of after it, and of each row of one table instead
//! of each pair (<https://github.com/apache/datafusion/issues/13268>); it drops one of two such filters,
//! puts a condition without columns below an aggregate without GROUP BY, which then still has its one
//! row; and computes a division or a cast for rows that a join takes out. Such conditions are held back
//! here where they meet what changes rows. All others go DataFusion's way.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::utils::{conjunction, merge_schema, split_conjunction_owned};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Filter, Join, LogicalPlan};
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::risk::may_fail;

/// Pushes the filters that may move.
#[derive(Debug, Default)]
pub(crate) struct PushSafeFilters {
    push: PushDownFilter,
}

impl OptimizerRule for PushSafeFilters {
    fn name(&self) -> &str {
        "push_safe_filters"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(join) => self.push_condition(join, Vec::new(), config),
            LogicalPlan::Filter(filter) => self.push_filter(filter, config),
            plan => Ok(Transformed::no(plan)),
        }
    }
}

impl PushSafeFilters {
    fn push_filter(
        &self,
        filter: Filter,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let (conditions, input, merged) = merged(filter);
        let (free, held): (Vec<_>, Vec<_>) = conditions
            .into_iter()
            .partition(|condition| may_pass(condition, &input));
        let pushed = match (free.is_empty(), Arc::unwrap_or_clone(input)) {
            (true, input) => Transformed::no(input),
            (false, LogicalPlan::Join(join)) => self.push_condition(join, free, config)?,
            (false, input) => self.push.rewrite(filtered(free, input), config)?,
        };
        let changed = pushed.transformed || merged;
        Ok(Transformed::new_transformed(
            filtered(held, pushed.data),
            changed,
        ))
    }

    /// Pushes conditions over a join, and the join's own, into its sides.
    fn push_condition(
        &self,
        mut join: Join,
        above: Vec<Expr>,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let schema = merge_schema(&[join.left.as_ref(), join.right.as_ref()]);
        let own = join.filter.take().map(split_conjunction_owned);
        let (free, held): (Vec<_>, Vec<_>) = own
            .unwrap_or_default()
            .into_iter()
            .partition(|condition| !condition.is_volatile() && !may_fail(condition, &schema));
        join.filter = conjunction(free);
        let plan = filtered(above, LogicalPlan::Join(join));
        let pushed = self.push.rewrite(plan, config)?;
        Ok(pushed.update_data(|plan| with_condition(plan, held)))
    }
}

/// Puts filters that stand on each other into one list, those below first.
///
/// A condition that stands twice is asked once, but not one that may answer otherwise the second time.
fn merged(filter: Filter) -> (Vec<Expr>, Arc<LogicalPlan>, bool) {
    let Filter {
        predicate,
        mut input,
        ..
    } = filter;
    let mut lists = vec![split_conjunction_owned(predicate)];
    while let LogicalPlan::Filter(below) = input.as_ref() {
        lists.push(split_conjunction_owned(below.predicate.clone()));
        input = Arc::clone(&below.input);
    }
    let merged = lists.len() > 1;
    let mut conditions = Vec::new();
    for condition in lists.into_iter().rev().flatten() {
        if condition.is_volatile() || !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    (conditions, input, merged)
}

/// Says whether a condition may be asked below a node instead of above it.
fn may_pass(condition: &Expr, node: &LogicalPlan) -> bool {
    match node {
        // Each of their rows is one of their inputs', or they stop all filters themselves.
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::Limit(_) => true,
        LogicalPlan::Distinct(Distinct::On(_)) => false,
        // All rows of a group, and all equal ones, give one answer, but each its own if it is drawn.
        LogicalPlan::Distinct(Distinct::All(_)) | LogicalPlan::Window(_) => {
            !condition.is_volatile()
        }
        LogicalPlan::Aggregate(aggregate) => {
            let is_drawn =
                condition.is_volatile() || aggregate.group_expr.iter().any(Expr::is_volatile);
            let takes_row_of_nothing =
                condition.column_refs().is_empty() && has_row_of_nothing(aggregate);
            !is_drawn && !takes_row_of_nothing
        }
        LogicalPlan::Extension(_) => {
            !condition.column_refs().is_empty() && is_steady(condition, node.schema())
        }
        _ => is_steady(condition, node.schema()),
    }
}

/// Says whether an aggregate gives a row even if its input has none.
fn has_row_of_nothing(aggregate: &Aggregate) -> bool {
    let mut groups = aggregate.group_expr.iter();
    groups.len() == 0 || groups.any(|group| matches!(group, Expr::GroupingSet(_)))
}

fn is_steady(condition: &Expr, schema: &DFSchema) -> bool {
    !condition.is_volatile() && !may_fail(condition, schema)
}

/// Gives the topmost join the conditions that were held back.
fn with_condition(plan: LogicalPlan, held: Vec<Expr>) -> LogicalPlan {
    if held.is_empty() {
        return plan;
    }
    match plan {
        LogicalPlan::Join(mut join) => {
            join.filter = conjunction(join.filter.into_iter().chain(held));
            LogicalPlan::Join(join)
        }
        LogicalPlan::Filter(mut filter) => {
            let input = Arc::unwrap_or_clone(filter.input);
            filter.input = Arc::new(with_condition(input, held));
            LogicalPlan::Filter(filter)
        }
        // What has been pushed is still a join, or a filter over one.
        plan => filtered(held, plan),
    }
}

fn filtered(conditions: Vec<Expr>, input: LogicalPlan) -> LogicalPlan {
    match conjunction(conditions) {
        Some(predicate) => LogicalPlan::Filter(Filter::new(predicate, Arc::new(input))),
        None => input,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::functions::math::expr_fn::random;
    use datafusion::functions_aggregate::expr_fn::count;
    use datafusion::logical_expr::{JoinType, LogicalPlanBuilder, col, lit, table_scan};
    use datafusion::optimizer::{Optimizer, OptimizerContext};

    fn table(name: &str) -> LogicalPlanBuilder {
        let fields = vec![Field::new("k", DataType::Int64, true)];
        table_scan(Some(name), &Schema::new(fields), None).unwrap()
    }

    fn pushed(plan: LogicalPlan, rule: Arc<dyn OptimizerRule + Send + Sync>) -> String {
        let context = OptimizerContext::new().with_max_passes(2);
        let optimizer = Optimizer::with_rules(vec![rule]);
        let plan = optimizer.optimize(plan, &context, |_, _| {}).unwrap();
        plan.display_indent().to_string()
    }

    fn ours() -> Arc<dyn OptimizerRule + Send + Sync> {
        Arc::new(PushSafeFilters::default())
    }

    /// `SELECT k, count(k) … GROUP BY k HAVING random() > 0.5`
    fn drawn_groups() -> LogicalPlan {
        let groups = table("t").aggregate([col("k")], [count(col("k"))]);
        let drawn = groups.unwrap().filter(random().gt(lit(0.5)));
        drawn.unwrap().build().unwrap()
    }

    /// `… FROM a JOIN b ON a.k = b.k WHERE 10 / a.k > 1 AND b.k > 2`
    fn divided() -> LogicalPlan {
        let joined = table("a").join(
            table("b").build().unwrap(),
            JoinType::Inner,
            (vec!["k"], vec!["k"]),
            None,
        );
        let condition = (lit(10_i64) / col("a.k")).gt(lit(1_i64));
        let filtered = joined
            .unwrap()
            .filter(condition.and(col("b.k").gt(lit(2_i64))));
        filtered.unwrap().build().unwrap()
    }

    #[test]
    fn what_is_drawn_stays_above_groups() {
        let plan = pushed(drawn_groups(), ours());
        assert!(plan.starts_with("Filter: random()"), "{plan}");
    }

    #[test]
    fn what_may_fail_stays_above_joins() {
        let plan = pushed(divided(), ours());
        assert!(plan.starts_with("Filter: Int64(10) / a.k"), "{plan}");
        assert!(
            !plan.starts_with("Filter: Int64(10) / a.k > Int64(1) AND"),
            "{plan}"
        );
        assert!(plan.contains("b.k > Int64(2)"), "{plan}");
    }

    /// When these fail DataFusion has mended it, and this rule may go.
    #[test]
    fn datafusion_pushes_too_much() {
        let plan = pushed(drawn_groups(), Arc::new(PushDownFilter::new()));
        assert!(plan.starts_with("Aggregate"), "{plan}");
        let plan = pushed(divided(), Arc::new(PushDownFilter::new()));
        assert!(plan.starts_with("Inner Join"), "{plan}");
    }
}
