//! Rewrites the expressions of a physical plan: those of filters, projections, aggregates and joins.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, PhysicalGroupBy};
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

pub(crate) type Node = Arc<dyn ExecutionPlan>;
pub(crate) type Expression = Arc<dyn PhysicalExpr>;

/// Returns what takes the place of an expression over columns of a schema; `None` where it stays.
pub(crate) type New<'a> = &'a dyn Fn(&Expression, &Schema) -> Result<Option<Expression>>;

/// Returns a plan with new expressions.
pub(crate) fn with_expressions(plan: Node, new: New<'_>) -> Result<Node> {
    let plan = plan.transform_up(|node| {
        let found = new_node(&node, new)?;
        Ok(found.map_or_else(|| Transformed::no(node), Transformed::yes))
    })?;
    Ok(plan.data)
}

/// Returns a node with new expressions; `None` where it has none to be changed.
fn new_node(node: &Node, new: New<'_>) -> Result<Option<Node>> {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        return new_projection(projection, new);
    }
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        let Some(predicate) = new(filter.predicate(), &filter.input().schema())? else {
            return Ok(None);
        };
        let filter = FilterExecBuilder::from(filter).with_predicate(predicate);
        return Ok(Some(Arc::new(filter.build()?)));
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return new_aggregate(aggregate, new);
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let Some(filter) = new_join_filter(join.filter(), new)? else {
            return Ok(None);
        };
        let join = join.builder().with_filter(Some(filter));
        return join.build_exec().map(Some);
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        let Some(filter) = new_join_filter(join.filter(), new)? else {
            return Ok(None);
        };
        let join = NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter));
        return Ok(Some(Arc::new(join.build()?)));
    }
    Ok(None)
}

fn new_join_filter(filter: Option<&JoinFilter>, new: New<'_>) -> Result<Option<JoinFilter>> {
    let Some(filter) = filter else {
        return Ok(None);
    };
    let condition = new(filter.expression(), filter.schema())?;
    Ok(condition.map(|condition| {
        let columns = filter.column_indices().to_vec();
        JoinFilter::new(condition, columns, Arc::clone(filter.schema()))
    }))
}

fn new_projection(projection: &ProjectionExec, new: New<'_>) -> Result<Option<Node>> {
    let mut changed = false;
    let schema = projection.input().schema();
    let mut columns = Vec::with_capacity(projection.expr().len());
    for column in projection.expr() {
        let expr = new(&column.expr, &schema)?;
        changed |= expr.is_some();
        columns.push(ProjectionExpr {
            expr: expr.unwrap_or_else(|| Arc::clone(&column.expr)),
            alias: column.alias.clone(),
        });
    }
    if !changed {
        return Ok(None);
    }
    let input = Arc::clone(projection.input());
    Ok(Some(Arc::new(ProjectionExec::try_new(columns, input)?)))
}

fn new_aggregate(aggregate: &AggregateExec, new: New<'_>) -> Result<Option<Node>> {
    let mut changed = false;
    // Where states are put together, functions still name the columns of the rows that these were made of.
    let rows = aggregate.input_schema();
    let schema = aggregate.input().schema();
    let mut functions = Vec::with_capacity(aggregate.aggr_expr().len());
    for function in aggregate.aggr_expr() {
        let found = new_function(function, &rows, new)?;
        changed |= found.is_some();
        functions.push(found.map_or_else(|| Arc::clone(function), Arc::new));
    }
    let groups = aggregate.group_expr();
    let mut keys = Vec::with_capacity(groups.expr().len());
    for (key, name) in groups.expr() {
        let found = new(key, &schema)?;
        changed |= found.is_some();
        keys.push((found.unwrap_or_else(|| Arc::clone(key)), name.clone()));
    }
    let mut filters = Vec::with_capacity(aggregate.filter_expr().len());
    for filter in aggregate.filter_expr() {
        let found = filter.as_ref().map(|filter| new(filter, &rows));
        let found = found.transpose()?.flatten();
        changed |= found.is_some();
        filters.push(found.or_else(|| filter.clone()));
    }
    if !changed {
        return Ok(None);
    }
    let (nulls, sets) = (groups.null_expr().to_vec(), groups.groups().to_vec());
    let limit = aggregate.limit_options();
    let with_limit = AggregateExec::try_new(
        *aggregate.mode(),
        PhysicalGroupBy::new(keys, nulls, sets, groups.has_grouping_set()),
        functions,
        filters,
        Arc::clone(aggregate.input()),
        aggregate.input_schema(),
    )?;
    Ok(Some(Arc::new(with_limit.with_limit_options(limit))))
}

/// Returns an aggregate function with new arguments; `None` where none has to be changed.
fn new_function(
    function: &AggregateFunctionExpr,
    schema: &Schema,
    new: New<'_>,
) -> Result<Option<AggregateFunctionExpr>> {
    let mut changed = false;
    let mut arguments = Vec::new();
    for argument in function.expressions() {
        let found = new(&argument, schema)?;
        changed |= found.is_some();
        arguments.push(found.unwrap_or(argument));
    }
    if !changed {
        return Ok(None);
    }
    let order = function.order_bys().iter();
    let order = order.map(|order| Arc::clone(&order.expr)).collect();
    Ok(function.with_new_expressions(arguments, order))
}
