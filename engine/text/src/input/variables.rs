//! Text variables: `:name`, `:'name'` and `:"name"` become values, and places stay findable.
//!
//! Only defined variables are touched, because `:` is SQL too (`a[1:n]`, `x::int`). Values are not
//! read again.

use std::collections::BTreeMap;
use std::ops::Range;

use thiserror::Error;

use super::lexer::{TokenKind, tokens};
use super::locate::{offset_of, token_range};
use crate::failure::{Failure, FailureKind};
use crate::source::{Place, Source};

#[derive(Debug, Error)]
enum VariableError {
    #[error("variable `{name}` holds a NUL character")]
    Nul { name: String },
}

/// A cell's text with its variables replaced, and the way back to the text that the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substituted {
    /// The text to parse.
    pub text: String,
    /// The place that the text was made from.
    pub place: Place,
    inserted: Vec<Insertion>,
    undefined: Vec<(String, Range<usize>)>,
}

/// A value in the new text, and the variable in the source that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Insertion {
    value: Range<usize>,
    variable: Range<usize>,
}

impl Substituted {
    /// Takes a text as it is, without replacing anything.
    pub fn verbatim(place: &Place) -> Self {
        Self {
            text: place.text().to_owned(),
            place: place.clone(),
            inserted: Vec::new(),
            undefined: Vec::new(),
        }
    }

    /// Takes a text that no user wrote as one of its own.
    pub fn detached(text: &str) -> Self {
        let source = Source::new("", text);
        Self::verbatim(&Place::new(&source, 0..text.len()))
    }

    /// Returns the place of the token at sqlparser's line and column, both counted from 1. Without a
    /// place (line 0), it is that of the whole text.
    pub fn place_at(&self, line: u64, column: u64) -> Place {
        if line == 0 {
            return self.original(0..self.text.len());
        }
        let offset = offset_of(&self.text, line, column);
        self.original(token_range(&self.text, offset))
    }

    /// Finds the place in the user's text for a range of the new text.
    ///
    /// A range that touches an inserted value covers the whole variable.
    pub fn original(&self, range: Range<usize>) -> Place {
        let start = self.original_offset(range.start, false);
        let end = if range.is_empty() {
            start
        } else {
            self.original_offset(range.end, true)
        };
        Place::new(&self.place.source, start..end.max(start))
    }

    fn original_offset(&self, offset: usize, is_end: bool) -> usize {
        let offset = offset.min(self.text.len());
        // An end belongs to the byte before it, a start to the byte behind it.
        let before = self.inserted.partition_point(|insertion| {
            if is_end {
                insertion.value.start < offset
            } else {
                insertion.value.start <= offset
            }
        });
        let Some(insertion) = before.checked_sub(1).map(|index| &self.inserted[index]) else {
            return self.place.range.start + offset;
        };
        let inside = if is_end {
            offset <= insertion.value.end
        } else {
            offset < insertion.value.end
        };
        match (inside, is_end) {
            (true, true) => insertion.variable.end,
            (true, false) => insertion.variable.start,
            (false, _) => insertion.variable.end + (offset - insertion.value.end),
        }
    }

    /// Returns the name of the variable that is not set and was used at or around this offset of the
    /// new text, with its range.
    pub fn undefined_variable_at(&self, offset: usize) -> Option<(&str, Range<usize>)> {
        self.undefined_variables()
            .find(|(_, range)| range.start <= offset && offset <= range.end)
    }

    /// Lists what looks like a variable but is not set, with ranges of the new text.
    pub fn undefined_variables(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.undefined
            .iter()
            .map(|(name, range)| (name.as_str(), range.clone()))
    }
}

/// How a value is put into the text.
#[derive(Debug, Clone, Copy)]
enum Form {
    Raw,
    Literal,
    Name,
}

/// A use of a variable in the old text.
struct Use<'a> {
    name: &'a str,
    form: Form,
    range: Range<usize>,
}

/// Replaces the defined variables in a cell's text.
pub fn substitute(
    place: &Place,
    variables: &BTreeMap<String, String>,
) -> Result<Substituted, Failure> {
    let old = place.text();
    let mut new = Substituted {
        text: String::with_capacity(old.len()),
        place: place.clone(),
        inserted: Vec::new(),
        undefined: Vec::new(),
    };
    let mut copied = 0;
    for used in uses(old) {
        new.text.push_str(&old[copied..used.range.start]);
        copied = used.range.end;
        let start = new.text.len();
        let Some(value) = variables.get(used.name) else {
            new.text.push_str(&old[used.range.clone()]);
            let range = start..new.text.len();
            new.undefined.push((used.name.to_owned(), range));
            continue;
        };
        let variable = place.range.start + used.range.start..place.range.start + used.range.end;
        if value.contains('\0') {
            let name = used.name.to_owned();
            let error = VariableError::Nul { name };
            return Err(Failure::new(FailureKind::Usage, error.to_string())
                .at(Place::new(&place.source, variable))
                .caused_by(error));
        }
        insert(&mut new.text, value, used.form);
        let value = start..new.text.len();
        new.inserted.push(Insertion { value, variable });
    }
    new.text.push_str(&old[copied..]);
    Ok(new)
}

fn insert(text: &mut String, value: &str, form: Form) {
    let quote = match form {
        Form::Raw => return text.push_str(value),
        Form::Literal => '\'',
        Form::Name => '"',
    };
    text.push(quote);
    for character in value.chars() {
        if character == quote {
            text.push(quote);
        }
        text.push(character);
    }
    text.push(quote);
}

