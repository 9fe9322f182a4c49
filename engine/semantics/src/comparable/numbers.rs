//! Whatever its sign, NaN is greater than all numbers.
//!
//! This is done last of all: rules make joins of plain comparisons, and scans prune by them.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;

use super::CANONICAL;
use crate::physical::{Expression, Node, with_expressions};

/// Puts the canonical form around doubles that are compared.
#[derive(Debug)]
pub(crate) struct CompareNumbers {
    /// Whether this is the rule that runs before filters move into scans; it does where these answer for them.
    pub(crate) before_scans: bool,
}

impl PhysicalOptimizerRule for CompareNumbers {
    fn optimize(&self, plan: Node, config: &ConfigOptions) -> Result<Node> {
        let scans_filter = config.execution.parquet.pushdown_filters;
        if self.before_scans != scans_filter {
            return Ok(plan);
        }
        let config = Arc::new(config.clone());
        with_expressions(plan, &|expression, schema| {
            compared(expression, schema, &config)
        })
    }

    fn name(&self) -> &str {
        "compare_numbers"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn compared(
    expression: &Expression,
    schema: &Schema,
    config: &Arc<ConfigOptions>,
) -> Result<Option<Expression>> {
    let found = Arc::clone(expression).transform_up(|expression| {
        let Some(binary) = expression.downcast_ref::<BinaryExpr>() else {
            return Ok(Transformed::no(expression));
        };
        let (left, right) = (binary.left(), binary.right());
        // A number other than NaN is equal to no NaN, whatever its sign.
        let can_differ = match binary.op() {
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => true,
            Operator::Eq
            | Operator::NotEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => !is_number(left) && !is_number(right),
            _ => false,
        };
        if !can_differ || !left.data_type(schema)?.is_floating() {
            return Ok(Transformed::no(expression));
        }
        let new_left = form(left, schema, config)?;
        let new_right = form(right, schema, config)?;
        if new_left.is_none() && new_right.is_none() {
            return Ok(Transformed::no(expression));
        }
        let left = new_left.unwrap_or_else(|| Arc::clone(left));
        let right = new_right.unwrap_or_else(|| Arc::clone(right));
        let compared: Expression = Arc::new(BinaryExpr::new(left, *binary.op(), right));
        Ok(Transformed::yes(compared))
    })?;
    Ok(found.transformed.then_some(found.data))
}

fn is_number(expression: &Expression) -> bool {
    let literal = expression.downcast_ref::<Literal>();
    literal.is_some_and(|literal| !is_nan(literal.value()))
}

/// Returns the canonical form; `None` for a number, which is its own.
fn form(
    expression: &Expression,
    schema: &Schema,
    config: &Arc<ConfigOptions>,
) -> Result<Option<Expression>> {
    let is_ours = expression
        .downcast_ref::<ScalarFunctionExpr>()
        .is_some_and(|function| function.name() == CANONICAL.name());
    if is_number(expression) || is_ours {
        return Ok(None);
    }
    let arguments = vec![Arc::clone(expression)];
    let field = expression.return_field(schema)?;
    Ok(Some(Arc::new(ScalarFunctionExpr::new(
        CANONICAL.name(),
        Arc::clone(&CANONICAL),
        arguments,
        field,
        Arc::clone(config),
    ))))
}

fn is_nan(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Float64(Some(value)) => value.is_nan(),
        ScalarValue::Float32(Some(value)) => value.is_nan(),
        ScalarValue::Float16(Some(value)) => value.is_nan(),
        _ => false,
    }
}
