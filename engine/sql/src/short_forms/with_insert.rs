//! `WITH q AS (…) INSERT INTO t SELECT …`, as PostgreSQL and DuckDB write it: the WITH moves to the query of the
//! INSERT, which is the only one that can use it.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::word::is_word;

/// Moves a WITH that stands before INSERT behind the table and its columns; other tokens stay as they are.
pub(super) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let Some((with, insert, query)) = parts(&tokens) else {
        return tokens;
    };
    let mut made = Vec::with_capacity(tokens.len());
    made.extend_from_slice(&tokens[..with]);
    made.extend_from_slice(&tokens[insert..query]);
    made.extend_from_slice(&tokens[with..insert]);
    made.extend_from_slice(&tokens[query..]);
    made
}

/// The places of WITH, of INSERT, and of the query that is inserted.
fn parts(tokens: &[TokenWithSpan]) -> Option<(usize, usize, usize)> {
    let mut solid = (0..tokens.len()).filter(|place| !is_blank(&tokens[*place]));
    let with = solid.next()?;
    if !is_word(&tokens[with], "with") {
        return None;
    }
    let insert = outermost(tokens, with, &["insert", "select"])?;
    if !is_word(&tokens[insert], "insert") {
        return None;
    }
    let query = outermost(tokens, insert, &["select", "values", "from", "with"])?;
    // A query of its own WITH would have two of them.
    (!is_word(&tokens[query], "with")).then_some((with, insert, query))
}

/// Finds the first of some words that stands in no brackets, or the bracket that begins a query of them.
fn outermost(tokens: &[TokenWithSpan], begin: usize, words: &[&str]) -> Option<usize> {
    let is_any = |place: usize| words.iter().any(|word| is_word(&tokens[place], word));
    let mut depth = 0_usize;
    for place in begin + 1..tokens.len() {
        match tokens[place].token {
            Token::LParen => {
                let inner = (place + 1..tokens.len()).find(|place| !is_blank(&tokens[*place]))?;
                let is_query =
                    is_word(&tokens[inner], "select") || is_word(&tokens[inner], "values");
                if depth == 0 && is_query && words.contains(&"values") {
                    return Some(place);
                }
                depth += 1;
            }
            Token::RParen => depth = depth.checked_sub(1)?,
            _ if depth == 0 && is_any(place) => return Some(place),
            _ => {}
        }
    }
    None
}

fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_))
}
