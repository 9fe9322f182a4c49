//! Functions in FROM whose arguments are columns of what stands before them.
//!
//! The planner evaluates the arguments of a function in FROM before it knows any column, but not those of
//! `unnest`, which takes a list of each row.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, TableAlias, TableAliasColumnDef,
    TableFactor, TableFunctionArgs, visit_expressions,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::call;
use crate::normalized;

/// The series that can stand in FROM; their column is called as they are.
const SERIES: [&str; 2] = ["generate_series", "range"];

/// Says whether a name in FROM is that of a series.
#[must_use]
pub fn is_series(name: &ObjectName) -> bool {
    single(name).is_some_and(|(name, _)| SERIES.contains(&name.as_str()))
}

/// Writes a call of a series, or of `unnest` behind LATERAL, as `unnest`.
pub(super) fn rewrite(factor: &mut TableFactor) {
    let (name, arguments, alias) = match factor {
        TableFactor::Table {
            name,
            args:
                Some(TableFunctionArgs {
                    args,
                    settings: None,
                }),
            alias,
            ..
        }
        | TableFactor::Function {
            name,
            args,
            alias,
            with_ordinality: false,
            lateral: _,
        } => (name, args, alias),
        _ => return,
    };
    let Some((name, place)) = single(name) else {
        return;
    };
    let Some(arguments) = values(arguments) else {
        return;
    };
    let mut alias = alias.clone();
    let array_exprs = match name.as_str() {
        "unnest" => arguments,
        _ if SERIES.contains(&name.as_str()) && arguments.iter().any(names_column) => {
            let alias = alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: Ident::new(name.clone()),
                columns: Vec::new(),
                at: None,
            });
            if alias.columns.is_empty() {
                alias
                    .columns
                    .push(TableAliasColumnDef::from_name(name.as_str()));
            }
            vec![call(&name, arguments, place)]
        }
        _ => return,
    };
    *factor = TableFactor::UNNEST {
        alias,
        array_exprs,
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    };
}

fn single(name: &ObjectName) -> Option<(String, Span)> {
    let [only] = name.0.as_slice() else {
        return None;
    };
    only.as_ident().map(|name| (normalized(name), name.span))
}

fn values(arguments: &[FunctionArg]) -> Option<Vec<Expr>> {
    let value = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
        _ => None,
    };
    arguments.iter().map(value).collect()
}

fn names_column(value: &Expr) -> bool {
    let found = visit_expressions(value, |part| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
