//! Splits the rest of a command's line into arguments, as a shell does: white space, quotes, variables.
//!
//! There are no escapes with backslashes; a quote inside quotes is doubled, as in SQL.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::source::Place;

/// Which arguments a command takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// So many words.
    Words(RangeInclusive<usize>),
    /// The rest of the line as it stands.
    Text,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The value: quotes removed, variables put in.
    pub value: String,
    /// The same with its quotes, for names: `"My Table"` differs from `my table`.
    pub quoted: String,
    /// Where it stands.
    pub place: Place,
}

/// Separates a command's name, without `\` and such, from the rest of its line.
pub fn name_and_rest(place: &Place) -> (Place, Place) {
    let text = place.text();
    let sigil = match text.starts_with("%%") {
        true => 2,
        false => text.chars().next().map_or(0, char::len_utf8),
    };
    let after = &text[sigil..];
    let length = match after.strip_prefix('!') {
        Some(_) => 1,
        None => after
            .find(|character: char| character.is_whitespace() || character == ';')
            .unwrap_or(after.len()),
    };
    let start = place.range.start + sigil;
    (
        Place::new(&place.source, start..start + length),
        Place::new(&place.source, start + length..place.range.end),
    )
}

/// Splits text into words. A `;` at the end is left out, for the habit of SQL's sake.
pub(super) fn split(
    place: &Place,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Argument>, Failure> {
    let whole = place.text();
    let text = whole.trim_end();
    let text = text.strip_suffix(';').unwrap_or(text);
    let mut words = Vec::new();
    let mut position = 0;
    loop {
        position += blank_length(&text[position..]);
        if position == text.len() {
            return Ok(words);
        }
        let mut word = Word::default();
        let end = word.read(text, position, place, variables)?;
        let start = place.range.start;
        words.push(Argument {
            value: word.value,
            quoted: word.quoted,
            place: Place::new(&place.source, start + position..start + end),
        });
        position = end;
    }
}

/// The length of white space, with the backslashes at the ends of lines that go on in the next.
fn blank_length(text: &str) -> usize {
    let mut rest = text;
    loop {
        let blank = rest.trim_start();
        rest = match blank.strip_prefix('\\') {
            Some(after) if after.starts_with(['\n', '\r']) => after,
            _ => return text.len() - blank.len(),
        };
    }
}

/// Takes out the backslashes at the ends of lines that go on in the next.
pub(super) fn without_continuations(text: &str) -> String {
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| {
            let before = line.trim_end_matches('\r').strip_suffix('\\');
            match before {
                Some(before) if before.ends_with(char::is_whitespace) => before.trim_end(),
                _ => line,
            }
        })
        .collect();
    lines.join("\n")
}

/// A word that is being read.
#[derive(Default)]
struct Word {
    value: String,
    quoted: String,
}

impl Word {
    /// Reads a word from `start` on; returns where it ends.
    fn read(
        &mut self,
        text: &str,
        start: usize,
        place: &Place,
        variables: &BTreeMap<String, String>,
    ) -> Result<usize, Failure> {
        let mut position = start;
        while let Some(character) = text[position..].chars().next() {
            let rest = &text[position..];
            position += match character {
                _ if character.is_whitespace() => break,
                '\'' | '"' => {
                    let length = quoted_length(rest, character)
                        .ok_or_else(|| not_closed(place, position, character))?;
                    let doubled: String = [character, character].iter().collect();
                    let inner = &rest[1..length - 1];
                    self.value
                        .push_str(&inner.replace(&doubled, &character.to_string()));
                    self.quoted.push_str(&rest[..length]);
                    length
                }
                ':' => match variable(rest, variables) {
                    Some((value, length)) => {
                        self.value.push_str(value);
                        self.quoted.push_str(value);
                        length
                    }
                    None => self.keep(character),
                },
                _ => self.keep(character),
            };
        }
        Ok(position)
    }

    fn keep(&mut self, character: char) -> usize {
        self.value.push(character);
        self.quoted.push(character);
        character.len_utf8()
    }
}

