//! The secrets that a session holds, and how their values are found in text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use super::{HIDDEN, Secret};
use crate::failure::Failure;
use crate::source::{Place, Source};

/// A shorter value is found too often to say that it is one.
const SHORTEST: usize = 3;
/// A value of so many characters is a secret wherever it stands; a shorter one only as a word of its own.
const UNMISTAKABLE: usize = 8;

/// Where a secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user was asked for it with `\secret`.
    Asked,
    /// A value behind a name such as `password`, of the environment too. It may be an ordinary word, such
    /// as the `test` of a store on one's own machine, so it is hidden in what is said, and not in rows.
    Named,
}

/// The secrets of a session, or of a statement in it; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    held: Arc<RwLock<Vec<Held>>>,
}

#[derive(Debug, Clone)]
struct Held {
    value: Secret,
    origin: Origin,
}

impl Secrets {
    /// Hides a value from now on, in all the spellings that it may have in a message.
    pub fn hold(&self, secret: &Secret, origin: Origin) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for value in spellings(secret.reveal()) {
            if value.chars().count() < SHORTEST {
                continue;
            }
            let known = held.iter().any(|known| {
                known.value.reveal() == value && (known.origin == origin || origin == Origin::Named)
            });
            if !known {
                let value = Secret::new(value);
                held.push(Held { value, origin });
            }
        }
        // A secret that holds another one is hidden as a whole.
        held.sort_by_key(|known| std::cmp::Reverse(known.value.reveal().len()));
    }

    /// Returns the same secrets with others that only a statement knows.
    #[must_use]
    pub fn with_named(&self, values: impl IntoIterator<Item = Secret>) -> Self {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return self.clone();
        }
        let all = Self::default();
        all.held
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(self.read().iter().cloned());
        for value in values {
            all.hold(&value, Origin::Named);
        }
        all
    }

    /// Says whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// Says whether a text holds anything that is hidden.
    pub fn occur_in(&self, text: &str) -> bool {
        !self.occurrences(text, |_| true).is_empty()
    }

    /// Says whether the user was asked for a secret that cannot be mistaken for an ordinary value.
    pub fn hold_asked(&self) -> bool {
        self.read().iter().any(|held| {
            held.origin == Origin::Asked && held.value.reveal().chars().count() >= UNMISTAKABLE
        })
    }

    /// Finds what is surely a secret: what the user was asked for.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        self.occurrences(text, |origin| origin == Origin::Asked)
    }

    /// Writes `***` for each secret.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, |_| true, |_| HIDDEN.into())
    }

    /// Writes `***` for what is surely a secret.
    pub fn hide_in_rows<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, |origin| origin == Origin::Asked, |_| HIDDEN.into())
    }

    /// Writes stars for each byte of a secret, so that places in the text stay where they are.
    pub fn blank<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, |_| true, |found| "*".repeat(found.len()))
    }

    /// Hides secrets in a failure: in its message, its hints, and the text that it points into.
    #[must_use]
    pub fn hide_in_failure(&self, mut failure: Failure) -> Failure {
        if self.is_empty() {
            return failure;
        }
        failure.message = self.hide(&failure.message).into_owned();
        for hint in &mut failure.hints {
            *hint = self.hide(hint).into_owned();
        }
        failure.place = failure.place.map(|place| self.hide_in_place(place));
        failure
    }

    fn hide_in_place(&self, place: Place) -> Place {
        let source = &place.source;
        let (name, text) = (self.hide(&source.name), self.blank(&source.text));
        if let (Cow::Borrowed(_), Cow::Borrowed(_)) = (&name, &text) {
            return place;
        }
        let hidden = Source {
            name: name.into_owned(),
            text: text.into_owned().into(),
            lines_before: source.lines_before,
        };
        Place::new(&Arc::new(hidden), place.range)
    }

    fn replace<'a>(
        &self,
        text: &'a str,
        wanted: impl Fn(Origin) -> bool,
        replacement: impl Fn(&str) -> String,
    ) -> Cow<'a, str> {
        let found = self.occurrences(text, wanted);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut hidden = String::with_capacity(text.len());
        let mut copied = 0;
        for range in found {
            hidden.push_str(&text[copied..range.start]);
            hidden.push_str(&replacement(&text[range.clone()]));
            copied = range.end;
        }
        hidden.push_str(&text[copied..]);
        Cow::Owned(hidden)
    }

    /// Finds secrets, in ascending order; those that touch or overlap are one.
    fn occurrences(&self, text: &str, wanted: impl Fn(Origin) -> bool) -> Vec<Range<usize>> {
        let held = self.read();
        let mut found: Vec<Range<usize>> = Vec::new();
        for known in held.iter().filter(|known| wanted(known.origin)) {
            let value = known.value.reveal();
            if value.len() > text.len() {
                continue;
            }
            let is_short = value.chars().count() < UNMISTAKABLE;
            let ranges = text
                .match_indices(value)
                .map(|(at, value)| at..at + value.len())
                .filter(|range| !is_short || is_word(text, range));
            found.extend(ranges);
        }
        found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_word(text: &str, range: &Range<usize>) -> bool {
    let joins = |character: char| character.is_alphanumeric() || character == '_';
    !text[..range.start].ends_with(joins) && !text[range.end..].starts_with(joins)
}

/// A value as it stands, as it stands inside quotes of SQL, in Rust's Debug output and in URLs, and its
/// lines: a message may show one of them.
fn spellings(value: &str) -> Vec<String> {
    let mut all = vec![
        value.to_owned(),
        value.replace('\'', "''"),
        value.replace('"', "\"\""),
        value.escape_debug().to_string(),
        percent_encoded(value),
    ];
    if value.contains('\n') {
        let lines = value.lines().map(str::trim);
        all.extend(
            lines
                .filter(|line| line.chars().count() >= UNMISTAKABLE)
                .map(str::to_owned),
        );
    }
    all.sort();
    all.dedup();
    all
}

fn percent_encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Origin, Secrets};
    use crate::failure::{Failure, FailureKind};
    use crate::secret::Secret;
    use crate::source::{Place, Source};

    fn holding(values: &[&str]) -> Secrets {
        let secrets = Secrets::default();
        for value in values {
            secrets.hold(&Secret::new(*value), Origin::Asked);
        }
        secrets
    }

    #[test]
    fn values_become_stars_in_every_spelling() {
        let secrets = holding(&[
            "it's/hunter2",
            "abc",
            "x",
            "first line of it\nsecond line of it",
        ]);
        for (text, expected) in [
            ("a it's/hunter2 b", "a *** b"),
            ("'it''s/hunter2'", "'***'"),
            ("http://h/?k=it%27s%2Fhunter2&a", "http://h/?k=***&a"),
            ("abc abcd 'abc'", "*** abcd '***'"),
            ("x is too short", "x is too short"),
            ("the second line of it is one", "the *** is one"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(secrets.hide(text), expected);
        }
        assert_eq!(secrets.blank("a it's/hunter2 b"), "a ************ b");
    }

    #[test]
    fn the_longer_of_two_is_hidden_as_a_whole() {
        let secrets = holding(&["longsecret", "longsecret-and-more"]);
        assert_eq!(secrets.hide("longsecret-and-more longsecret"), "*** ***");
    }

    #[test]
    fn what_is_only_named_stays_in_rows() {
        let secrets = Secrets::default().with_named([Secret::new("named-value")]);
        assert_eq!(secrets.hide("named-value"), "***");
        assert_eq!(secrets.hide_in_rows("named-value"), "named-value");
        assert!(secrets.find("named-value").is_empty());
        assert!(!secrets.hold_asked());
    }

    #[test]
    fn a_failure_keeps_its_place_and_loses_its_secret() {
        let source = Source::new("<stdin>", "select 'hunter2hunter2' frm t");
        let failure = Failure::new(FailureKind::Syntax, "near `hunter2hunter2`")
            .hint("not hunter2hunter2")
            .at(Place::new(&source, 24..27));
        let hidden = holding(&["hunter2hunter2"]).hide_in_failure(failure);
        assert_eq!(hidden.message, "near `***`");
        assert_eq!(hidden.hints, ["not ***"]);
        assert_eq!(hidden.place.as_ref().map(Place::text), Some("frm"));
        assert!(
            !hidden.report(false).contains("hunter2"),
            "{}",
            hidden.report(false)
        );
    }
}
