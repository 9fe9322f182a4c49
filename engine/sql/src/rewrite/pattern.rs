//! Patterns: LIKE with an ESCAPE of its own, and SIMILAR TO.
//!
//! DataFusion knows the backslash only as LIKE's escape, and takes the pattern of SIMILAR TO for a regular
//! expression (apache/datafusion#22263), in which `%` is a letter and the whole text need not match.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Spanned, Value, ValueWithSpan};

use super::{Rewritten, call, text};
use crate::complete::Refusal;

/// The function behind [`like_pattern`], for patterns that are no literals.
pub const LIKE_PATTERN: &str = "_lakesh_like_pattern";
/// The function behind [`similar_pattern`], for patterns that are no literals.
pub const SIMILAR_PATTERN: &str = "_lakesh_similar_pattern";

/// Rewrites one comparison with a pattern.
pub(super) fn rewrite(expression: &mut Expr) -> Rewritten {
    match expression {
        Expr::Like {
            pattern,
            escape_char,
            ..
        }
        | Expr::ILike {
            pattern,
            escape_char,
            ..
        } => {
            if let Some(given) = escape_char.take() {
                let escape = escape_of(&given)?;
                **pattern = translated(pattern, LIKE_PATTERN, &escape, like_pattern)?;
            }
        }
        Expr::SimilarTo {
            negated,
            expr,
            pattern,
            escape_char,
        } => {
            let escape = escape_char
                .as_ref()
                .map_or(Ok("\\".to_owned()), escape_of)?;
            let op = match negated {
                false => BinaryOperator::PGRegexMatch,
                true => BinaryOperator::PGRegexNotMatch,
            };
            let pattern = translated(pattern, SIMILAR_PATTERN, &escape, similar_pattern)?;
            *expression = Expr::Nested(Box::new(Expr::BinaryOp {
                left: expr.clone(),
                op,
                right: Box::new(pattern),
            }));
        }
        _ => {}
    }
    Ok(())
}

/// Returns the escape: one character, or none for `ESCAPE ''`.
fn escape_of(given: &ValueWithSpan) -> Result<String, Refusal> {
    match &given.value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text)
            if text.chars().count() < 2 =>
        {
            Ok(text.clone())
        }
        other => Err(Refusal::at(
            given.span.start,
            format!("ESCAPE takes one character in quotes, not {other}"),
        )),
    }
}

type Translate = fn(&str, Option<char>) -> Result<String, String>;

fn translated(
    pattern: &Expr,
    function: &str,
    escape: &str,
    translate: Translate,
) -> Result<Expr, Refusal> {
    let place = pattern.span();
    match pattern {
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(written) | Value::EscapedStringLiteral(written),
            ..
        }) => translate(written, escape.chars().next())
            .map(text)
            .map_err(|message| Refusal::at(place.start, message)),
        other => Ok(call(function, vec![other.clone(), text(escape)], place)),
    }
}

/// Writes a pattern of LIKE with the backslash as its escape.
///
/// # Errors
///
/// Fails where the pattern ends in its escape.
pub fn like_pattern(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut written = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            let escaped = characters.next().ok_or_else(ends_in_escape)?;
            if matches!(escaped, '%' | '_' | '\\') {
                written.push('\\');
            }
            written.push(escaped);
        } else {
            if character == '\\' {
                written.push('\\');
            }
            written.push(character);
        }
    }
    Ok(written)
}

fn ends_in_escape() -> String {
    "a pattern cannot end in its escape".to_owned()
}

/// Writes a pattern of SIMILAR TO as a regular expression.
///
/// `%` is any text, `_` any character; `|`, `*`, `+`, `?`, `{…}`, `(…)` and `[…]` are as in a regular
/// expression, and every other character is itself. The whole text must match. As PostgreSQL's manual says
/// under "SIMILAR TO Regular Expressions".
///
/// # Errors
///
/// Fails where the pattern ends in its escape, or a bracket is not closed.
pub fn similar_pattern(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut written = String::from("^(?s:");
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            push_literal(&mut written, characters.next().ok_or_else(ends_in_escape)?);
            continue;
        }
        match character {
            '%' => written.push_str(".*"),
            '_' => written.push('.'),
            '(' => written.push_str("(?:"),
            '|' | '*' | '+' | '?' | ')' => written.push(character),
            '{' => push_count(&mut written, &mut characters)?,
            '[' => push_class(&mut written, &mut characters, escape)?,
            other => push_literal(&mut written, other),
        }
    }
    written.push_str(")$");
    Ok(written)
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn push_literal(written: &mut String, character: char) {
    if !character.is_alphanumeric() && character.is_ascii() {
        written.push('\\');
    }
    written.push(character);
}

/// Takes `{n}`, `{n,}` or `{n,m}`.
fn push_count(written: &mut String, characters: &mut Characters<'_>) -> Result<(), String> {
    let mut count = String::new();
    for character in characters.by_ref() {
        match character {
            '}' if !count.is_empty() => {
                written.push_str(&format!("{{{count}}}"));
                return Ok(());
            }
            '0'..='9' | ',' => count.push(character),
            _ => break,
        }
    }
    Err("`{` in a pattern takes a count, as in `{2}` or `{2,3}`".to_owned())
}

/// Takes `[abc]`, `[a-z]`, `[^a-z]`, `[[:alpha:]]`; regular expressions give more characters a meaning in it.
fn push_class(
    written: &mut String,
    characters: &mut Characters<'_>,
    escape: Option<char>,
) -> Result<(), String> {
    let open = || "`[` in a pattern is not closed".to_owned();
    written.push('[');
    if characters.next_if_eq(&'^').is_some() {
        written.push('^');
    }
    let mut is_first = true;
    loop {
        let character = characters.next().ok_or_else(open)?;
        match character {
            ']' if !is_first => {
                written.push(']');
                return Ok(());
            }
            '[' if characters.peek() == Some(&':') => {
                written.push('[');
                loop {
                    let inner = characters.next().ok_or_else(open)?;
                    written.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '-' if !is_first && characters.peek() != Some(&']') => written.push('-'),
            other if Some(other) == escape => {
                push_literal(written, characters.next().ok_or_else(ends_in_escape)?);
            }
            other => push_literal(written, other),
        }
        is_first = false;
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
