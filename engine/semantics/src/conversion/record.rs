//! Texts and rows without names as structs: `'{a: 1, b: x}'::STRUCT(a INT, b VARCHAR)`, and `row(1, 'x')`, whose
//! fields are called c0, c1 and so on, by their places.
//!
//! A text is read as DuckDB reads it: fields by their names, of which any may be missing, or values in round
//! brackets by their places. Arrow casts structs by names alone, and texts to none.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, exec_err};

use super::kernel::{OnFailure, converted};
use super::list::{parts_within, plain};
use crate::time::is_text;

/// Says whether a cast goes by places, in the type or in one that it holds.
pub(super) fn is_by_place(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Struct(from), DataType::Struct(to)) => {
            let has_names = from
                .iter()
                .zip(to)
                .all(|(from, to)| from.name() == to.name());
            let inner = || from.iter().zip(to);
            from.len() == to.len()
                && match has_names {
                    true => inner().any(|(from, to)| is_by_place(from.data_type(), to.data_type())),
                    false => is_row(from),
                }
        }
        (DataType::List(from), DataType::List(to)) => is_by_place(from.data_type(), to.data_type()),
        _ => false,
    }
}

fn is_row(fields: &Fields) -> bool {
    let mut fields = fields.iter().enumerate();
    fields.all(|(place, field)| *field.name() == format!("c{place}"))
}

/// Casts each field to the one at its place.
pub(super) fn by_place(array: &ArrayRef, to: &DataType, on_failure: OnFailure) -> Result<ArrayRef> {
    match to {
        DataType::Struct(fields) => {
            let row = array.as_struct();
            let columns = row.columns().iter().zip(fields);
            let columns =
                columns.map(|(column, field)| converted(column, field.data_type(), on_failure));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let made = StructArray::try_new_with_length(
                fields.clone(),
                columns,
                row.nulls().cloned(),
                row.len(),
            )?;
            Ok(Arc::new(made))
        }
        DataType::List(field) => {
            let lists = array.as_list::<i32>();
            let elements = converted(lists.values(), field.data_type(), on_failure)?;
            let offsets = lists.offsets().clone();
            let nulls = lists.nulls().cloned();
            Ok(Arc::new(ListArray::try_new(
                Arc::clone(field),
                offsets,
                elements,
                nulls,
            )?))
        }
        _ => exec_err!("only structs and lists are cast by places"),
    }
}

/// Reads texts as structs.
pub(super) fn structs_of_texts(
    array: &ArrayRef,
    fields: &Fields,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let texts = cast(array, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::with_capacity(texts.len()); fields.len()];
    let mut is_valid = Vec::with_capacity(texts.len());
    for text in texts {
        let values = text.and_then(|text| values(text, fields));
        if let (Some(text), None, OnFailure::Error) = (text, &values, on_failure) {
            let shown: String = text.chars().take(40).collect();
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            return exec_err!(
                "cannot read '{shown}' as a struct: it is written {{{}: …}}",
                names.join(": …, ")
            );
        }
        is_valid.push(values.is_some());
        let values = values.unwrap_or_else(|| vec![None; fields.len()]);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let columns = columns.into_iter().zip(fields).map(|(column, field)| {
        let column: ArrayRef = Arc::new(StringArray::from(column));
        match field.data_type() {
            DataType::Utf8 => Ok(column),
            other => converted(&column, other, on_failure),
        }
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let nulls = NullBuffer::from(is_valid);
    let made = StructArray::try_new_with_length(fields.clone(), columns, Some(nulls), texts.len())?;
    Ok(Arc::new(made))
}

/// The values of the fields; `None` for what is no struct of these.
fn values(text: &str, fields: &Fields) -> Option<Vec<Option<String>>> {
    let trimmed = text.trim();
    let mut values = vec![None; fields.len()];
    if trimmed.starts_with('(') {
        let parts = parts_within(trimmed, '(', ')')?;
        if parts.len() != fields.len() {
            return None;
        }
        for ((value, part), field) in values.iter_mut().zip(parts).zip(fields) {
            *value = value_of(part, field.data_type());
        }
        return Some(values);
    }
    let mut seen = vec![false; fields.len()];
    for part in parts_within(trimmed, '{', '}')? {
        let (name, value) = part.split_at(colon(part)?);
        let name = plain(name.trim());
        let place = fields.iter().position(|field| *field.name() == name)?;
        if std::mem::replace(&mut seen[place], true) {
            return None;
        }
        values[place] = value_of(value[1..].trim(), fields[place].data_type());
    }
    Some(values)
}

fn value_of(part: &str, data_type: &DataType) -> Option<String> {
    let is_nested = matches!(data_type, DataType::List(_) | DataType::Struct(_));
    match part.eq_ignore_ascii_case("null") {
        true => None,
        false if is_nested => Some(part.to_owned()),
        false => Some(plain(part)),
    }
}

/// Where the name of a field ends.
fn colon(part: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    part.char_indices().find_map(|(place, letter)| {
        if std::mem::take(&mut is_escaped) {
            return None;
        }
        match (quote, letter) {
            (_, '\\') => is_escaped = true,
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, ':') => return Some(place),
            _ => {}
        }
        None
    })
}

/// Says whether a text becomes a struct.
pub(super) fn is_text_of_struct(from: &DataType, to: &DataType) -> bool {
    is_text(from) && matches!(to, DataType::Struct(_))
}
