//! Functions that are computed: what they take, and what they give.

pub(crate) mod base;
pub(crate) mod bytes;
pub(crate) mod check;
pub(crate) mod clock;
pub(crate) mod distance;
pub(crate) mod float;
pub(crate) mod map;
pub(crate) mod pattern;
pub(crate) mod pick;
pub(crate) mod printf;
pub(crate) mod shape;
pub(crate) mod size;
pub(crate) mod strptime;
pub(crate) mod text;
pub(crate) mod url;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;

/// What an argument is made before the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whatever it is.
    Any,
    /// A text, as `Utf8`.
    Text,
    /// A text, as `Utf8`, or a whole number, as `Int64`.
    TextOrWhole,
    /// A text or bytes, as `Binary`.
    Bytes,
    /// A whole number, as `Int64`.
    Whole,
    /// A number, as `Float64`.
    Number,
    /// A date, as `Date32`.
    Day,
    /// A date or a time, as a timestamp of microseconds that shows the clock.
    Clock,
}

/// What a function computes from arrays.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// The arguments that it can be called with; where the last form ends in `Any`, with more of them.
    pub(crate) forms: &'static [&'static [Kind]],
    /// Whether any number of arguments may follow those of the last form, each of its last kind.
    pub(crate) goes_on: bool,
    /// Whether the first argument is a unit of time in which moments are told apart: days and longer ones are
    /// those of a clock, shorter ones those of the moments.
    pub(crate) is_by_unit: bool,
    /// The type of the result, by the types of the arguments.
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    /// The result: as many rows as each of the arrays.
    pub(crate) compute: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

impl Kernel {
    /// A kernel with one form.
    pub(crate) const fn new(
        forms: &'static [&'static [Kind]],
        returns: fn(&[DataType]) -> Result<DataType>,
        compute: fn(&[ArrayRef]) -> Result<ArrayRef>,
    ) -> Self {
        Self {
            forms,
            goes_on: false,
            is_by_unit: false,
            returns,
            compute,
        }
    }

    /// The kernel whose first argument is a unit of time.
    pub(crate) const fn by_unit(mut self) -> Self {
        self.is_by_unit = true;
        self
    }

    /// The kernel with any number of arguments more.
    pub(crate) const fn going_on(mut self) -> Self {
        self.goes_on = true;
        self
    }
}

/// The type that an argument is made; `None` where it cannot be.
pub(crate) fn coerced(data_type: &DataType, kind: Kind) -> Option<DataType> {
    let is_null = data_type.is_null();
    let is_text = is_text(data_type);
    let is_time = matches!(data_type, DataType::Date32 | DataType::Date64)
        || matches!(data_type, DataType::Timestamp(..));
    let is_bytes = matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    );
    let (fits, wanted) = match kind {
        Kind::Any => (true, data_type.clone()),
        Kind::Text => (
            is_text || is_time || data_type.is_numeric() || *data_type == DataType::Boolean,
            DataType::Utf8,
        ),
        Kind::TextOrWhole if data_type.is_integer() => (true, DataType::Int64),
        Kind::TextOrWhole => (is_text, DataType::Utf8),
        Kind::Bytes => (is_text || is_bytes, DataType::Binary),
        Kind::Whole => (data_type.is_integer(), DataType::Int64),
        Kind::Number => (data_type.is_numeric(), DataType::Float64),
        Kind::Day => (is_text || is_time, DataType::Date32),
        Kind::Clock => (
            is_text || is_time,
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ),
    };
    (fits || is_null).then_some(wanted)
}

/// Says whether values of a type are texts.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(
            other,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        ),
    }
}

/// An argument of the kind `Text`.
pub(crate) fn texts(array: &ArrayRef) -> &StringArray {
    array.as_string::<i32>()
}

/// Computes a text of each text.
pub(crate) fn map_text(
    array: &ArrayRef,
    mut compute: impl FnMut(&str) -> Option<String>,
) -> Result<ArrayRef> {
    let computed: StringArray = texts(array)
        .iter()
        .map(|text| text.and_then(&mut compute))
        .collect();
    Ok(Arc::new(computed))
}

/// The type `VARCHAR`, whatever the arguments are.
pub(crate) fn to_text(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Utf8)
}

/// The type `BIGINT`.
pub(crate) fn to_whole(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Int64)
}

/// The type `DOUBLE`.
pub(crate) fn to_number(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Float64)
}

/// The type `BOOLEAN`.
pub(crate) fn to_truth(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Boolean)
}

/// The type of a list of texts.
pub(crate) fn to_texts(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::new_list(DataType::Utf8, true))
}

/// The type `TIMESTAMP`.
pub(crate) fn to_clock(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
}

/// The row of an array as `None` where it is NULL.
pub(crate) fn valid(arrays: &[&dyn Array], row: usize) -> bool {
    arrays.iter().all(|array| array.is_valid(row))
}
