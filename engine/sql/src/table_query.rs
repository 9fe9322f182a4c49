//! `TABLE t` as a query: `SELECT * FROM t`, as in the standard.
//!
//! sqlparser reads two tokens behind the name too, and drops them.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::word::is_word;

/// Words behind which a query begins.
const BEFORE: &[&str] = &[
    "union",
    "all",
    "distinct",
    "except",
    "intersect",
    "minus",
    "as",
    "explain",
];

/// Words that begin a clause.
const CLAUSES: &[Keyword] = &[
    Keyword::FROM,
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::QUALIFY,
    Keyword::WINDOW,
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::FETCH,
    Keyword::UNION,
    Keyword::EXCEPT,
    Keyword::INTERSECT,
    Keyword::JOIN,
    Keyword::ON,
    Keyword::USING,
];

/// Writes each such query as a SELECT.
pub(crate) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| is_word(token, "table")) {
        return tokens;
    }
    let words: Vec<usize> = (0..tokens.len())
        .filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
        .collect();
    let is_query = |at: usize| {
        let begins = match at.checked_sub(1).map(|before| &tokens[words[before]]) {
            None => true,
            Some(before) => {
                matches!(before.token, Token::LParen | Token::RParen)
                    || BEFORE.iter().any(|word| is_word(before, word))
            }
        };
        let names = words.get(at + 1).is_some_and(|next| {
            match &tokens[*next].token {
                // Behind an alias that is called so, a clause begins.
                Token::Word(word) => !CLAUSES.contains(&word.keyword),
                token => matches!(token, Token::SingleQuotedString(_)),
            }
        });
        begins && names && is_word(&tokens[words[at]], "table")
    };
    let places: Vec<usize> = (0..words.len())
        .filter(|at| is_query(*at))
        .map(|at| words[at])
        .collect();
    let mut written = Vec::with_capacity(tokens.len() + places.len() * 4);
    for (place, token) in tokens.into_iter().enumerate() {
        if places.contains(&place) {
            written.extend(select_from(&token));
        } else {
            written.push(token);
        }
    }
    written
}

/// Returns `SELECT * FROM`, at the place of a token.
fn select_from(token: &TokenWithSpan) -> [TokenWithSpan; 3] {
    let span = token.span;
    let word = |value: &str, keyword| {
        Token::Word(Word {
            value: value.to_owned(),
            quote_style: None,
            keyword,
        })
    };
    [
        word("SELECT", Keyword::SELECT),
        Token::Mul,
        word("FROM", Keyword::FROM),
    ]
    .map(|token| TokenWithSpan { token, span })
}

#[cfg(test)]
mod tests {
    use crate::parse_query;

    #[test]
    fn a_table_is_selected() {
        for (text, expected) in [
            ("TABLE s.t", "SELECT * FROM s.t"),
            (
                "TABLE t UNION ALL TABLE u ORDER BY 1",
                "SELECT * FROM t UNION ALL SELECT * FROM u ORDER BY 1",
            ),
            (
                "WITH c AS (TABLE t) TABLE c",
                "WITH c AS (SELECT * FROM t) SELECT * FROM c",
            ),
        ] {
            let query = parse_query(text).expect("it parses");
            assert_eq!(query.tree.to_string(), expected, "{text}");
        }
    }
}
