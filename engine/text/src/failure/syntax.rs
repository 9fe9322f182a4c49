//! Messages about text that sqlparser could not read.

use datafusion::sql::sqlparser::parser::ParserError;

use super::explain::{Finding, Target};
use super::rules::capture;
use super::wording::{short, strip_noise, tidy};
use crate::failure::FailureKind;

/// Explains an error of sqlparser.
pub(super) fn explain_parser(error: &ParserError) -> Finding {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
        ParserError::RecursionLimitExceeded => {
            return Finding::new(FailureKind::Syntax, "the statement is nested too deeply");
        }
    };
    let (text, position) = split_position(text);
    let mut finding = match expected_and_found(text) {
        Some((expected, found)) => unexpected(expected, found),
        None if text.contains("No infix parser for token") => Finding::new(
            FailureKind::Syntax,
            "an operator or the end of the expression is expected here",
        ),
        None => Finding::new(FailureKind::Syntax, tidy(&strip_noise(text))),
    };
    finding.targets.extend(position);
    finding
}

/// Returns what sqlparser expected, in its words, and the token that it found instead; `None` where an error
/// says something else.
pub fn unexpected_token(error: &ParserError) -> Option<(&str, &str)> {
    let ParserError::ParserError(text) = error else {
        return None;
    };
    expected_and_found(split_position(text).0)
}

fn expected_and_found(text: &str) -> Option<(&str, &str)> {
    let captures = capture("Expected: {}, found: {}", text)?;
    Some((captures[0], captures[1].trim()))
}

/// Splits ` at Line: 1, Column: 18` off the end.
fn split_position(text: &str) -> (&str, Option<Target>) {
    let Some(start) = text.rfind(" at Line: ") else {
        return (text, None);
    };
    let numbers = text[start + " at Line: ".len()..].split_once(", Column: ");
    let position = numbers.and_then(|(line, column)| {
        let digits = column.find(|part: char| !part.is_ascii_digit());
        let column = &column[..digits.unwrap_or(column.len())];
        Some(Target::Position {
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        })
    });
    match position {
        Some(position) => (&text[..start], Some(position)),
        None => (text, None),
    }
}

fn unexpected(expected: &str, found: &str) -> Finding {
    let wanted = match expected.trim() {
        "an SQL statement" => "a statement".to_owned(),
        "end of statement" => "the end of the statement".to_owned(),
        "identifier" => "a name".to_owned(),
        symbol if !symbol.contains(|part: char| part.is_alphanumeric()) => format!("`{symbol}`"),
        words => short(words),
    };
    let got = match found {
        "EOF" => "the end of the statement".to_owned(),
        token if token.contains('`') => short(token),
        token => format!("`{}`", short(token)),
    };
    let mut finding = Finding::new(
        FailureKind::Syntax,
        format!("expected {wanted}, found {got}"),
    );
    if found == "EOF" {
        finding.targets.push(Target::End);
    }
    if found == "\\" && expected != "an SQL statement" {
        finding
            .hints
            .push("end the statement with `;` before a command".to_owned());
    }
    finding
}