fn not_closed(place: &Place, position: usize, quote: char) -> Failure {
    let start = place.range.start + position;
    Failure::new(
        FailureKind::Usage,
        format!("the quote {quote} is not closed"),
    )
    .hint("write the quote twice if it belongs to the text")
    .at(Place::new(&place.source, start..start + 1))
}

/// The length of quoted text with its quotes; `None` if it is not closed.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut position = 1;
    loop {
        position += text[position..].find(quote)? + 1;
        if !text[position..].starts_with(quote) {
            return Some(position);
        }
        position += 1;
    }
}

/// `:name`, `:'name'` or `:"name"` of a variable that is defined: its value, and the reference's length.
fn variable<'a>(text: &str, variables: &'a BTreeMap<String, String>) -> Option<(&'a str, usize)> {
    let after = &text[1..];
    let (name, length) = match after.chars().next()? {
        quote @ ('\'' | '"') => {
            let length = after[1..].find(quote)?;
            (&after[1..1 + length], length + 3)
        }
        _ => {
            let length = after
                .find(|character: char| !character.is_alphanumeric() && character != '_')
                .unwrap_or(after.len());
            (&after[..length], length + 1)
        }
    };
    Some((variables.get(name)?, length))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use lakesh_text::source::{Place, Source};

    use super::{name_and_rest, split};

    fn arguments(text: &str) -> Result<(String, Vec<(String, String)>), String> {
        let source = Source::new("test", text);
        let place = Place::new(&source, 0..text.len());
        let (name, rest) = name_and_rest(&place);
        let variables = BTreeMap::from([("v".to_owned(), "x y".to_owned())]);
        let words = split(&rest, &variables).map_err(|failure| failure.message)?;
        for word in &words {
            let shown = word.place.text();
            let quoted = shown.contains(['\'', '"', ':']);
            assert!(
                !shown.contains(char::is_whitespace) || quoted,
                "{text}: {shown}"
            );
        }
        let words = words.into_iter().map(|word| (word.value, word.quoted));
        Ok((name.text().to_owned(), words.collect()))
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        type Words = &'static [(&'static str, &'static str)];
        let cases: [(&str, &str, Words); 12] = [
            ("\\dt", "dt", &[]),
            ("\\q;", "q", &[]),
            (".mode csv", "mode", &[("csv", "csv")]),
            ("\\d sales ;", "d", &[("sales", "sales")]),
            ("\\i 'a b.sql'", "i", &[("a b.sql", "'a b.sql'")]),
            ("\\d \"My \"\"T\"", "d", &[("My \"T", "\"My \"\"T\"")]),
            (
                "\\echo a'b c'd  é",
                "echo",
                &[("ab cd", "a'b c'd"), ("é", "é")],
            ),
            (
                "\\echo :v :w ':v' :'v'",
                "echo",
                &[("x y", "x y"), (":w", ":w"), (":v", "':v'"), ("x y", "x y")],
            ),
            ("\\!ls -l", "!", &[("ls", "ls"), ("-l", "-l")]),
            ("%timing on", "timing", &[("on", "on")]),
            ("%%echo x", "echo", &[("x", "x")]),
            (
                "\\param a=1 \\\n  'b=x \\\ny' \\\r\n c=\\\\d",
                "param",
                &[
                    ("a=1", "a=1"),
                    ("b=x \\\ny", "'b=x \\\ny'"),
                    ("c=\\\\d", "c=\\\\d"),
                ],
            ),
        ];
        for (text, name, words) in cases {
            let words = words
                .iter()
                .map(|(value, quoted)| (value.to_string(), quoted.to_string()));
            assert_eq!(
                arguments(text),
                Ok((name.to_owned(), words.collect())),
                "{text}"
            );
        }
    }

    #[test]
    fn an_open_quote_is_refused() {
        assert_eq!(
            arguments("\\i 'a"),
            Err("the quote ' is not closed".to_owned())
        );
    }
}
