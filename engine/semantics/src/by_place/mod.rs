//! Pushes filters towards scans by the places of columns, in the stead of DataFusion's `FilterPushdown`.
//!
//! DataFusion looks a filter's columns up by name at every node on the way (`FilterRemapper`,
//! `ProjectionExec::collect_reverse_alias`). Where two columns have one name, as on both sides of a
//! join, the filter of one is asked of the other and rows are lost
//! (<https://github.com/apache/datafusion/issues/25262>, 25264, 25296). The same way go the filters that
//! are found out while a query runs: those of hash joins, of ORDER BY … LIMIT and of min and max.
//!
//! The nodes still say which filters may pass and what they do with the rest. What passes is translated
//! here, by place. What has no certain place stays where it is.

mod place;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterPushdownResult, ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation,
    PushedDown, PushedDownPredicate,
};
use datafusion::physical_plan::joins::HashJoinExec;

use self::place::{Passage, passage};
use crate::risk::may_fail_physical;
use crate::unbounded::for_scan;

type Node = Arc<dyn ExecutionPlan>;
type Expression = Arc<dyn PhysicalExpr>;

/// Pushes filters, in one of DataFusion's two phases.
#[derive(Debug)]
pub(crate) struct PushFiltersByPlace {
    phase: FilterPushdownPhase,
}

impl PushFiltersByPlace {
    /// Pushes the filters that a query names.
    pub(crate) fn named() -> Self {
        Self {
            phase: FilterPushdownPhase::Pre,
        }
    }

    /// Pushes the filters that nodes find out while the query runs.
    pub(crate) fn found_out() -> Self {
        Self {
            phase: FilterPushdownPhase::Post,
        }
    }
}

impl PhysicalOptimizerRule for PushFiltersByPlace {
    fn optimize(&self, plan: Node, config: &ConfigOptions) -> Result<Node> {
        let pushed = push(&plan, &[], config, self.phase)?;
        Ok(pushed.updated_node.unwrap_or(plan))
    }

