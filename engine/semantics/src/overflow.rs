//! Integers that leave the range of their type are an error, as in DuckDB and PostgreSQL.
//!
//! DataFusion's `+`, `-` and `*` wrap around, and a wrong number looks like any other.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, PhysicalGroupBy};
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

type Node = Arc<dyn ExecutionPlan>;
type Expression = Arc<dyn PhysicalExpr>;

/// Makes the arithmetic of a plan check its results.
#[derive(Debug)]
pub(crate) struct CheckOverflow;

impl PhysicalOptimizerRule for CheckOverflow {
    fn optimize(&self, plan: Node, _config: &ConfigOptions) -> Result<Node> {
        let plan = plan.transform_up(|node| {
            let checked = checked_node(&node)?;
            Ok(checked.map_or_else(|| Transformed::no(node), Transformed::yes))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "check_overflow"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Returns a node with checked expressions; `None` where it has no arithmetic.
fn checked_node(node: &Node) -> Result<Option<Node>> {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        return checked_projection(projection);
    }
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        let Some(predicate) = checked(filter.predicate())? else {
            return Ok(None);
        };
        let filter = FilterExecBuilder::from(filter).with_predicate(predicate);
        return Ok(Some(Arc::new(filter.build()?)));
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return checked_aggregate(aggregate);
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let Some(filter) = join.filter() else {
            return Ok(None);
        };
        let Some(condition) = checked(filter.expression())? else {
            return Ok(None);
        };
        let columns = filter.column_indices().to_vec();
        let filter = JoinFilter::new(condition, columns, Arc::clone(filter.schema()));
        return join
            .builder()
            .with_filter(Some(filter))
            .build_exec()
            .map(Some);
    }
    Ok(None)
}

fn checked_projection(projection: &ProjectionExec) -> Result<Option<Node>> {
    let mut changed = false;
    let mut columns = Vec::with_capacity(projection.expr().len());
    for column in projection.expr() {
        let expr = checked(&column.expr)?;
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

fn checked_aggregate(aggregate: &AggregateExec) -> Result<Option<Node>> {
    let mut changed = false;
    let mut functions = Vec::with_capacity(aggregate.aggr_expr().len());
    for function in aggregate.aggr_expr() {
        let found = checked_function(function)?;
        changed |= found.is_some();
        functions.push(found.map_or_else(|| Arc::clone(function), Arc::new));
    }
    let groups = aggregate.group_expr();
    let mut keys = Vec::with_capacity(groups.expr().len());
    for (key, name) in groups.expr() {
        let found = checked(key)?;
        changed |= found.is_some();
        keys.push((found.unwrap_or_else(|| Arc::clone(key)), name.clone()));
    }
    if !changed {
        return Ok(None);
    }
    let (nulls, sets) = (groups.null_expr().to_vec(), groups.groups().to_vec());
    let checked = AggregateExec::try_new(
        *aggregate.mode(),
        PhysicalGroupBy::new(keys, nulls, sets, groups.has_grouping_set()),
        functions,
        aggregate.filter_expr().to_vec(),
        Arc::clone(aggregate.input()),
        aggregate.input_schema(),
    )?;
    Ok(Some(Arc::new(
        checked.with_limit_options(aggregate.limit_options()),
    )))
}

/// Returns an aggregate function with checked arguments; `None` where they have no arithmetic.
fn checked_function(function: &AggregateFunctionExpr) -> Result<Option<AggregateFunctionExpr>> {
    let mut changed = false;
    let mut arguments = Vec::new();
    for argument in function.expressions() {
        let found = checked(&argument)?;
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

/// Returns an expression whose arithmetic checks its results; `None` where it has none.
fn checked(expression: &Expression) -> Result<Option<Expression>> {
    let found = Arc::clone(expression).transform_up(|expression| {
        let Some(binary) = expression.downcast_ref::<BinaryExpr>() else {
            return Ok(Transformed::no(expression));
        };
        if !is_arithmetic(*binary.op()) {
            return Ok(Transformed::no(expression));
        }
        let checked: Expression = Arc::new(binary.clone().with_fail_on_overflow(true));
        Ok(Transformed::yes(checked))
    })?;
    Ok(found.transformed.then_some(found.data))
}

fn is_arithmetic(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Plus | Operator::Minus | Operator::Multiply
    )
}

/// Refuses constants that leave their range: the optimizer computes them before a plan is made.
#[derive(Debug)]
pub(crate) struct CheckConstants;

impl AnalyzerRule for CheckConstants {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expression| expression.apply(check_constant))
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "check_constants"
    }
}

fn check_constant(expression: &Expr) -> Result<TreeNodeRecursion> {
    let Expr::BinaryExpr(binary) = expression else {
        return Ok(TreeNodeRecursion::Continue);
    };
    if !is_arithmetic(binary.op) || !is_constant(expression)? {
        return Ok(TreeNodeRecursion::Continue);
    }
    let schema = DFSchema::empty();
    let properties = ExecutionProps::new();
    let physical = create_physical_expr(
        expression,
        &schema,
        &properties,
        &PhysicalPlanningContext::default(),
    )?;
    if let Some(checked) = checked(&physical)? {
        let row = datafusion::arrow::record_batch::RecordBatch::try_new_with_options(
            Arc::clone(schema.inner()),
            Vec::new(),
            &datafusion::arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(1)),
        )?;
        checked.evaluate(&row)?;
    }
    Ok(TreeNodeRecursion::Jump)
}

/// Says whether an expression consists of literals, casts and arithmetic alone.
fn is_constant(expression: &Expr) -> Result<bool> {
    let mut constant = true;
    expression.apply(|part| {
        constant = matches!(
            part,
            Expr::Literal(..)
                | Expr::Cast(_)
                | Expr::TryCast(_)
                | Expr::Negative(_)
                | Expr::BinaryExpr(_)
                | Expr::Alias(_)
        );
        Ok(match constant {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    })?;
    Ok(constant)
}
