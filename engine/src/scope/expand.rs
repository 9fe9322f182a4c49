//! Puts the expressions of functions written in SQL into the places of their calls.

use std::ops::ControlFlow;

use datafusion::common::{DataFusionError, plan_datafusion_err};
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{Expr, Function, VisitMut, visit_expressions_mut};

use super::TableName;
use super::collect::identifiers;
use crate::session::StatementContext;
use crate::sql::SqlFunction;

/// Functions that call each other deeper than this are a mistake: expressions double with each level.
const DEEPEST: usize = 16;

/// Expands every call in a tree. `own` is the name of a function that is being made.
pub(crate) fn expand<T: VisitMut>(
    context: &StatementContext,
    tree: &mut T,
    current_schema: &str,
    own: Option<&TableName>,
) -> Result<(), DataFusionError> {
    let mut stack: Vec<TableName> = own.into_iter().cloned().collect();
    expand_below((context, current_schema), tree, &mut stack)
}

/// Expands every call in the expressions of a statement.
pub(super) fn expand_statement(
    context: &StatementContext,
    statement: &mut ParsedStatement,
    current_schema: &str,
) -> Result<(), DataFusionError> {
    match statement {
        ParsedStatement::Statement(statement) => expand(context, statement, current_schema, None),
        ParsedStatement::Explain(explain) => {
            expand_statement(context, &mut explain.statement, current_schema)
        }
        ParsedStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => expand(context, query, current_schema, None),
            CopyToSource::Relation(_) => Ok(()),
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(()),
    }
}

type Names<'a> = (&'a StatementContext, &'a str);

fn expand_below<T: VisitMut>(
    names: Names<'_>,
    tree: &mut T,
    stack: &mut Vec<TableName>,
) -> Result<(), DataFusionError> {
    let outcome = visit_expressions_mut(tree, |node| {
        let Expr::Function(call) = node else {
            return ControlFlow::Continue(());
        };
        match expanded(names, call, stack) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(expression)) => {
                *node = expression;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    });
    match outcome {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Returns what a call stands for; `None` where the function is not written in SQL.
fn expanded(
    (context, current_schema): Names<'_>,
    call: &Function,
    stack: &mut Vec<TableName>,
) -> Result<Option<Expr>, DataFusionError> {
    let Some(parts) = identifiers(&call.name) else {
        return Ok(None);
    };
    let name = TableName::from_parts(&parts, current_schema);
    let is_builtin = parts.len() == 1 && context.has_builtin_function(&name.table);
    let in_stack = stack.contains(&name);
    if is_builtin && !in_stack {
        return Ok(None);
    }
    if in_stack {
        let path: Vec<_> = stack
            .iter()
            .chain([&name])
            .map(|name| name.shown(current_schema))
            .collect();
        return Err(plan_datafusion_err!(
            "function `{}` calls itself: {}",
            path[0],
            path.join(" -> ")
        ));
    }
    if stack.len() >= DEEPEST {
        return Err(plan_datafusion_err!(
            "functions call each other more than {DEEPEST} deep"
        ));
    }
    let Some(function) = find(context, &name)? else {
        return Ok(None);
    };
    let mut expression = function.expanded(call)?;
    stack.push(name);
    let outcome = expand_below((context, current_schema), &mut expression, stack);
    stack.pop();
    outcome.map(|()| Some(expression))
}

fn find(
    context: &StatementContext,
    name: &TableName,
) -> Result<Option<SqlFunction>, DataFusionError> {
    if let Some(assumed) = context.assumed_function(name) {
        return Ok(assumed);
    }
    let catalog = context.session.catalog();
    let entry = catalog
        .function(&name.schema, &name.table)
        .map_err(|error| {
            DataFusionError::External(Box::new(crate::failure::Failure::from(error)))
        })?;
    let Some(entry) = entry else {
        return Ok(None);
    };
    let function = serde_json::from_str(&entry.definition).map_err(|_| {
        plan_datafusion_err!(
            "the definition of function `{}` cannot be understood",
            name.table
        )
    })?;
    Ok(Some(function))
}
