//! Reads an INSERT: the words of Delta's users, which the parser of DataFusion does not know.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::{Existing, Insert, Matching};
use crate::sql::{ParseResult, StatementParser, refuse_version, syntax_error};

/// Reads what follows the word INSERT.
pub(super) fn parse(parser: &mut StatementParser) -> ParseResult<Insert> {
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
        Existing::ReplaceWhere(Box::new(parser.sql().parse_expr()?))
    } else if overwrites {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let matching = matching(parser)?;
    let query = parser.sql().parse_query()?;
    refuse_rest(parser)?;
    let mut versions = parser.take_versions();
    if let Some(name) = table.0.last().and_then(|part| part.as_ident()) {
        refuse_version(name, &mut versions)?;
    }
    Ok(Insert {
        table,
        existing,
        matching,
        evolves,
        query,
        versions,
    })
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
            "ON CONFLICT; MERGE updates rows that are there",
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
pub(super) fn column_names(columns: &[Ident]) -> Vec<ObjectName> {
    columns
        .iter()
        .map(|column| ObjectName::from(vec![column.clone()]))
        .collect()
}
