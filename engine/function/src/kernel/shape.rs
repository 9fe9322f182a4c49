//! What a value is and how long it is: `typeof`, `length`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use lakesh_text::failure::sql_type_name;

use super::{is_text, texts};

/// Writes the SQL type of a column in each of its rows.
pub(crate) fn type_name(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`typeof` takes one argument");
    };
    let name = match values.data_type() {
        DataType::Null => "NULL".to_owned(),
        other => sql_type_name(other),
    };
    let rows = std::iter::repeat_n(Some(name), values.len());
    Ok(Arc::new(rows.collect::<StringArray>()))
}

/// The type of a length, for what has one.
pub(crate) fn length_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(..)
            | DataType::Map(..)
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
            | DataType::Null,
        ] => Ok(DataType::Int64),
        [other] if is_text(other) => Ok(DataType::Int64),
        [other] if other.is_primitive() || *other == DataType::Boolean => Ok(DataType::Int64),
        [other] => plan_err!("{} has no length", sql_type_name(other)),
        _ => plan_err!("`length` takes one argument"),
    }
}

/// Counts the characters of a text, the bytes of bytes, the elements of a list and the entries of a map.
pub(crate) fn length(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`length` takes one argument");
    };
    let lengths = |length: &dyn Fn(usize) -> usize| -> Int64Array {
        let rows = 0..values.len();
        rows.map(|row| {
            let is_valid = values.is_valid(row);
            is_valid.then(|| i64::try_from(length(row)).unwrap_or(i64::MAX))
        })
        .collect()
    };
    let counted = match values.data_type() {
        DataType::Null => Int64Array::new_null(values.len()),
        DataType::List(_) => {
            let lists = values.as_list::<i32>();
            lengths(&|row| usize::try_from(lists.value_length(row)).unwrap_or(0))
        }
        DataType::LargeList(_) => {
            let lists = values.as_list::<i64>();
            lengths(&|row| usize::try_from(lists.value_length(row)).unwrap_or(0))
        }
        DataType::FixedSizeList(_, size) => {
            let size = usize::try_from(*size).unwrap_or(0);
            lengths(&|_| size)
        }
        DataType::Map(..) => {
            let maps = values.as_map();
            lengths(&|row| usize::try_from(maps.value_length(row)).unwrap_or(0))
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => {
            let bytes = cast(values, &DataType::Binary)?;
            let bytes = bytes.as_binary::<i32>();
            lengths(&|row| bytes.value(row).len())
        }
        _ => {
            let written = cast(values, &DataType::Utf8)?;
            let written = texts(&written);
            lengths(&|row| written.value(row).chars().count())
        }
    };
    Ok(Arc::new(counted))
}
