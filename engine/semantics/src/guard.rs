//! Computes what may fail only for rows that the conditions before it have left.
//!
//! DataFusion computes both sides of AND and OR for all rows of a batch, and `k <> 0 AND 10 / k > 1`
//! fails; it also makes AND and OR of a CASE that stood there as a guard. A filter is cut into several
//! here, what may fail above what may not; elsewhere AND and OR become a CASE
//! (<https://github.com/apache/datafusion/issues/8927>).

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, case, lit};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, PhysicalGroupBy};
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::joins::{NestedLoopJoinExecBuilder, SortMergeJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use crate::risk::may_fail_physical;

type Node = Arc<dyn ExecutionPlan>;
type Expression = Arc<dyn PhysicalExpr>;

/// Makes a CASE of each AND and OR whose right side may fail; the conditions of filters stay apart.
#[derive(Debug)]
pub(crate) struct GuardConditions;

impl PhysicalOptimizerRule for GuardConditions {
    fn optimize(&self, plan: Node, _config: &ConfigOptions) -> Result<Node> {
        let plan = plan.transform_up(|node| {
            let guarded = guarded_node(&node)?;
            Ok(guarded.map_or_else(|| Transformed::no(node), Transformed::yes))
        });
        plan.data()
    }

    fn name(&self) -> &str {
        "guard_conditions"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Cuts filters, so that what may fail is asked of the rows that all before it have passed.
#[derive(Debug)]
pub(crate) struct CutFilters;

impl PhysicalOptimizerRule for CutFilters {
    fn optimize(&self, plan: Node, _config: &ConfigOptions) -> Result<Node> {
        let plan = plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(node));
            };
            let cut = cut(filter)?;
            Ok(cut.map_or_else(|| Transformed::no(node), Transformed::yes))
        });
        plan.data()
    }

    fn name(&self) -> &str {
        "cut_filters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Returns filters on top of each other; `None` where one does.
fn cut(filter: &FilterExec) -> Result<Option<Node>> {
    let schema = filter.input().schema();
    let (mut failing, safe): (Vec<_>, Vec<_>) = split_conjunction(filter.predicate())
        .into_iter()
        .cloned()
        .partition(|condition| may_fail_physical(condition, &schema));
    if failing.len() + usize::from(!safe.is_empty()) < 2 {
        return Ok(None);
    }
    let Some(last) = failing.pop() else {
        return Ok(None);
    };
    let mut input = Arc::clone(filter.input());
    let safe = (!safe.is_empty()).then(|| conjunction(safe));
    for predicate in safe.into_iter().chain(failing) {
        input = Arc::new(FilterExecBuilder::new(predicate, input).build()?);
    }
    let top = FilterExecBuilder::from(filter).with_input(input);
    Ok(Some(Arc::new(top.with_predicate(last).build()?)))
}

/// Returns a node with guarded expressions; `None` where none needs it.
fn guarded_node(node: &Node) -> Result<Option<Node>> {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        return guarded_projection(projection);
    }
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        return guarded_filter(filter);
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return guarded_aggregate(aggregate);
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let Some(filter) = guarded_join_filter(join.filter())? else {
            return Ok(None);
        };
        return join
            .builder()
            .with_filter(Some(filter))
            .build_exec()
            .map(Some);
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        let Some(filter) = guarded_join_filter(join.filter())? else {
            return Ok(None);
        };
        let join = NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter));
        return Ok(Some(Arc::new(join.build()?)));
    }
    if let Some(join) = node.downcast_ref::<SortMergeJoinExec>() {
        let Some(filter) = guarded_join_filter(join.filter().as_ref())? else {
            return Ok(None);
        };
        let join = SortMergeJoinExec::try_new(
            Arc::clone(join.left()),
            Arc::clone(join.right()),
            join.on().to_vec(),
            Some(filter),
            join.join_type(),
            join.sort_options().to_vec(),
            join.null_equality(),
        )?;
        return Ok(Some(Arc::new(join)));
    }
    Ok(None)
}