/// Finds what is written like a variable, outside strings, quoted names and comments.
fn uses(text: &str) -> impl Iterator<Item = Use<'_>> {
    let mut tokens = tokens(text).peekable();
    std::iter::from_fn(move || {
        loop {
            let colon = tokens.next()?;
            if &text[colon.range.clone()] != ":" || !may_precede(&text[..colon.range.start]) {
                continue;
            }
            let Some(next) = tokens.peek() else {
                continue;
            };
            let start = colon.range.start;
            let Some((name, form, length)) = named(&text[next.range.clone()], next.kind) else {
                continue;
            };
            // `a[:x]` is a slice; no slice begins with a quoted value.
            if matches!(form, Form::Raw) && text[..start].ends_with('[') {
                continue;
            }
            let range = start..next.range.start + length;
            tokens.next();
            return Some(Use { name, form, range });
        }
    })
}

/// Tells whether a colon behind this text can begin a variable.
fn may_precede(before: &str) -> bool {
    !before.ends_with(|last: char| {
        last.is_alphanumeric() || matches!(last, '_' | ')' | ']' | '"' | '\'' | '`' | ':')
    })
}

fn named(token: &str, kind: TokenKind) -> Option<(&str, Form, usize)> {
    let (name, form) = match kind {
        TokenKind::Word => {
            let end = token.find(|character| !is_name_part(character));
            (&token[..end.unwrap_or(token.len())], Form::Raw)
        }
        TokenKind::String => (token.strip_prefix('\'')?.strip_suffix('\'')?, Form::Literal),
        TokenKind::QuotedName => (token.strip_prefix('"')?.strip_suffix('"')?, Form::Name),
        _ => return None,
    };
    let length = match form {
        Form::Raw => name.len(),
        Form::Literal | Form::Name => token.len(),
    };
    let valid = name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(is_name_part);
    valid.then_some((name, form, length))
}

fn is_name_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::substitute;
    use crate::source::{Place, Source};

    fn variables() -> BTreeMap<String, String> {
        [
            ("x", "4"),
            ("s", "it's"),
            ("id", "a\"b"),
            ("loop", ":x"),
            ("größe", "7"),
            ("none", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    fn place(text: &str) -> Place {
        let source = Source::new("x.sql", format!("-- é\n{text}; more"));
        Place::new(&source, 6..6 + text.len())
    }

    #[test]
    fn defined_variables_are_replaced() {
        for (old, new) in [
            ("select :x", "select 4"),
            ("select :x::int, :x + :x", "select 4::int, 4 + 4"),
            ("select :'s', :\"id\"", "select 'it''s', \"a\"\"b\""),
            ("select :größe", "select 7"),
            ("select (:x),:x", "select (4),4"),
            ("select [:'s']", "select ['it''s']"),
            ("limit :x\n", "limit 4\n"),
            ("select :none,1", "select ,1"),
            // Values are not read again.
            ("select :loop", "select :x"),
            // Not variables.
            (
                "select a[1:x], a[:x], a[i:x]",
                "select a[1:x], a[:x], a[i:x]",
            ),
            ("select map {'a':x, b:x}", "select map {'a':x, b:x}"),
            (
                "select f(1):x, \"q\":x, `q`:x",
                "select f(1):x, \"q\":x, `q`:x",
            ),
            ("select y::x, y:::x", "select y::x, y:::x"),
            (
                "select ':x', \":x\", $$:x$$ -- :x",
                "select ':x', \":x\", $$:x$$ -- :x",
            ),
            ("select /* :x */ : x", "select /* :x */ : x"),
            ("select :y, :'y', :\"y\", :1", "select :y, :'y', :\"y\", :1"),
            (
                "select :'x''y', :'a b', :e'x'",
                "select :'x''y', :'a b', :e'x'",
            ),
            ("select :x$1", "select 4$1"),
            ("select a := :x", "select a := 4"),
        ] {
            assert_eq!(
                substitute(&place(old), &variables()).unwrap().text,
                new,
                "{old}"
            );
        }
    }

    #[test]
    fn places_lead_back() {
        let new = substitute(&place("select :x, :'s' || foo, :none bar"), &variables()).unwrap();
        assert_eq!(new.text, "select 4, 'it''s' || foo,  bar");
        for (range, original) in [
            (0..6, "select"),
            (7..8, ":x"),
            (7..9, ":x,"),
            (8..9, ","),
            (10..17, ":'s'"),
            (13..14, ":'s'"),
            (18..20, "||"),
            (21..24, "foo"),
            (27..30, "bar"),
            (0..30, "select :x, :'s' || foo, :none bar"),
            (30..30, ""),
        ] {
            assert_eq!(new.original(range.clone()).text(), original, "{range:?}");
        }
        assert_eq!(new.original(21..24).line_and_column(), (2, 20));
    }

    #[test]
    fn unset_variables_are_known() {
        let new = substitute(&place("select :x, :y, a[1:n]"), &variables()).unwrap();
        assert_eq!(new.text, "select 4, :y, a[1:n]");
        assert_eq!(new.undefined_variable_at(10), Some(("y", 10..12)));
        assert_eq!(new.undefined_variable_at(11), Some(("y", 10..12)));
        assert_eq!(new.undefined_variable_at(18), None);
        let failure = substitute(&place("select :z"), &[("z".into(), "\0".into())].into());
        let failure = failure.unwrap_err();
        assert_eq!(failure.message, "variable `z` holds a NUL character");
        assert_eq!(failure.place.unwrap().text(), ":z");
    }
}
