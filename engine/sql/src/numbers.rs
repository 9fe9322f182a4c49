//! Numbers as they are written: `1_000_000`, and no name glued to their end.
//!
//! The parser would read `1__0` as `1 AS __0`, and `2x` as `2 AS x`: neither is what somebody meant.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{ParseResult, syntax_error};

/// Takes the underscores out of numbers; refuses numbers that end in a name.
pub(crate) fn plain(tokens: &mut [TokenWithSpan]) -> ParseResult<()> {
    for place in 0..tokens.len() {
        let Token::Number(digits, _) = &tokens[place].token else {
            continue;
        };
        if let Some(TokenWithSpan {
            token: Token::Word(word),
            ..
        }) = tokens.get(place + 1)
            && word.quote_style.is_none()
        {
            return Err(syntax_error(
                &format!("`{digits}{}` is neither a number nor a name", word.value),
                tokens[place].span.start,
            ));
        }
        if digits.contains('_')
            && let Token::Number(digits, _) = &mut tokens[place].token
        {
            digits.retain(|character| character != '_');
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

    use super::plain;
    use crate::DIALECT;

    fn numbers(text: &str) -> Option<Vec<String>> {
        let mut tokens = Tokenizer::new(&DIALECT, text)
            .tokenize_with_location()
            .unwrap();
        plain(&mut tokens).ok()?;
        let numbers = tokens.into_iter().filter_map(|token| match token.token {
            Token::Number(digits, _) => Some(digits),
            _ => None,
        });
        Some(numbers.collect())
    }

    #[test]
    fn reads_underscores_between_digits_only() {
        assert_eq!(
            numbers("1_000_000, 1_0.2_5"),
            Some(vec!["1000000".into(), "10.25".into()])
        );
        assert_eq!(numbers("x_1, _1, t@v3"), Some(Vec::new()));
        for wrong in ["1__0", "1_", "2x", "0b_1"] {
            assert_eq!(numbers(wrong), None, "{wrong}");
        }
    }
}
