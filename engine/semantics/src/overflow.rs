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
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;

use crate::physical::{Expression, Node, with_expressions};

/// Makes the arithmetic of a plan check its results.
#[derive(Debug)]
pub(crate) struct CheckOverflow;

impl PhysicalOptimizerRule for CheckOverflow {
    fn optimize(&self, plan: Node, _config: &ConfigOptions) -> Result<Node> {
        with_expressions(plan, &|expression, _| checked(expression))
    }

    fn name(&self) -> &str {
        "check_overflow"
    }

    fn schema_check(&self) -> bool {
        true
    }
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
