//! Evaluates expressions that name no column: versions, options, settings, arguments of readers.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, ParamValues, ScalarValue, plan_err};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, UnaryOperator, Value, ValueWithSpan};
use lakesh_text::failure::Failure;

use super::type_numbers_in;
use crate::time::{TimeTypes, session_zone};

/// Evaluates a constant expression. A bare word (`header => true`, `format = csv`) counts as text.
pub fn constant(
    expression: &SqlExpr,
    state: &SessionState,
    parameters: Option<&ParamValues>,
) -> Result<ScalarValue, DataFusionError> {
    if let SqlExpr::Identifier(word) = expression {
        return Ok(ScalarValue::Utf8(Some(word.value.clone())));
    }
    let schema = DFSchema::empty();
    let mut typed = expression.clone();
    type_numbers_in(&mut typed, &|_| None)?;
    let in_zone = state.config_options().execution.time_zone.is_some();
    // The state itself knows TIMESTAMPTZ in UTC alone.
    let moved = in_zone.then(|| {
        let types = TimeTypes::new(session_zone(state.config_options()));
        SessionStateBuilder::new_from_existing(state.clone())
            .with_type_planner(Arc::new(types))
            .build()
    });
    let state = moved.as_ref().unwrap_or(state);
    let planned = state.create_logical_expr_from_sql_expr(
        datafusion::sql::sqlparser::ast::ExprWithAlias {
            expr: typed,
            alias: None,
        },
        &schema,
    )?;
    let bound = bind(planned, parameters)?;
    let context = SimplifyContext::builder()
        .with_config_options(Arc::clone(state.config_options()))
        .with_query_execution_start_time(Some(
            state
                .execution_props()
                .query_execution_start_time
                .unwrap_or_else(chrono::Utc::now),
        ))
        .build();
    let simplifier = ExprSimplifier::new(context);
    let simple = simplifier.simplify(simplifier.coerce(bound, &schema)?)?;
    match simple {
        Expr::Literal(value, _) => Ok(value),
        Expr::Alias(alias) => match *alias.expr {
            Expr::Literal(value, _) => Ok(value),
            _ => plan_err!("`{expression}` is not a constant"),
        },
        _ => plan_err!("`{expression}` is not a constant"),
    }
}

/// Puts values in the place of `$name`.
pub fn bind(expression: Expr, parameters: Option<&ParamValues>) -> Result<Expr, DataFusionError> {
    let bound = expression.transform(|node| match &node {
        Expr::Placeholder(placeholder) => match parameters {
            Some(values) => {
                let value = values.get_placeholders_with_values(&placeholder.id)?;
                Ok(Transformed::yes(Expr::Literal(value.value, None)))
            }
            None => Err(DataFusionError::External(Box::new(Failure::without_value(
                &placeholder.id,
            )))),
        },
        _ => Ok(Transformed::no(node)),
    })?;
    Ok(bound.data)
}

/// Returns the text of a constant as an option's value is stored: strings without quotes.
pub fn constant_text(
    expression: &SqlExpr,
    state: &SessionState,
    parameters: Option<&ParamValues>,
) -> Result<String, DataFusionError> {
    if let Some(text) = literal_text(expression) {
        return Ok(text);
    }
    let value = constant(expression, state, parameters)?;
    // A moment is shown as a number otherwise.
    let value = match value.data_type().is_temporal() {
        true => value.cast_to(&DataType::Utf8)?,
        false => value,
    };
    Ok(match value.try_as_str() {
        Some(text) => text.unwrap_or_default().to_owned(),
        None => value.to_string(),
    })
}

/// Takes plain literals as they were written, so that `1.50` stays `1.50`.
fn literal_text(expression: &SqlExpr) -> Option<String> {
    match expression {
        SqlExpr::Value(ValueWithSpan { value, .. }) => match value {
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::Number(text, _) => Some(text.clone()),
            Value::Boolean(value) => Some(value.to_string()),
            _ => None,
        },
        SqlExpr::Identifier(word) => Some(word.value.clone()),
        SqlExpr::CompoundIdentifier(words) => Some(
            words
                .iter()
                .map(|word| word.value.as_str())
                .collect::<Vec<_>>()
                .join("."),
        ),
        SqlExpr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => literal_text(expr).map(|text| format!("-{text}")),
        _ => None,
    }
}
/// Returns a constant that is a whole number; `None` for 1.5, which a cast would round, and for a DOUBLE.
pub fn whole_number(value: &ScalarValue) -> Option<i64> {
    let kind = value.data_type();
    if kind.is_floating() {
        return None;
    }
    let whole = value.cast_to(&DataType::Int64).ok()?;
    if kind.is_decimal() && whole.cast_to(&kind).ok()? != *value {
        return None;
    }
    match whole {
        ScalarValue::Int64(number) => number,
        _ => None,
    }
}
