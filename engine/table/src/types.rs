//! SQL type names as Arrow types, for columns that a reader's arguments declare.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::ExprSchemable;
use datafusion::sql::sqlparser::ast::{CastKind, DataType as SqlType, Expr, ExprWithAlias, Value};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

/// Reads `a BIGINT, "B" VARCHAR` as columns; names keep their case.
pub(crate) fn columns(text: &str, state: &SessionState) -> Result<SchemaRef, String> {
    let parsed = parse_columns(text).map_err(|error| error.to_string())?;
    columns_of(parsed, state)
}

/// Reads pairs of a name and a SQL type.
pub(crate) fn columns_from_pairs(
    pairs: &[(String, String)],
    state: &SessionState,
) -> Result<SchemaRef, String> {
    let mut parsed = Vec::with_capacity(pairs.len());
    for (name, sql_type) in pairs {
        let data_type = parse_type(sql_type).map_err(|error| format!("`{sql_type}`: {error}"))?;
        parsed.push((name.clone(), data_type));
    }
    columns_of(parsed, state)
}

fn parse_columns(text: &str) -> Result<Vec<(String, SqlType)>, ParserError> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text)?;
    let mut columns = Vec::new();
    loop {
        let name = parser.parse_identifier()?.value;
        columns.push((name, parser.parse_data_type()?));
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::EOF)?;
    Ok(columns)
}

fn parse_type(text: &str) -> Result<SqlType, ParserError> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text)?;
    let data_type = parser.parse_data_type()?;
    parser.expect_token(&Token::EOF)?;
    Ok(data_type)
}

fn columns_of(parsed: Vec<(String, SqlType)>, state: &SessionState) -> Result<SchemaRef, String> {
    let mut fields: Vec<Field> = Vec::with_capacity(parsed.len());
    for (name, sql_type) in parsed {
        if fields.iter().any(|field| *field.name() == name) {
            return Err(format!("column `{name}` is declared twice"));
        }
        let data_type = arrow_type(sql_type, state)?;
        fields.push(Field::new(name, data_type, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Lets the planner translate the type, so that it means the same as in `CREATE TABLE`.
fn arrow_type(
    sql_type: SqlType,
    state: &SessionState,
) -> Result<datafusion::arrow::datatypes::DataType, String> {
    let cast = Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::Null.into())),
        data_type: sql_type,
        array: false,
        format: None,
    };
    let schema = DFSchema::empty();
    let expression = state
        .create_logical_expr_from_sql_expr(
            ExprWithAlias {
                expr: cast,
                alias: None,
            },
            &schema,
        )
        .map_err(|error| error.strip_backtrace())?;
    expression
        .get_type(&schema)
        .map_err(|error| error.strip_backtrace())
}
