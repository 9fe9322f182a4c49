//! Calls table functions of ours: binds arguments by position and name, evaluates them, opens.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::datasource::TableProvider;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident};
use lakesh_catalog::definition::{TableRead, TableVersion};
use lakesh_sql::{constant, normalized};
use lakesh_table::Argument;
use lakesh_text::failure::{Failure, FailureKind};

use super::Resolver;
use crate::Session;

/// Returns the name of a reader by which DuckDB and others call it too.
fn own_name(name: &str) -> &str {
    match name {
        "read_csv_auto" | "csv_scan" => "read_csv",
        "parquet_scan" => "read_parquet",
        "read_json_auto" | "read_ndjson" | "read_ndjson_auto" => "read_json",
        "delta_scan" => "read_delta",
        other => other,
    }
}

/// Says whether a table function is ours, by its name in lower case.
pub(super) fn is_ours(session: &Session, name: &str) -> bool {
    let name = own_name(name);
    lakesh_table::READERS
        .iter()
        .any(|reader| reader.name == name)
        || session.table_function(name).is_some()
}

/// Opens what a call of one of our table functions returns.
pub(super) async fn call(
    resolver: &mut Resolver<'_>,
    name: &Ident,
    arguments: &[FunctionArg],
) -> Result<Arc<dyn TableProvider>, Failure> {
    let function = own_name(&normalized(name)).to_owned();
    let bound = arguments
        .iter()
        .map(|argument| bind(resolver, argument))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(ours) = resolver.context().session.table_function(&function) {
        return (ours.open)(resolver, bound).await;
    }
    let context = resolver.context();
    let shown = bound.first().map_or_else(
        || format!("{function}()"),
        |first| format!("{function}({})", first.value),
    );
    let bound = at_moment(resolver, &function, bound, &shown)?;
    let open = lakesh_table::read(&function, bound, &context.table_context()).await?;
    resolver.reads.push(TableRead {
        fingerprint: lakesh_table::fingerprint(open.provider.as_ref()),
        name: shown,
        version: open.version,
        location: Some(open.location.to_string()),
    });
    Ok(open.provider)
}

/// Puts the session's moment into a reader's call that names no version.
fn at_moment(
    resolver: &Resolver<'_>,
    function: &str,
    mut arguments: Vec<Argument>,
    shown: &str,
) -> Result<Vec<Argument>, Failure> {
    let named = |name: &str| {
        arguments
            .iter()
            .any(|argument| argument.name.as_deref() == Some(name))
    };
    let format = function.strip_prefix("read_").unwrap_or(function);
    if lakesh_table::has_versions(format) && (named("version") || named("timestamp")) {
        return Ok(arguments);
    }
    let at = resolver.moment(TableVersion::Latest, format, shown)?;
    if let TableVersion::Timestamp(moment) = at {
        arguments.push(Argument {
            name: Some("timestamp".to_owned()),
            value: ScalarValue::from(crate::moment_text(moment)),
        });
    }
    Ok(arguments)
}

/// Evaluates one argument; `name => value` and `name = value` are named.
fn bind(resolver: &Resolver<'_>, argument: &FunctionArg) -> Result<Argument, Failure> {
    let (name, value) = match argument {
        FunctionArg::Named { name, arg, .. } => (Some(normalized(name)), arg),
        FunctionArg::ExprNamed {
            name: Expr::Identifier(name),
            arg,
            ..
        } => (Some(normalized(name)), arg),
        FunctionArg::ExprNamed { name, .. } => {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{name}` is not the name of an argument"),
            ));
        }
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        })) if matches!(**left, Expr::Identifier(_)) => {
            let name = match &**left {
                Expr::Identifier(name) => Some(normalized(name)),
                _ => None,
            };
            let value = evaluate(resolver, right)?;
            return Ok(Argument { name, value });
        }
        FunctionArg::Unnamed(value) => (None, value),
    };
    match value {
        FunctionArgExpr::Expr(expression) => Ok(Argument {
            name,
            value: evaluate(resolver, expression)?,
        }),
        other => Err(Failure::new(
            FailureKind::Plan,
            format!("`{other}` cannot be an argument here"),
        )),
    }
}

fn evaluate(resolver: &Resolver<'_>, expression: &Expr) -> Result<ScalarValue, Failure> {
    let context = resolver.context();
    constant(expression, &context.state, context.parameters())
        .map_err(|error| context.failure(error))
}
