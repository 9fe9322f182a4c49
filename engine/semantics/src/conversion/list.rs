//! Texts as lists: `'[1, 2]'::INT[]`, as DuckDB reads them.
//!
//! Commas part the elements, but not within brackets and quotes. Blanks around an element are left out. Within
//! quotes a backslash stands for what follows it, outside of them only before a quote; NULL without quotes is
//! NULL. An element that is a list in turn is read in the same way. PostgreSQL writes lists in braces.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err};

use super::kernel::{OnFailure, converted};

/// Reads texts as lists.
pub(super) fn lists_of_texts(
    array: &ArrayRef,
    field: &FieldRef,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let texts = cast(array, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let has_lists = matches!(field.data_type(), DataType::List(_) | DataType::Struct(_));
    let mut elements: Vec<Option<String>> = Vec::new();
    let mut lengths = Vec::with_capacity(texts.len());
    let mut valid = Vec::with_capacity(texts.len());
    for text in texts {
        let before = elements.len();
        let parts = text.and_then(parts);
        match (text, &parts) {
            (Some(text), None) if on_failure == OnFailure::Error => {
                let shown: String = text.chars().take(40).collect();
                return exec_err!("cannot read '{shown}' as a list: it stands in [ and ]");
            }
            _ => {}
        }
        valid.push(parts.is_some());
        for part in parts.unwrap_or_default() {
            elements.push(match part.eq_ignore_ascii_case("null") {
                true => None,
                false if has_lists => Some(part.to_owned()),
                false => Some(plain(part)),
            });
        }
        lengths.push(elements.len() - before);
    }
    let elements: ArrayRef = Arc::new(StringArray::from(elements));
    let elements = match field.data_type() {
        DataType::Utf8 => elements,
        other => converted(&elements, other, on_failure)?,
    };
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = NullBuffer::from(valid);
    let lists = ListArray::try_new(Arc::clone(field), offsets, elements, Some(nulls))?;
    Ok(Arc::new(lists))
}

/// Parts a list at its commas; `None` for what is no list.
fn parts(text: &str) -> Option<Vec<&str>> {
    parts_within(text, '[', ']')
}

/// Parts what stands in brackets at its commas; `None` for what does not stand in such.
pub(super) fn parts_within(text: &str, open: char, close: char) -> Option<Vec<&str>> {
    let inner = text.trim().strip_prefix(open)?.strip_suffix(close)?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut depth = 0_usize;
    let mut quote = None;
    let mut is_escaped = false;
    for (place, letter) in inner.char_indices() {
        if is_escaped {
            // Outside of quotes a backslash stands for itself, but before a quote.
            is_escaped = false;
            if quote.is_some() || matches!(letter, '"' | '\'') {
                continue;
            }
        }
        match (quote, letter) {
            (_, '\\') => is_escaped = true,
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                parts.push(inner[begin..place].trim());
                begin = place + 1;
            }
            _ => {}
        }
    }
    parts.push(inner[begin..].trim());
    (depth == 0 && quote.is_none()).then_some(parts)
}

/// The text of an element, without its quotes and backslashes; what stands in brackets stays.
pub(super) fn plain(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    let mut depth = 0_usize;
    let mut quote = None;
    let mut letters = part.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            let next = letters.peek().copied();
            let stands_for_it = quote.is_some() || matches!(next, Some('"' | '\''));
            if depth > 0 || !stands_for_it {
                text.push(letter);
            }
            if stands_for_it {
                text.extend(letters.next());
            }
            continue;
        }
        let is_quote = match quote {
            Some(open) => open == letter,
            None => matches!(letter, '"' | '\''),
        };
        if is_quote {
            quote = match quote {
                Some(_) => None,
                None => Some(letter),
            };
            if depth > 0 {
                text.push(letter);
            }
            continue;
        }
        if quote.is_none() {
            match letter {
                '[' | '{' | '(' => depth += 1,
                ']' | '}' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{parts, plain};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let read: Vec<String> = parts(text).unwrap().into_iter().map(plain).collect();
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn commas_part_elements_outside_of_brackets_and_quotes() {
        check("[1, 2]", &["1", "2"]);
        check(" [ ] ", &[]);
        check("[a, , b]", &["a", "", "b"]);
        check(
            "[[a, b], (c, d), {'e': 1, 'f': 2}]",
            &["[a, b]", "(c, d)", "{'e': 1, 'f': 2}"],
        );
        check("[\"a, b\", 'c]']", &["a, b", "c]"]);
        check("[\" a\" , b ]", &[" a", "b"]);
    }

    #[test]
    fn backslashes_stand_for_quotes() {
        check(r"[can\'t, a\b]", &["can't", r"a\b"]);
        check(r#"["a\"b", "c\\d"]"#, &["a\"b", r"c\d"]);
        check(r"[a\,b]", &[r"a\", "b"]);
        check(r#"[{"a": "\""}]"#, &[r#"{"a": "\""}"#]);
    }

    #[test]
    fn other_texts_are_no_lists() {
        for text in ["", "1", "[1", "[1]]", "['a]", "a[1]"] {
            assert!(parts(text).is_none(), "{text}");
        }
    }
}
