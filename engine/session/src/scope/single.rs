//! Plans expressions that stand by themselves, as in SET of an UPDATE: functions that the catalog knows
//! and encoders can be called in them as in a query.

use std::ops::ControlFlow;

use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, visit_expressions_mut};
use lakesh_text::failure::Failure;

use super::encoder::EncoderCall;
use super::{Resolver, expand, planner};
use crate::StatementContext;

/// Plans an expression over the columns of a schema; it can hold no subquery.
pub fn single_expression(
    context: &StatementContext,
    schema: &DFSchema,
    mut tree: SqlExpr,
) -> Result<Expr, Failure> {
    let current_schema = context.current_schema();
    let explain = |error| context.failure(error);
    let mut functions = expand(context, &mut tree, current_schema, None).map_err(explain)?;
    let mut resolver = Resolver::new(context);
    for call in encoder_calls(&mut tree).map_err(explain)? {
        let function = resolver.encoder_function(&call, current_schema)?;
        functions.insert(function.name().to_owned(), function);
    }
    planner::expression(
        &context.state,
        schema,
        tree,
        context.parameters(),
        functions,
    )
    .map_err(explain)
}

fn encoder_calls(tree: &mut SqlExpr) -> Result<Vec<EncoderCall>, DataFusionError> {
    let mut calls = Vec::new();
    let visited = visit_expressions_mut(tree, |node| {
        if let SqlExpr::Function(function) = node {
            match EncoderCall::take_from(function) {
                Ok(call) => calls.extend(call),
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    });
    match visited {
        ControlFlow::Continue(()) => Ok(calls),
        ControlFlow::Break(error) => Err(error),
    }
}
