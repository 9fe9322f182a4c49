//! Regular expressions: what is found, cut out, and where texts are cut.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use regex::{Captures, Regex};

use super::{map_text, texts, valid};

/// The expression of the last row, which is mostly that of the next one too.
#[derive(Default)]
struct Last(Option<(String, Regex)>);

impl Last {
    fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if self.0.as_ref().is_none_or(|(known, _)| known != pattern) {
            let compiled = Regex::new(pattern).map_err(|error| exec_datafusion_err!("{error}"))?;
            self.0 = Some((pattern.to_owned(), compiled));
        }
        match &self.0 {
            Some((_, compiled)) => Ok(compiled),
            None => exec_err!("no regular expression"),
        }
    }
}

/// The number of the group that a row asks for; without one, that of the whole.
fn group(groups: Option<&ArrayRef>, row: usize) -> Result<usize> {
    let Some(groups) = groups else { return Ok(0) };
    let number = groups.as_primitive::<Int64Type>().value(row);
    match usize::try_from(number) {
        Ok(number) => Ok(number),
        Err(_) => exec_err!("a regular expression has no group {number}"),
    }
}

fn check_group(pattern: &Regex, group: usize) -> Result<()> {
    match group < pattern.captures_len() {
        true => Ok(()),
        false => exec_err!(
            "the regular expression `{pattern}` has no group {group}; it has {}",
            pattern.captures_len() - 1
        ),
    }
}

/// Returns a group of the first match, or an empty text where nothing matches.
pub(crate) fn extract(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    extracted(arrays, Some(""))
}

/// Returns the first match, or NULL where nothing matches.
pub(crate) fn substr(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    extracted(arrays, None)
}

fn extracted(arrays: &[ArrayRef], otherwise: Option<&str>) -> Result<ArrayRef> {
    let (values, patterns, groups) = match arrays {
        [values, patterns] => (texts(values), texts(patterns), None),
        [values, patterns, groups] => (texts(values), texts(patterns), Some(groups)),
        _ => return exec_err!("a text, a regular expression and the number of a group are needed"),
    };
    let mut last = Last::default();
    let mut found = StringBuilder::new();
    for row in 0..values.len() {
        let has_group = groups.is_none_or(|groups| groups.is_valid(row));
        if !valid(&[values, patterns], row) || !has_group {
            found.append_null();
            continue;
        }
        let pattern = last.get(patterns.value(row))?;
        let group = group(groups, row)?;
        check_group(pattern, group)?;
        match pattern.captures(values.value(row)) {
            // A group that took no part in the match is empty, as in DuckDB and Spark.
            Some(captures) => {
                found.append_value(captures.get(group).map_or("", |text| text.as_str()));
            }
            None => found.append_option(otherwise),
        }
    }
    Ok(Arc::new(found.finish()))
}

/// Returns a group of every match.
pub(crate) fn extract_all(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, patterns, groups) = match arrays {
        [values, patterns] => (texts(values), texts(patterns), None),
        [values, patterns, groups] => (texts(values), texts(patterns), Some(groups)),
        _ => return exec_err!("a text, a regular expression and the number of a group are needed"),
    };
    let mut last = Last::default();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..values.len() {
        let has_group = groups.is_none_or(|groups| groups.is_valid(row));
        if !valid(&[values, patterns], row) || !has_group {
            lists.append_null();
            continue;
        }
        let pattern = last.get(patterns.value(row))?;
        let group = group(groups, row)?;
        check_group(pattern, group)?;
        each_match(pattern, values.value(row), |captures| {
            let group = captures.get(group).map(|text| text.as_str());
            lists.values().append_option(group);
        });
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// Calls a function with each match. An empty match may stand where another one ends, as in DuckDB and in Java,
/// but not in Rust's iterator.
fn each_match(pattern: &Regex, value: &str, mut found: impl FnMut(&Captures<'_>)) {
    let mut begin = 0;
    while let Some(captures) = pattern.captures_at(value, begin) {
        found(&captures);
        let Some(whole) = captures.get(0) else { break };
        begin = match whole.is_empty() {
            false => whole.end(),
            true => match value[whole.end()..].chars().next() {
                Some(letter) => whole.end() + letter.len_utf8(),
                None => break,
            },
        };
    }
}

/// Appends the groups of a match, without the whole.
fn append_groups(list: &mut ListBuilder<StringBuilder>, captures: &Captures<'_>) {
    for group in captures.iter().skip(1) {
        list.values()
            .append_option(group.map(|group| group.as_str()));
    }
    list.append(true);
}

/// Returns the groups of the first match; NULL where nothing matches.
pub(crate) fn groups(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, patterns] = arrays else {
        return exec_err!("a text and a regular expression are needed");
    };
    let (values, patterns) = (texts(values), texts(patterns));
    let mut last = Last::default();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..values.len() {
        if !valid(&[values, patterns], row) {
            lists.append_null();
            continue;
        }
        match last.get(patterns.value(row))?.captures(values.value(row)) {
            Some(captures) => append_groups(&mut lists, &captures),
            None => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}

/// The type of a list of lists of texts.
pub(crate) fn to_lists_of_texts(_: &[DataType]) -> Result<DataType> {
    let texts = DataType::new_list(DataType::Utf8, true);
    Ok(DataType::new_list(texts, true))
}

/// Returns the groups of every match.
pub(crate) fn all_groups(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, patterns] = arrays else {
        return exec_err!("a text and a regular expression are needed");
    };
    let (values, patterns) = (texts(values), texts(patterns));
    let mut last = Last::default();
    let mut lists = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in 0..values.len() {
        if !valid(&[values, patterns], row) {
            lists.append_null();
            continue;
        }
        let pattern = last.get(patterns.value(row))?;
        each_match(pattern, values.value(row), |captures| {
            append_groups(lists.values(), captures);
        });
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// Cuts texts where a regular expression matches.
pub(crate) fn split(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, patterns, limits) = match arrays {
        [values, patterns] => (texts(values), texts(patterns), None),
        [values, patterns, limits] => {
            let limits = limits.as_primitive::<Int64Type>();
            (texts(values), texts(patterns), Some(limits))
        }
        _ => return exec_err!("a text and a regular expression are needed"),
    };
    let mut last = Last::default();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..values.len() {
        if !valid(&[values, patterns], row) {
            lists.append_null();
            continue;
        }
        let pattern = last.get(patterns.value(row))?;
        let value = values.value(row);
        let limit = limits.map_or(0, |limits| limits.value(row));
        match usize::try_from(limit) {
            Ok(limit) if limit > 0 => {
                for part in pattern.splitn(value, limit) {
                    lists.values().append_value(part);
                }
            }
            _ => {
                for part in pattern.split(value) {
                    lists.values().append_value(part);
                }
            }
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// Writes a text so that a regular expression takes it as it is.
pub(crate) fn escape(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`regexp_escape` takes one text");
    };
    map_text(values, |value| Some(regex::escape(value)))
}
