//! Numbers of a JSON file that were read as text, made what their columns are; none is cut or rounded.
//!
//! The reader below parses `1.9` for a BIGINT as 1 and every whole number for a DOUBLE as the nearest one.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, StructArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::error::{DataFusionError, Result};

use super::shape::is_exact_double;

/// Returns the columns with text in the place of numbers.
pub(super) fn with_text(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(|field| text(field)).collect();
    Arc::new(Schema::new(fields))
}

fn text(field: &Field) -> Field {
    let data_type = match field.data_type() {
        data_type if data_type.is_numeric() => DataType::Utf8,
        DataType::List(item) => DataType::List(Arc::new(text(item))),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| text(field)).collect())
        }
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// Makes rows that were read with [`with_text`] what their columns are.
pub(super) fn exact(rows: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch> {
    let columns = rows.columns().iter().zip(wanted.fields());
    let columns = columns
        .map(|(column, field)| exact_array(column, field.data_type(), field.name()))
        .collect::<Result<Vec<_>>>()?;
    // Rows without columns are rows all the same: `count(*)` asks for no more.
    let count = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let wanted = Arc::clone(wanted);
    Ok(RecordBatch::try_new_with_options(wanted, columns, &count)?)
}

fn exact_array(array: &ArrayRef, wanted: &DataType, column: &str) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    match wanted {
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let items = exact_array(list.values(), item.data_type(), column)?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            let list = ListArray::try_new(Arc::clone(item), offsets, items, nulls)?;
            Ok(Arc::new(list))
        }
        DataType::Struct(fields) => {
            let structs = array.as_struct();
            let columns = structs.columns().iter().zip(fields);
            let columns = columns
                .map(|(inner, field)| exact_array(inner, field.data_type(), field.name()))
                .collect::<Result<Vec<_>>>()?;
            let structs = StructArray::try_new(fields.clone(), columns, structs.nulls().cloned())?;
            Ok(Arc::new(structs))
        }
        _ => numbers(array.as_string::<i32>(), wanted, column),
    }
}

fn numbers(texts: &StringArray, wanted: &DataType, column: &str) -> Result<ArrayRef> {
    let misfit = |text: &str| {
        DataFusionError::Execution(format!(
            "the number {text} does not fit column `{column}`, which is {wanted} by the records that were looked at \
             or by its declaration; declare another type, or look at all records: `sample_size => -1`"
        ))
    };
    let checked = texts
        .iter()
        .map(|text| {
            let Some(text) = text else {
                return Ok(None);
            };
            let fitting = match wanted {
                data_type if data_type.is_integer() => whole_number(text),
                data_type if data_type.is_floating() && is_whole(text) => {
                    is_exact_double(text).then_some(Cow::Borrowed(text))
                }
                _ => Some(Cow::Borrowed(text)),
            };
            fitting.map(Some).ok_or_else(|| misfit(text))
        })
        .collect::<Result<StringArray>>()?;
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(&checked, wanted, &options).map_err(|error| misfit(&error.to_string()))
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns a number without a fraction as digits; `1.0` is one.
fn whole_number(text: &str) -> Option<Cow<'_, str>> {
    if is_whole(text) {
        return Some(Cow::Borrowed(text));
    }
    let number: f64 = text.parse().ok()?;
    let whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    whole.then(|| Cow::Owned(format!("{number:.0}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: &DataType, expect: Option<&str>) {
        let texts = StringArray::from(vec![text]);
        let shown = numbers(&texts, wanted, "a").and_then(|array| {
            Ok(datafusion::arrow::util::display::array_value_to_string(
                &array, 0,
            )?)
        });
        assert_eq!(shown.ok().as_deref(), expect, "{text} as {wanted}");
    }

    #[test]
    fn numbers_fit_or_fail() {
        for (text, wanted, expect) in [
            ("1", DataType::Int64, Some("1")),
            ("1.0", DataType::Int64, Some("1")),
            ("1.9", DataType::Int64, None),
            ("9223372036854775808", DataType::Int64, None),
            ("9007199254740993", DataType::Float64, None),
            (
                "9007199254740992",
                DataType::Float64,
                Some("9007199254740992.0"),
            ),
            ("1.5", DataType::Float64, Some("1.5")),
            ("300", DataType::UInt8, None),
            (
                "18446744073709551615",
                DataType::Decimal128(38, 0),
                Some("18446744073709551615"),
            ),
        ] {
            check(text, &wanted, expect);
        }
    }
}
