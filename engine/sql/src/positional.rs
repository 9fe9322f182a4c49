//! `a POSITIONAL JOIN b`, DuckDB's join by the numbers of rows, is refused: the parser would take POSITIONAL for
//! an alias and join each row with each.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::word::is_word;
use crate::{ParseResult, syntax_error};

/// Fails at the first such join.
pub(crate) fn refuse(tokens: &[TokenWithSpan]) -> ParseResult<()> {
    let mut before: Option<&TokenWithSpan> = None;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        if is_word(token, "join")
            && let Some(word) = before.filter(|word| is_word(word, "positional"))
        {
            return Err(syntax_error(
                "POSITIONAL JOIN is not supported: rows of a table have no numbers; give both sides one with row_number() and join with USING",
                word.span.start,
            ));
        }
        before = Some(token);
    }
    Ok(())
}
