//! Calls of functions: what may stand in and behind their brackets.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Spanned, Visit, WindowFrame, WindowSpec, WindowType,
    visit_expressions,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::{Checked, Refusal, query};
use crate::{ParseResult, normalized, syntax_error};

/// What the planner takes a call for, in the order in which it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// One value a row.
    Scalar,
    /// One value a group; a window function too.
    Aggregate,
    /// A function of windows only.
    Window {
        /// Whether it takes IGNORE NULLS.
        takes_nulls: bool,
    },
    /// Nothing that is known; the planner says so.
    Unknown,
}

fn start(function: &Function) -> Location {
    function.name.span().start
}

/// Checks a call's form, which needs no knowledge of the function.
pub(super) fn function(function: &Function) -> Checked {
    let Function {
        name,
        uses_odbc_syntax: _,
        parameters,
        args,
        filter: _,
        null_treatment: _,
        over,
        within_group,
    } = function;
    let refuse = |message: String| Err(Refusal::at(start(function), message));
    match parameters {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(_) | FunctionArguments::List(_) => {
            return refuse(format!("`{name}` takes one list of arguments"));
        }
    }
    match args {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(_) => {
            return refuse(format!(
                "a query as the argument of `{name}` is not supported; use array_agg(…) in a subquery"
            ));
        }
        FunctionArguments::List(list) => arguments(function, list)?,
    }
    match over {
        None | Some(WindowType::NamedWindow(_)) => {}
        Some(WindowType::WindowSpec(spec)) => window(spec)?,
    }
    query::sort_keys(within_group)
}

fn arguments(function: &Function, list: &FunctionArgumentList) -> Checked {
    let FunctionArgumentList {
        duplicate_treatment,
        args,
        clauses,
    } = list;
    let refuse = |message: String| Err(Refusal::at(start(function), message));
    let is_columns = function.name.to_string().eq_ignore_ascii_case("columns");
    for argument in args {
        let value = match argument {
            FunctionArg::Unnamed(value)
            | FunctionArg::Named {
                name: _,
                arg: value,
                operator: _,
            } => value,
            FunctionArg::ExprNamed {
                name,
                arg,
                operator: _,
            } => match name {
                Expr::Identifier(_) => arg,
                _ => return refuse(format!("`{name}` is no argument's name")),
            },
        };
        match value {
            FunctionArgExpr::Expr(_) => {}
            FunctionArgExpr::Wildcard => {
                if *duplicate_treatment == Some(DuplicateTreatment::Distinct) {
                    return refuse(format!(
                        "`{}(DISTINCT *)` is not supported; count the rows of SELECT DISTINCT *",
                        function.name
                    ));
                }
            }
            // `scope::names` writes the columns out.
            FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_)
                if is_columns => {}
            FunctionArgExpr::QualifiedWildcard(table) => {
                return refuse(format!(
                    "`{table}.*` as an argument is not supported; name a column"
                ));
            }
            FunctionArgExpr::WildcardWithOptions(_) => {
                return refuse(
                    "`*` with EXCLUDE or REPLACE as an argument is not supported".into(),
                );
            }
        }
    }
    for clause in clauses {
        let what = match clause {
            FunctionArgumentClause::IgnoreOrRespectNulls(_) => continue,
            FunctionArgumentClause::OrderBy(keys) => {
                query::sort_keys(keys)?;
                continue;
            }
            FunctionArgumentClause::Limit(_) => "LIMIT",
            FunctionArgumentClause::OnOverflow(_) => "ON OVERFLOW",
            FunctionArgumentClause::Having(_) => "HAVING",
            FunctionArgumentClause::Separator(_) => "SEPARATOR",
            FunctionArgumentClause::JsonNullClause(_)
            | FunctionArgumentClause::JsonReturningClause(_) => "a clause for JSON",
        };
        return refuse(format!(
            "{what} among the arguments of `{}` is not supported",
            function.name
        ));
    }
    Ok(())
}

/// Checks a window.
pub(super) fn window(spec: &WindowSpec) -> Checked {
    let WindowSpec {
        window_name: _,
        partition_by: _,
        order_by,
        window_frame,
    } = spec;
    // EXCLUDE is among the keys; see `frame`.
    let (None
    | Some(WindowFrame {
        units: _,
        start_bound: _,
        end_bound: _,
    })) = window_frame;
    query::sort_keys(order_by)
}

/// Refuses what the planner would drop from a call, which depends on what the function is.
///
/// # Errors
///
/// Fails at the first call with a clause that its function has no use for.
pub fn check_calls<T: Visit>(tree: &T, kind: &dyn Fn(&str) -> CallKind) -> ParseResult<()> {
    let flow = visit_expressions(tree, |expression| match expression {
        Expr::Function(function) => match unused(function, kind) {
            None => ControlFlow::Continue(()),
            Some(message) => ControlFlow::Break(syntax_error(&message, start(function))),
        },
        _ => ControlFlow::Continue(()),
    });
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The clauses of a call.
struct Clauses {
    distinct: bool,
    order: bool,
    nulls: bool,
}

fn clauses(function: &Function) -> Clauses {
    let mut found = Clauses {
        distinct: false,
        order: false,
        nulls: function.null_treatment.is_some(),
    };
    if let FunctionArguments::List(list) = &function.args {
        found.distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(_) => found.order = true,
                FunctionArgumentClause::IgnoreOrRespectNulls(_) => found.nulls = true,
                _ => {}
            }
        }
    }
    found
}

fn unused(function: &Function, kind: &dyn Fn(&str) -> CallKind) -> Option<String> {
    let name = match function.name.0.as_slice() {
        [only] => only.as_ident().map(normalized)?,
        _ => function.name.to_string(),
    };
    let found = clauses(function);
    let has = |clauses: &[(bool, &'static str)]| {
        let first = clauses.iter().find(|(present, _)| *present);
        first.map(|(_, what)| *what)
    };
    match kind(&name) {
        CallKind::Unknown | CallKind::Aggregate => None,
        CallKind::Scalar => has(&[
            (function.over.is_some(), "OVER"),
            (function.filter.is_some(), "FILTER"),
            (found.distinct, "DISTINCT"),
            (found.order, "ORDER BY"),
            (found.nulls, "IGNORE or RESPECT NULLS"),
            (!function.within_group.is_empty(), "WITHIN GROUP"),
        ])
        .map(|what| format!("`{name}` is no aggregate: it takes no {what}")),
        CallKind::Window { takes_nulls } => has(&[
            (function.filter.is_some(), "FILTER"),
            (found.distinct, "DISTINCT"),
            (found.order, "ORDER BY among its arguments"),
            (found.nulls && !takes_nulls, "IGNORE or RESPECT NULLS"),
        ])
        .map(|what| format!("`{name}` takes no {what}")),
    }
}
