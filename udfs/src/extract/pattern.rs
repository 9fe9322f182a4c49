//! `regexp_extract_struct` and `regexp_extract_all_struct`: the named groups of a pattern as fields.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringBuilder, StructArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use regex::{Captures, Regex};

use super::{ExtractArguments, ExtractBehaviour, text_type};
use crate::registry::{Behaviour, Function};
use crate::types::check_count;

pub(super) static EXTRACT: Function = Function {
    name: "regexp_extract_struct",
    usage: "regexp_extract_struct(text, '(?P<name>pattern) …')",
    summary: "Returns what the named groups of the pattern's first match found, as a struct of texts.",
    nulls: "NULL if text is NULL or has no match; a group that took no part in the match is NULL.",
    examples: &[
        r"SELECT regexp_extract_struct('1513 ACCOUNTANT', '(?P<code>\d{4}) (?P<title>.+)');",
    ],
    parameters: &["text", "pattern"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| coerce("regexp_extract_struct", types),
        returns: |constants| {
            let fields = fields("regexp_extract_struct", constants)?;
            Ok(DataType::Struct(fields))
        },
        compute: first,
    }),
};

pub(super) static EXTRACT_ALL: Function = Function {
    name: "regexp_extract_all_struct",
    usage: "regexp_extract_all_struct(text, '(?P<name>pattern) …')",
    summary: "Returns what the named groups found in each match of the pattern, as a list of structs of texts.",
    nulls: "NULL if text is NULL, an empty list without a match; a group that took no part in a match is NULL.",
    examples: &[r"SELECT regexp_extract_all_struct('a=1, b=2', '(?P<key>\w)=(?P<value>\d)');"],
    parameters: &["text", "pattern"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| coerce("regexp_extract_all_struct", types),
        returns: |constants| {
            let item = DataType::Struct(fields("regexp_extract_all_struct", constants)?);
            Ok(DataType::List(Field::new_list_field(item, true).into()))
        },
        compute: all,
    }),
};

fn coerce(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    Ok(vec![text_type(name, &types[0])?, DataType::Utf8])
}

/// Compiles a pattern.
pub(super) fn compiled(name: &str, pattern: &str) -> Result<Regex> {
    match Regex::new(pattern) {
        Ok(regex) => Ok(regex),
        Err(regex::Error::CompiledTooBig(_)) => {
            plan_err!("`{name}`: the pattern is too large when compiled; repeat less in it")
        }
        Err(error) => {
            // The library shows the pattern with a mark below it; its last line says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            plan_err!("`{name}`: the pattern is wrong: {reason}")
        }
    }
}

/// The fields that a pattern gives: its named groups.
fn fields(name: &str, constants: &[Option<&ScalarValue>]) -> Result<Fields> {
    let pattern = constants.get(1).copied().flatten();
    let Some(Some(Some(pattern))) = pattern.map(ScalarValue::try_as_str) else {
        return plan_err!(
            "`{name}` takes its pattern as a literal, since its groups are the fields of the result"
        );
    };
    let regex = compiled(name, pattern)?;
    let names: Vec<_> = regex.capture_names().flatten().collect();
    if names.is_empty() {
        return plan_err!(
            "`{name}`: the pattern has no named group; write `(?P<name>…)` for each field"
        );
    }
    let text = |name: &&str| Field::new(*name, DataType::Utf8, true);
    Ok(names.iter().map(text).collect())
}

/// Finds the pattern of a call, which is the same in all rows.
fn pattern(name: &str, arguments: &ExtractArguments<'_>) -> Result<Option<Regex>> {
    let patterns = arguments.columns[1].as_string::<i32>();
    if patterns.is_empty() {
        return Ok(None);
    }
    if patterns.is_null(0) {
        return exec_err!("`{name}`: the pattern is NULL");
    }
    arguments.patterns.get(name, patterns.value(0)).map(Some)
}

/// The fields of the result as they grow.
struct Groups {
    places: Vec<usize>,
    columns: Vec<StringBuilder>,
}

impl Groups {
    fn of(regex: &Regex) -> Self {
        let named = regex.capture_names().enumerate();
        let places: Vec<_> = named
            .filter_map(|(place, name)| name.map(|_| place))
            .collect();
        Self {
            columns: places.iter().map(|_| StringBuilder::new()).collect(),
            places,
        }
    }

    fn add(&mut self, found: Option<&Captures<'_>>) {
        for (place, column) in self.places.iter().zip(&mut self.columns) {
            let text = found.and_then(|found| found.get(*place));
            column.append_option(text.map(|text| text.as_str()));
        }
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        let columns = self.columns.iter_mut();
        columns
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect()
    }
}

fn first(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let Some(regex) = pattern("regexp_extract_struct", arguments)? else {
        return Ok(datafusion::arrow::array::new_empty_array(arguments.returns));
    };
    let DataType::Struct(fields) = arguments.returns else {
        return exec_err!("`regexp_extract_struct` returns a struct");
    };
    let mut groups = Groups::of(&regex);
    let mut valid = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let text = texts.get(row);
        let found = text.as_deref().and_then(|text| regex.captures(text));
        groups.add(found.as_ref());
        valid.push(found.is_some());
    }
    let nulls = NullBuffer::from(valid);
    let found = StructArray::try_new(fields.clone(), groups.finish(), Some(nulls))?;
    Ok(Arc::new(found))
}

fn all(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let Some(regex) = pattern("regexp_extract_all_struct", arguments)? else {
        return Ok(datafusion::arrow::array::new_empty_array(arguments.returns));
    };
    let DataType::List(item) = arguments.returns else {
        return exec_err!("`regexp_extract_all_struct` returns a list");
    };
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("`regexp_extract_all_struct` returns a list of structs");
    };
    let mut groups = Groups::of(&regex);
    let mut lengths = Vec::with_capacity(arguments.rows);
    let mut valid = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let text = texts.get(row);
        let mut length = 0;
        for found in regex.captures_iter(text.as_deref().unwrap_or_default()) {
            if text.is_none() {
                break;
            }
            groups.add(Some(&found));
            length += 1;
        }
        lengths.push(length);
        valid.push(text.is_some());
    }
    let found = StructArray::try_new(fields.clone(), groups.finish(), None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = NullBuffer::from(valid);
    let lists = ListArray::try_new(Arc::clone(item), offsets, Arc::new(found), Some(nulls))?;
    Ok(Arc::new(lists))
}
