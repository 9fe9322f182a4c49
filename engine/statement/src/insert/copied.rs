//! `COPY t [(column, …)] FROM 'file' [(option value, …)]`: the rows of a file, as INSERT takes them.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, Ident, ObjectName, SetExpr,
    TableFactor, TableFunctionArgs, Value,
};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::Statement;
use lakesh_sql::{ParseResult, StatementParser, normalized, select_from_nothing, syntax_error};

use super::{Existing, Insert, Matching};

/// Reads what follows COPY, where rows come from a file.
pub(crate) fn copied(parser: &mut StatementParser) -> ParseResult<Box<dyn Statement>> {
    let table = parser.name()?;
    let mut columns: Vec<Ident> = Vec::new();
    if parser.sql().consume_token(&Token::LParen) {
        columns = parser
            .sql()
            .parse_comma_separated(|parser| parser.parse_identifier())?;
        parser.sql().expect_token(&Token::RParen)?;
    }
    parser.expect(&["from"])?;
    let place = parser.sql().peek_token_ref().span.start;
    let path = parser.string()?;
    parser.accept(&["with"]);
    let options = match parser.sql().peek_token_ref().token {
        Token::LParen => parser.options()?,
        _ => Vec::new(),
    };
    let mut query = Box::new(select_from_nothing());
    let factor = reader(&path, options).map_err(|problem| syntax_error(&problem, place))?;
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(from) = select.from.first_mut()
    {
        from.relation = factor;
    }
    parser.complete(&mut query)?;
    parser.finish()?;
    Ok(Box::new(Insert {
        table,
        existing: Existing::Keep,
        matching: match columns.is_empty() {
            true => Matching::Position,
            false => Matching::Listed(columns),
        },
        evolves: false,
        query,
        versions: parser.take_versions(),
    }))
}

/// The function that reads a file, with the options that stand behind it.
fn reader(path: &str, options: Vec<(String, Expr)>) -> Result<TableFactor, String> {
    let mut format = None;
    let text = |value: &str| Expr::value(Value::SingleQuotedString(value.to_owned()));
    let mut arguments = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(text(path)))];
    for (key, value) in options {
        if key == "format" {
            let named = match &value {
                Expr::Identifier(word) => normalized(word),
                other => other.to_string().trim_matches('\'').to_lowercase(),
            };
            format = Some(named);
            continue;
        }
        arguments.push(FunctionArg::Named {
            name: Ident::with_quote('"', key),
            arg: FunctionArgExpr::Expr(value),
            operator: FunctionArgOperator::RightArrow,
        });
    }
    let format = format.unwrap_or_else(|| {
        let name = path.to_lowercase();
        let known = ["parquet", "json", "ndjson", "jsonl", "avro", "arrow"];
        let found = known.iter().find(|suffix| {
            name.strip_suffix(**suffix)
                .is_some_and(|rest| rest.ends_with('.'))
        });
        found.map_or("csv", |suffix| *suffix).to_owned()
    });
    let function = match format.as_str() {
        "csv" | "tsv" | "text" => "read_csv",
        "parquet" => "read_parquet",
        "json" | "ndjson" | "jsonl" => "read_json",
        "avro" => "read_avro",
        "arrow" => "read_arrow",
        other => {
            return Err(format!(
                "COPY … FROM reads csv, json, parquet, avro and arrow, not `{other}`"
            ));
        }
    };
    Ok(TableFactor::Table {
        name: ObjectName::from(vec![Ident::new(function)]),
        alias: None,
        args: Some(TableFunctionArgs {
            args: arguments,
            settings: None,
        }),
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    })
}
