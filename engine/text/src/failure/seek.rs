//! Finds the part of a statement that a failure is about, from what its message names.
//!
//! It does not guess: what occurs more than once is not found.

use std::ops::Range;

use datafusion::common::Span;

use super::explain::Target;
use crate::input::{Substituted, Token, TokenKind, offset_of, token_range, tokens};

/// Finds the range of the statement's text for the first target that can be found.
pub(super) fn seek(targets: &[Target], statement: &Substituted) -> Option<Range<usize>> {
    let text = statement.text.as_str();
    let real: Vec<Token> = tokens(text).filter(Token::is_real).collect();
    let words = Words { text, real };
    targets.iter().find_map(|target| match target {
        Target::Span(span) => Some(span_range(text, span)),
        Target::Position { line, column } => {
            Some(token_range(text, offset_of(text, *line, *column)))
        }
        Target::End => Some(text.len()..text.len()),
        Target::Name(name) => words.name(name),
        Target::Value(value) => words.value(value, statement),
        Target::Operator(operator) => words.operator(operator),
    })
}

fn span_range(text: &str, span: &Span) -> Range<usize> {
    let start = offset_of(text, span.start.line, span.start.column);
    let end = offset_of(text, span.end.line, span.end.column);
    if end > start {
        start..end
    } else {
        token_range(text, start)
    }
}

struct Words<'a> {
    text: &'a str,
    real: Vec<Token>,
}

impl Words<'_> {
    fn only(mut ranges: impl Iterator<Item = Range<usize>>) -> Option<Range<usize>> {
        let first = ranges.next()?;
        ranges.next().is_none().then_some(first)
    }

    /// Finds `a.b.c`, or the longest end of it that occurs: `b.c`, `c`.
    fn name(&self, name: &str) -> Option<Range<usize>> {
        let whole = self.real.iter().filter(|token| self.is_name(token, name));
        if let Some(range) = Self::only(whole.map(|token| token.range.clone())) {
            return Some(range);
        }
        let parts: Vec<&str> = name.split('.').map(|part| part.trim_matches('"')).collect();
        (0..parts.len()).find_map(|skipped| self.dotted(&parts[skipped..]))
    }

    fn dotted(&self, parts: &[&str]) -> Option<Range<usize>> {
        let length = parts.len() * 2 - 1;
        let found = self.real.windows(length).filter(|window| {
            window
                .iter()
                .enumerate()
                .all(|(index, token)| match index % 2 {
                    0 => self.is_name(token, parts[index / 2]),
                    _ => &self.text[token.range.clone()] == ".",
                })
        });
        Self::only(found.map(|window| window[0].range.start..window[length - 1].range.end))
    }

    fn is_name(&self, token: &Token, name: &str) -> bool {
        let text = &self.text[token.range.clone()];
        match token.kind {
            TokenKind::Word => text.eq_ignore_ascii_case(name),
            TokenKind::QuotedName | TokenKind::String => inside_quotes(text) == name,
            _ => false,
        }
    }

    /// Finds the string, number or parameter with this value.
    fn value(&self, value: &str, statement: &Substituted) -> Option<Range<usize>> {
        if let Some(name) = value.strip_prefix(':') {
            let mut unset = statement.undefined_variables();
            return unset
                .find(|(unset, _)| *unset == name)
                .map(|(_, range)| range);
        }
        let path = value.strip_prefix("file://").unwrap_or(value);
        let number = value.strip_prefix('-').unwrap_or(value);
        let found = self.real.iter().filter(|token| {
            let text = &self.text[token.range.clone()];
            match token.kind {
                TokenKind::String => [value, path].contains(&inside_quotes(text)),
                TokenKind::Number => text == number,
                TokenKind::Word | TokenKind::Parameter => text.eq_ignore_ascii_case(value),
                _ => value == "?" && text == "?",
            }
        });
        Self::only(found.map(|token| token.range.clone()))
    }

    fn operator(&self, operator: &str) -> Option<Range<usize>> {
        let part = |character: char| "+-*/%<>=!|&^#~@?".contains(character);
        let found = self.real.iter().filter_map(|token| {
            let range = token.range.start..token.range.start + operator.len();
            let text = self.text.get(range.clone())?;
            let (before, after) = (&self.text[..range.start], &self.text[range.end..]);
            let symbol = operator.starts_with(part);
            let alone = match symbol {
                true => !before.ends_with(part) && !after.starts_with(part),
                false => token.kind == TokenKind::Word && token.range.end <= range.end,
            };
            (text.eq_ignore_ascii_case(operator) && alone).then_some(range)
        });
        Self::only(found)
    }
}

fn inside_quotes(text: &str) -> &str {
    let Some(quote) = text
        .chars()
        .next_back()
        .filter(|last| "'\"`".contains(*last))
    else {
        return text;
    };
    match text.find(quote) {
        Some(start) if start + 1 < text.len() => &text[start + 1..text.len() - 1],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, seek};
    use crate::input::Substituted;
    use crate::source::{Place, Source};

    #[test]
    fn targets_are_found_once_or_not() {
        let text = "select t.a, \"B c\", b + 'x' from t where a >= 5 and $1 = '/tmp/d.csv'";
        let source = Source::new("x.sql", text);
        let statement = Substituted::verbatim(&Place::new(&source, 0..text.len()));
        for (target, found) in [
            (Target::Name("t.a".into()), Some("t.a")),
            (Target::Name("cat.t.a".into()), Some("t.a")),
            (Target::Name("a".into()), None),
            (Target::Name("B c".into()), Some("\"B c\"")),
            (Target::Name("/tmp/d.csv".into()), Some("'/tmp/d.csv'")),
            (Target::Name("nope".into()), None),
            (Target::Value("x".into()), Some("'x'")),
            (Target::Value("-5".into()), Some("5")),
            (Target::Value("$1".into()), Some("$1")),
            (
                Target::Value("file:///tmp/d.csv".into()),
                Some("'/tmp/d.csv'"),
            ),
            (Target::Operator("+".into()), Some("+")),
            (Target::Operator("=".into()), Some("=")),
            (Target::Operator("AND".into()), Some("and")),
            (
                Target::Position {
                    line: 1,
                    column: 20,
                },
                Some("b"),
            ),
            (Target::End, Some("")),
        ] {
            let range = seek(std::slice::from_ref(&target), &statement);
            assert_eq!(range.map(|range| &text[range]), found, "{target:?}");
        }
    }
}
