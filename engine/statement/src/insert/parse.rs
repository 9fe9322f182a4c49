//! Reads an INSERT: the words of Delta's users, which the parser of DataFusion does not know.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, SelectItem, SetExpr};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::Statement;
use lakesh_sql::{ParseResult, StatementParser, refuse_version, syntax_error};

use super::{Existing, Insert, Matching};
use crate::merge::upsert::{Upsert, conflict};
use crate::mutating::Mutating;

/// Reads what follows the word INSERT.
pub(super) fn parse(parser: &mut StatementParser) -> ParseResult<Box<dyn Statement>> {
    let evolves = parser.accept(&["with", "schema", "evolution"]);
    let overwrites = parser.accept(&["overwrite"]);
    if !parser.accept(&["into"]) && !overwrites {
        return parser.expected("INTO or OVERWRITE");
    }
    parser.accept(&["table"]);
    let table = parser.name()?;
    let existing = if parser.accept(&["replace", "where"]) {
        let place = parser.sql().peek_token_ref().span.start;
        if overwrites {
            return Err(syntax_error(
                "OVERWRITE and REPLACE WHERE exclude each other",
                place,
            ));
        }
        Existing::ReplaceWhere(Box::new(parser.expression()?))
    } else if overwrites {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let matching = matching(parser)?;
    let mut query = parser.sql().parse_query()?;
    if matching != Matching::Name && !evolves {
        name_repeated(&mut query.body);
    }
    parser.complete(&mut query)?;
    let plain = existing_is_kept(&existing) && !evolves && matching != Matching::Name;
    if plain && let Some(conflict) = conflict(parser)? {
        refuse_rest(parser)?;
        let mut versions = parser.take_versions();
        if let Some(name) = table.0.last().and_then(|part| part.as_ident()) {
            refuse_version(name, &mut versions)?;
        }
        let columns = match matching {
            Matching::Listed(columns) => columns,
            Matching::Position | Matching::Name => Vec::new(),
        };
        return Ok(Box::new(Mutating(Upsert {
            table,
            columns,
            query,
            versions,
            conflict,
        })));
    }
    refuse_rest(parser)?;
    let mut versions = parser.take_versions();
    if let Some(name) = table.0.last().and_then(|part| part.as_ident()) {
        refuse_version(name, &mut versions)?;
    }
    Ok(Box::new(Insert {
        table,
        existing,
        matching,
        evolves,
        query,
        versions,
    }))
}

fn existing_is_kept(existing: &Existing) -> bool {
    matches!(existing, Existing::Keep)
}

/// Names what a query computes, since the planner's own names may be alike: of a text that becomes a date and
/// of the same date, for one. Columns go by their places, so that names mean nothing.
fn name_repeated(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let mut seen = HashSet::new();
            for (place, item) in select.projection.iter_mut().enumerate() {
                if let SelectItem::UnnamedExpr(expression) = item
                    && (!seen.insert(expression.to_string()) || !is_column(expression))
                {
                    *item = SelectItem::ExprWithAlias {
                        alias: Ident::with_quote('"', format!("{expression} ({})", place + 1)),
                        expr: expression.clone(),
                    };
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            name_repeated(left);
            name_repeated(right);
        }
        SetExpr::Query(query) => name_repeated(&mut query.body),
        _ => {}
    }
}

fn is_column(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::Identifier(_) | Expr::CompoundIdentifier(_)
    )
}

fn matching(parser: &mut StatementParser) -> ParseResult<Matching> {
    if parser.accept(&["by", "name"]) {
        return Ok(Matching::Name);
    }
    let is_list = parser.sql().peek_token_ref().token == Token::LParen
        && !begins_query(&parser.sql().peek_nth_token_ref(1).token);
    if !is_list {
        return Ok(Matching::Position);
    }
    parser.sql().expect_token(&Token::LParen)?;
    let columns = parser
        .sql()
        .parse_comma_separated(Parser::parse_identifier)?;
    parser.sql().expect_token(&Token::RParen)?;
    Ok(Matching::Listed(columns))
}

fn begins_query(token: &Token) -> bool {
    use datafusion::sql::sqlparser::keywords::Keyword;
    match token {
        Token::LParen => true,
        Token::Word(word) => {
            word.quote_style.is_none()
                && matches!(
                    word.keyword,
                    Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM
                )
        }
        _ => false,
    }
}

/// Names what other databases know and lakesh does not.
fn refuse_rest(parser: &mut StatementParser) -> ParseResult<()> {
    for (words, what) in [
        (
            &["on"][..],
            "ON CONFLICT beside OVERWRITE, REPLACE WHERE, BY NAME and SCHEMA EVOLUTION; MERGE updates rows that are there",
        ),
        (&["returning"][..], "RETURNING"),
    ] {
        if parser.peeks(words) {
            let place = parser.sql().peek_token_ref().span.start;
            return Err(syntax_error(&format!("INSERT has no {what}"), place));
        }
    }
    Ok(())
}

/// Makes names of columns as the parser makes them.
pub(super) fn column_names(columns: &[String]) -> Vec<ObjectName> {
    columns
        .iter()
        .map(|column| ObjectName::from(vec![Ident::with_quote('"', column)]))
        .collect()
}
