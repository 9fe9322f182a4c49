//! JSON texts that are changed: values put in and taken out at a way, one document laid over another, and objects
//! and lists made of values.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::scan::{self, Broken, Step};
use super::{Ways, as_json, malformed, written};
use crate::kernel::texts;

/// What becomes of the place that a way leads to.
#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Remove,
    Put {
        value: &'a str,
        /// Whether a value that is there gives way.
        replaces: bool,
        /// Whether a place is made that is not there.
        adds: bool,
    },
}

/// `json_remove`: the document without what stands at a way; NULL where that is all of it.
pub(crate) fn remove(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [documents, ways] = arrays else {
        return exec_err!("`json_remove` takes a JSON text and a way into it");
    };
    changed(documents, ways, None, |_| Change::Remove)
}

/// `json_set`: the value at a way, whether there is one or not.
pub(crate) fn set(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    put(arrays, true, true)
}

/// `json_insert`: the value at a way where there is none.
pub(crate) fn insert(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    put(arrays, false, true)
}

/// `json_replace`: the value at a way where there is one.
pub(crate) fn replace(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    put(arrays, true, false)
}

fn put(arrays: &[ArrayRef], replaces: bool, adds: bool) -> Result<ArrayRef> {
    let [documents, ways, values] = arrays else {
        return exec_err!("a JSON text, a way into it and a value are needed");
    };
    // A text is JSON already, as in DuckDB; any other value is written as such.
    let values = as_json(&[Arc::clone(values)])?;
    changed(documents, ways, Some(&values), |value| Change::Put {
        value,
        replaces,
        adds,
    })
}

fn changed(
    documents: &ArrayRef,
    ways: &ArrayRef,
    values: Option<&ArrayRef>,
    change: impl Fn(&str) -> Change<'_>,
) -> Result<ArrayRef> {
    let documents = texts(documents);
    let values = values.map(texts);
    let mut ways = Ways::new(ways)?;
    let mut results = StringBuilder::new();
    for row in 0..documents.len() {
        let has_value = values.is_none_or(|values| values.is_valid(row));
        let (true, true, Some(steps)) = (documents.is_valid(row), has_value, ways.of(row)?) else {
            results.append_null();
            continue;
        };
        let text = documents.value(row);
        let value = scan::compact(values.map_or("", |values| values.value(row)));
        let made = scan::document(text)
            .and_then(|document| with_change(&scan::compact(document), &steps, change(&value)));
        results.append_option(made.map_err(|broken| malformed(text, broken))?);
    }
    Ok(Arc::new(results.finish()))
}

/// The value with a change at the end of the steps; `None` where it is removed itself.
fn with_change(
    value: &str,
    steps: &[Step],
    change: Change<'_>,
) -> std::result::Result<Option<String>, Broken> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(match change {
            Change::Remove => None,
            Change::Put {
                value: new,
                replaces: true,
                ..
            } => Some(new.to_owned()),
            Change::Put { .. } => Some(value.to_owned()),
        });
    };
    let added = |rest: &[Step]| match change {
        Change::Put {
            value, adds: true, ..
        } => grown(value, rest),
        _ => None,
    };
    let mut out = String::with_capacity(value.len());
    match step {
        Step::Key(key) => {
            let Some(members) = scan::members(value)? else {
                return Ok(Some(value.to_owned()));
            };
            let mut is_there = false;
            for (name, member) in members {
                let is_meant = !is_there && scan::unquoted(name) == *key;
                is_there |= is_meant;
                let member = match is_meant {
                    true => with_change(member, rest, change)?,
                    false => Some(member.to_owned()),
                };
                if let Some(member) = member {
                    part(&mut out, &format!("{name}:{member}"));
                }
            }
            if let Some(member) = added(rest).filter(|_| !is_there) {
                part(&mut out, &format!("{}:{member}", quoted(key)));
            }
            Ok(Some(format!("{{{out}}}")))
        }
        Step::Index(_) | Step::Behind => {
            let Some(elements) = scan::elements(value)? else {
                return Ok(Some(value.to_owned()));
            };
            let count = elements.len();
            let place = match step {
                Step::Index(index) if *index >= 0 => usize::try_from(*index).ok(),
                Step::Index(index) => usize::try_from(index.unsigned_abs())
                    .ok()
                    .and_then(|back| count.checked_sub(back)),
                _ => Some(count),
            };
            for (at, element) in elements.into_iter().enumerate() {
                let element = match Some(at) == place {
                    true => with_change(element, rest, change)?,
                    false => Some(element.to_owned()),
                };
                if let Some(element) = element {
                    part(&mut out, &element);
                }
            }
            if let Some(element) = added(rest).filter(|_| place == Some(count)) {
                part(&mut out, &element);
            }
            Ok(Some(format!("[{out}]")))
        }
    }
}

