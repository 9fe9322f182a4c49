//! EXCLUDE behind a window's frame: the parser knows no such clause.
//!
//! EXCLUDE NO OTHERS is what holds without it; the others are refused by name.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{ParseResult, syntax_error};

/// What ends the frame before EXCLUDE: `CURRENT ROW`, `1 PRECEDING`, `1 FOLLOWING`.
const ENDS: [&str; 3] = ["row", "preceding", "following"];

/// Takes EXCLUDE NO OTHERS out of window frames; refuses the other exclusions.
pub(crate) fn without_exclusions(tokens: &mut Vec<TokenWithSpan>) -> ParseResult<()> {
    let mut place = 0;
    while place < tokens.len() {
        if !is_exclusion(tokens, place) {
            place += 1;
            continue;
        }
        let words = following(tokens, place, 2);
        let [no, others] = words.as_slice() else {
            return Ok(());
        };
        if is_word(&tokens[*no], "no") && is_word(&tokens[*others], "others") {
            tokens.drain(place..=*others);
            continue;
        }
        return Err(syntax_error(
            "window frames have no EXCLUDE; subtract what the row itself gives",
            tokens[place].span.start,
        ));
    }
    Ok(())
}

fn is_exclusion(tokens: &[TokenWithSpan], place: usize) -> bool {
    is_word(&tokens[place], "exclude")
        && tokens[..place]
            .iter()
            .rev()
            .find(|token| !matches!(token.token, Token::Whitespace(_)))
            .is_some_and(|before| ENDS.iter().any(|word| is_word(before, word)))
        && following(tokens, place, 2).first().is_some_and(|next| {
            ["current", "group", "ties", "no"]
                .iter()
                .any(|word| is_word(&tokens[*next], word))
        })
}

/// Returns the places of the next tokens that are not blank.
fn following(tokens: &[TokenWithSpan], place: usize, count: usize) -> Vec<usize> {
    (place + 1..tokens.len())
        .filter(|next| !matches!(tokens[*next].token, Token::Whitespace(_)))
        .take(count)
        .collect()
}

fn is_word(token: &TokenWithSpan, expected: &str) -> bool {
    matches!(
        &token.token,
        Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
    )
}
