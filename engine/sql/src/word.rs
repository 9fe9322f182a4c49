//! Words among the tokens of a statement.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// Says whether a token is this word, in any case and without quotes.
pub(crate) fn is_word(token: &TokenWithSpan, expected: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}
