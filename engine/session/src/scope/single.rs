//! Plans expressions that stand by themselves, as in SET of an UPDATE: functions that the catalog knows
//! and encoders can be called in them as in a query.

use std::ops::ControlFlow;

use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, visit_expressions_mut};
use lakesh_sql::{Meaning, ambiguous, meaning, normalized};
use lakesh_text::failure::Failure;

use super::encoder::EncoderCall;
use super::{Resolver, StatementScope, expand, names, planner};
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
    let scope = StatementScope::default();
    let known = planner::Known::new(&context.state, &scope);
    let is_strict = context.session.behaviour().strict_names;
    names::resolve_expression(&mut tree, schema, &known, is_strict).map_err(explain)?;
    planner::expression(
        &context.state,
        schema,
        tree,
        context.parameters(),
        functions,
    )
    .map_err(explain)
}

/// Returns the name that a word stands for among others, as it is spelled; nothing where it fits none.
pub fn find_name<'a>(
    context: &StatementContext,
    names: impl Iterator<Item = &'a str>,
    word: &Ident,
) -> Result<Option<String>, Failure> {
    let wanted = normalized(word);
    let is_strict = word.quote_style.is_some() || context.session.behaviour().strict_names;
    match meaning(names, &wanted) {
        Meaning::Exact => Ok(Some(wanted)),
        Meaning::Nothing => Ok(None),
        _ if is_strict => Ok(None),
        Meaning::Folded(name) => Ok(Some(name.to_owned())),
        Meaning::Several(names) => Err(context.failure(ambiguous(word, &names))),
    }
}

/// Returns an expression whose names are spelled as the columns of a schema are, for readers that do not look
/// for them in any case.
pub fn spelled_expression(
    context: &StatementContext,
    schema: &DFSchema,
    tree: &SqlExpr,
) -> Result<SqlExpr, Failure> {
    let mut tree = tree.clone();
    let scope = StatementScope::default();
    let known = planner::Known::new(&context.state, &scope);
    let is_strict = context.session.behaviour().strict_names;
    names::resolve_expression(&mut tree, schema, &known, is_strict)
        .map_err(|error| context.failure(error))?;
    Ok(tree)
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