fn guarded_projection(projection: &ProjectionExec) -> Result<Option<Node>> {
    let input = projection.input();
    let schema = input.schema();
    let mut changed = false;
    let mut columns = Vec::with_capacity(projection.expr().len());
    for column in projection.expr() {
        let found = guarded(&column.expr, &schema)?;
        changed |= found.is_some();
        columns.push(ProjectionExpr {
            expr: found.unwrap_or_else(|| Arc::clone(&column.expr)),
            alias: column.alias.clone(),
        });
    }
    if !changed {
        return Ok(None);
    }
    let projection = ProjectionExec::try_new(columns, Arc::clone(input))?;
    Ok(Some(Arc::new(projection)))
}

fn guarded_filter(filter: &FilterExec) -> Result<Option<Node>> {
    let schema = filter.input().schema();
    let mut changed = false;
    let mut conditions = Vec::new();
    for condition in split_conjunction(filter.predicate()) {
        let found = guarded(condition, &schema)?;
        changed |= found.is_some();
        conditions.push(found.unwrap_or_else(|| Arc::clone(condition)));
    }
    if !changed {
        return Ok(None);
    }
    let filter = FilterExecBuilder::from(filter).with_predicate(conjunction(conditions));
    Ok(Some(Arc::new(filter.build()?)))
}

fn guarded_aggregate(aggregate: &AggregateExec) -> Result<Option<Node>> {
    let schema = aggregate.input().schema();
    let mut changed = false;
    let mut keys = Vec::new();
    for (key, name) in aggregate.group_expr().expr() {
        let found = guarded(key, &schema)?;
        changed |= found.is_some();
        keys.push((found.unwrap_or_else(|| Arc::clone(key)), name.clone()));
    }
    let mut functions = Vec::new();
    for function in aggregate.aggr_expr() {
        let mut arguments = Vec::new();
        let mut renewed = false;
        for argument in function.expressions() {
            let found = guarded(&argument, &schema)?;
            renewed |= found.is_some();
            arguments.push(found.unwrap_or(argument));
        }
        changed |= renewed;
        let order = function.order_bys().iter();
        let order = order.map(|order| Arc::clone(&order.expr)).collect();
        let found = match renewed {
            true => function.with_new_expressions(arguments, order),
            false => None,
        };
        functions.push(found.map_or_else(|| Arc::clone(function), Arc::new));
    }
    if !changed {
        return Ok(None);
    }
    let groups = aggregate.group_expr();
    let groups = PhysicalGroupBy::new(
        keys,
        groups.null_expr().to_vec(),
        groups.groups().to_vec(),
        groups.has_grouping_set(),
    );
    let guarded = AggregateExec::try_new(
        *aggregate.mode(),
        groups,
        functions,
        aggregate.filter_expr().to_vec(),
        Arc::clone(aggregate.input()),
        aggregate.input_schema(),
    )?;
    let guarded = guarded.with_limit_options(aggregate.limit_options());
    Ok(Some(Arc::new(guarded)))
}

fn guarded_join_filter(filter: Option<&JoinFilter>) -> Result<Option<JoinFilter>> {
    let Some(filter) = filter else {
        return Ok(None);
    };
    let Some(condition) = guarded(filter.expression(), filter.schema())? else {
        return Ok(None);
    };
    let columns = filter.column_indices().to_vec();
    Ok(Some(JoinFilter::new(
        condition,
        columns,
        Arc::clone(filter.schema()),
    )))
}

/// Returns an expression whose ANDs and ORs are guards; `None` where it needs none.
fn guarded(expression: &Expression, schema: &Schema) -> Result<Option<Expression>> {
    if !may_fail_physical(expression, schema) {
        return Ok(None);
    }
    let guarded = Arc::clone(expression).transform_up(|part| {
        let Some(binary) = part.downcast_ref::<BinaryExpr>() else {
            return Ok(Transformed::no(part));
        };
        let decided = match binary.op() {
            Operator::And => false,
            Operator::Or => true,
            _ => return Ok(Transformed::no(part)),
        };
        // A left side that is drawn may not be computed twice.
        if is_volatile(binary.left()) || !may_fail_physical(binary.right(), schema) {
            return Ok(Transformed::no(part));
        }
        let is_decided: Expression = Arc::new(BinaryExpr::new(
            Arc::clone(binary.left()),
            Operator::IsNotDistinctFrom,
            lit(decided),
        ));
        let whens = vec![(is_decided, lit(decided))];
        Ok(Transformed::yes(case(None, whens, Some(part))?))
    })?;
    Ok(guarded.transformed.then_some(guarded.data))
}