    fn name(&self) -> &str {
        match self.phase {
            FilterPushdownPhase::Pre => "push_filters_by_place",
            FilterPushdownPhase::Post => "push_filters_by_place(Post)",
        }
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Hands filters to a node and to all below it; says which of them the node has taken over.
fn push(
    node: &Node,
    filters: &[Expression],
    config: &ConfigOptions,
    phase: FilterPushdownPhase,
) -> Result<FilterPushdownPropagation<Node>> {
    let mut offered = Vec::new();
    let mut places = Vec::new();
    let is_scan = node.children().is_empty();
    for (place, filter) in filters.iter().enumerate() {
        if let Some(filter) = acceptable(node, filter)? {
            offered.push(match is_scan {
                true => for_scan(&filter)?,
                false => filter,
            });
            places.push(place);
        }
    }
    let (children, results) = push_below(node, &offered, config, phase)?;
    let updated = replace_children_if_necessary(Arc::clone(node), children)?;
    let mut answer = updated.handle_child_pushdown_result(phase, results, config)?;
    if answer.updated_node.is_none() && !Arc::ptr_eq(&updated, node) {
        answer.updated_node = Some(updated);
    }
    let mut taken = vec![PushedDown::No; filters.len()];
    for (place, result) in places.into_iter().zip(answer.filters) {
        taken[place] = result;
    }
    answer.filters = taken;
    Ok(answer)
}

/// Returns a filter with the names that the node gives its columns; `None` where it must stay above.
fn acceptable(node: &Node, filter: &Expression) -> Result<Option<Expression>> {
    // A row that does not pass would make room for another one.
    if is_volatile(filter) || node.fetch().is_some() {
        return Ok(None);
    }
    let Some(filter) = with_names_of(filter, node)? else {
        return Ok(None);
    };
    // Below them it would be asked of rows that they take out.
    let takes_rows_out = node.is::<FilterExec>() || node.is::<HashJoinExec>();
    if takes_rows_out && may_fail_physical(&filter, &node.schema()) {
        return Ok(None);
    }
    Ok(place::is_certain(node, &filter).then_some(filter))
}

/// Names a filter's columns as the fields at their places are named.
fn with_names_of(filter: &Expression, node: &Node) -> Result<Option<Expression>> {
    let schema = node.schema();
    let mut found = true;
    let named = Arc::clone(filter).transform_up(|part| {
        let Some(column) = part.downcast_ref::<Column>() else {
            return Ok(Transformed::no(part));
        };
        let Some(field) = schema.fields().get(column.index()) else {
            found = false;
            return Ok(Transformed::no(part));
        };
        if field.name() == column.name() {
            return Ok(Transformed::no(part));
        }
        let column: Expression = Arc::new(Column::new(field.name(), column.index()));
        Ok(Transformed::yes(column))
    });
    let named = named.data()?;
    Ok(found.then_some(named))
}

/// Pushes what may pass into every child; returns the children and what became of each filter there.
fn push_below(
    node: &Node,
    offered: &[Expression],
    config: &ConfigOptions,
    phase: FilterPushdownPhase,
) -> Result<(Vec<Node>, ChildPushdownResult)> {
    let described = node.gather_filters_for_pushdown(phase, offered.to_vec(), config)?;
    let passing = described.parent_filters();
    let own = described.self_filters();
    let below: Vec<_> = node.children().into_iter().cloned().collect();
    if passing.len() != below.len() || own.len() != below.len() {
        return Err(internal_datafusion_err!(
            "`{}` describes other filters than it has inputs",
            node.name()
        ));
    }
    let mut children = Vec::with_capacity(below.len());
    let mut own_results = Vec::with_capacity(below.len());
    let mut results = vec![Vec::with_capacity(below.len()); offered.len()];
    for (side, child) in below.iter().enumerate() {
        let own: Vec<_> = match is_sound(node) {
            true => own[side].clone(),
            false => Vec::new(),
        };
        let asked: Vec<_> = own.iter().filter(|filter| !is_volatile(filter)).collect();
        let mut handed: Vec<_> = asked.iter().map(|filter| Arc::clone(filter)).collect();
        let mut sources = Vec::new();
        for (place, filter) in passing[side].iter().enumerate() {
            if let Some(filter) = passed(node, side, &offered[place], filter)? {
                handed.push(filter);
                sources.push(place);
            }
        }
        let count = asked.len();
        let pushed = push(child, &handed, config, phase)?;
        children.push(pushed.updated_node.unwrap_or_else(|| Arc::clone(child)));

        let mut answers = pushed.filters.into_iter();
        let mut own_answers = answers.by_ref().take(count);
        own_results.push(
            own.iter()
                .map(|filter| {
                    match is_volatile(filter) {
                        true => PushedDown::No,
                        false => own_answers.next().unwrap_or(PushedDown::No),
                    }
                    .wrap_expression(Arc::clone(filter))
                })
                .collect::<Vec<_>>(),
        );
        for result in &mut results {
            result.push(PushedDown::No);
        }
        for (place, answer) in sources.into_iter().zip(answers) {
            results[place][side] = answer;
        }
    }
    let parents = offered.iter().zip(results);
    let results = ChildPushdownResult {
        parent_filters: parents
            .map(|(filter, child_results)| ChildFilterPushdownResult {
                filter: Arc::clone(filter),
                child_results,
            })
            .collect(),
        self_filters: own_results,
    };
    Ok((children, results))
}

/// Returns a filter as one of the node's inputs knows it; `None` where it may not pass.
fn passed(
    node: &Node,
    side: usize,
    filter: &Expression,
    described: &PushedDownPredicate,
) -> Result<Option<Expression>> {
    if matches!(described.discriminant, PushedDown::No) {
        return Ok(None);
    }
    let passed = match passage(node, side) {
        Passage::ByPlace(columns) => place::translated(filter, &columns)?,
        Passage::AsDescribed => Some(Arc::clone(&described.predicate)),
    };
    Ok(passed.filter(|filter| !is_volatile(filter)))
}

/// Says whether the filters that a node makes of its own keep all rows that it needs.
///
/// The one for min and max knows plain columns alone; beside `max(b + c)` the bound of `min(a)` takes
/// away rows that the other needs (<https://github.com/apache/datafusion/issues/24816>). Bounds of
/// doubles say nothing about NaN, which is the greatest of all.
fn is_sound(node: &Node) -> bool {
    let Some(aggregate) = node.downcast_ref::<AggregateExec>() else {
        return true;
    };
    // Of several, those that have seen NULLs alone would be left out of the filter, with their rows.
    if aggregate.aggr_expr().len() > 1 {
        return false;
    }
    let input = aggregate.input_schema();
    aggregate.aggr_expr().iter().all(|function| {
        let arguments = function.expressions();
        let [argument] = arguments.as_slice() else {
            return false;
        };
        let kind = argument.data_type(&input);
        argument.is::<Column>() && kind.is_ok_and(|kind| !kind.is_floating())
    })
}