/// A value with the objects and lists around it that steps lead through; lists grow by their first element only.
fn grown(value: &str, steps: &[Step]) -> Option<String> {
    let mut made = value.to_owned();
    for step in steps.iter().rev() {
        made = match step {
            Step::Key(key) => format!("{{{}:{made}}}", quoted(key)),
            Step::Index(0) | Step::Behind => format!("[{made}]"),
            Step::Index(_) => return None,
        };
    }
    Some(made)
}

fn part(out: &mut String, piece: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    out.push_str(piece);
}

/// A text in quotes, as JSON writes it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a text cannot fail.
            letter if letter < ' ' => drop(write!(out, "\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// `json_merge_patch`: each document laid over what came out before, by RFC 7396.
pub(crate) fn merge_patch(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let Some((first, patches)) = arrays.split_first() else {
        return exec_err!("`json_merge_patch` takes JSON texts");
    };
    let mut results = StringBuilder::new();
    for row in 0..first.len() {
        let read = |documents: &ArrayRef| -> Result<Option<String>> {
            let documents = texts(documents);
            if !documents.is_valid(row) {
                return Ok(None);
            }
            let text = documents.value(row);
            let document = scan::document(text).map_err(|broken| malformed(text, broken))?;
            Ok(Some(scan::compact(document)))
        };
        let mut result = read(first)?;
        for patch in patches {
            result = match (result, read(patch)?) {
                (_, None) => None,
                (None, patch) => patch,
                (Some(below), Some(above)) => {
                    Some(merged(Some(&below), &above).map_err(|broken| malformed(&above, broken))?)
                }
            };
        }
        results.append_option(result);
    }
    Ok(Arc::new(results.finish()))
}

/// What is not in the patch stays in front; `null` takes a member away.
fn merged(below: Option<&str>, above: &str) -> std::result::Result<String, Broken> {
    let Some(patch) = scan::members(above)? else {
        return Ok(above.to_owned());
    };
    let old = match below {
        Some(below) => scan::members(below)?.unwrap_or_default(),
        None => Vec::new(),
    };
    let mut out = String::new();
    for (name, member) in &old {
        let key = scan::unquoted(name);
        if !patch.iter().any(|(other, _)| scan::unquoted(other) == key) {
            part(&mut out, &format!("{name}:{member}"));
        }
    }
    for (name, member) in patch {
        if member == "null" {
            continue;
        }
        let key = scan::unquoted(name);
        let before = old.iter().find(|(other, _)| scan::unquoted(other) == key);
        let member = merged(before.map(|(_, member)| *member), member)?;
        part(&mut out, &format!("{name}:{member}"));
    }
    Ok(format!("{{{out}}}"))
}

/// `json_array`: a list of values; NULL is `null`.
pub(crate) fn list(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let columns = arrays.iter().map(values).collect::<Result<Vec<_>>>()?;
    let rows = arrays.first().map_or(1, |array| array.len());
    let lists = (0..rows).map(|row| {
        let elements: Vec<&str> = columns.iter().map(|column| json(column, row)).collect();
        Some(format!("[{}]", elements.join(",")))
    });
    Ok(Arc::new(lists.collect::<StringArray>()))
}

/// `json_object`: names and values in turn.
pub(crate) fn object(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    if !arrays.len().is_multiple_of(2) {
        return exec_err!("`json_object` takes a value for each name");
    }
    let mut columns = Vec::with_capacity(arrays.len() / 2);
    for pair in arrays.chunks(2) {
        let names = cast(&pair[0], &DataType::Utf8)?;
        if names.null_count() > 0 {
            return exec_err!("a name of `json_object` cannot be NULL");
        }
        columns.push((names, values(&pair[1])?));
    }
    let rows = arrays.first().map_or(1, |array| array.len());
    let objects = (0..rows).map(|row| {
        let mut out = String::new();
        for (names, values) in &columns {
            let name = quoted(names.as_string::<i32>().value(row));
            part(&mut out, &format!("{name}:{}", json(values, row)));
        }
        Some(format!("{{{out}}}"))
    });
    Ok(Arc::new(objects.collect::<StringArray>()))
}

fn values(array: &ArrayRef) -> Result<StringArray> {
    Ok(texts(&written(&[Arc::clone(array)])?).clone())
}

fn json(column: &StringArray, row: usize) -> &str {
    match column.is_valid(row) {
        true => column.value(row),
        false => "null",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Change, merged, with_change};
    use crate::json::path;

    #[track_caller]
    fn put(document: &str, way: &str, value: &str, expected: &str) {
        let change = Change::Put {
            value,
            replaces: false,
            adds: true,
        };
        let made = with_change(document, &path::parse(way).unwrap(), change);
        assert_eq!(made.unwrap().as_deref(), Some(expected));
    }

    /// Values of DuckDB's.
    #[test]
    fn values_go_where_there_is_none() {
        put(r#"{"a":1}"#, "$.b", "2", r#"{"a":1,"b":2}"#);
        put(r#"{"a":1}"#, "$.a", "99", r#"{"a":1}"#);
        put("{}", "$.a.b.c", "1", r#"{"a":{"b":{"c":1}}}"#);
        put("[1,2]", "/-", "3", "[1,2,3]");
        put("[1,2]", "$[#]", "3", "[1,2,3]");
        put("[1,2]", "$[5]", "9", "[1,2]");
        put("[1,2]", "$[#-0]", "9", "[1,2,9]");
        put("{}", "$.a[0]", "1", r#"{"a":[1]}"#);
        put(r#"{"a":[0]}"#, "$.a[1].b", "5", r#"{"a":[0,{"b":5}]}"#);
        put(r#"{"a\\":2}"#, r#"$."a\"b""#, "9", r#"{"a\\":2,"a\"b":9}"#);
    }

    #[test]
    fn values_are_taken_out() {
        for (document, way, expected) in [
            (r#"{"a":1,"b":2}"#, "$.a", Some(r#"{"b":2}"#)),
            (r#"{"a":1}"#, "$.b", Some(r#"{"a":1}"#)),
            (r#"{"a":[1,[2,3],4]}"#, "/a/1/0", Some(r#"{"a":[1,[3],4]}"#)),
            ("[1,2,3]", "$[#-1]", Some("[1,2]")),
            ("[1,2]", "$[#]", Some("[1,2]")),
            (r#"{"":1,"a":2}"#, "/", Some(r#"{"a":2}"#)),
            (r#"{"a":1}"#, "$", None),
        ] {
            let steps = path::parse(way).unwrap();
            let made = with_change(document, &steps, Change::Remove).unwrap();
            assert_eq!(made.as_deref(), expected, "{document} {way}");
        }
    }

    #[test]
    fn patches_follow_rfc_7396() {
        let below = r#"{"a":1,"b":{"c":1,"d":2}}"#;
        let above = r#"{"a":null,"b":{"c":null,"e":3},"f":{"g":null}}"#;
        let expected = r#"{"b":{"d":2,"e":3},"f":{}}"#;
        assert_eq!(merged(Some(below), above).unwrap(), expected);
        assert_eq!(merged(Some("[1]"), r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
        assert_eq!(merged(Some("1"), "true").unwrap(), "true");
    }
}
