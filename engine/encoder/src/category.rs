//! What a category is: which values of which types are the same one.
//!
//! Each value becomes a text or a number of 64 bits, so that an encoder that was fitted on one storage
//! type (a dictionary, a narrower integer) applies to another. -0.0 is 0.0, and all NaN are one category.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::compute::kernels::cast::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion::arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

/// The sort of values that an encoder's categories are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CategoryType {
    /// Text of any storage type.
    Text,
    /// Whole numbers of any width.
    Integer,
    /// Floating-point numbers.
    Float,
    /// Truth values.
    Boolean,
    /// Days.
    Date,
    /// Moments, by the digits behind the second.
    Timestamp {
        /// 0, 3, 6 or 9.
        digits: u8,
    },
    /// Decimals, by the digits behind the point.
    Decimal {
        /// The scale.
        scale: i8,
    },
}

impl CategoryType {
    /// Returns the sort of a column's values; `None` where they cannot be categories.
    pub fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Dictionary(_, values) => Self::of(values)?,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            data_type if data_type.is_integer() => Self::Integer,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Float,
            DataType::Boolean => Self::Boolean,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(unit, _) => Self::Timestamp {
                digits: match unit {
                    TimeUnit::Second => 0,
                    TimeUnit::Millisecond => 3,
                    TimeUnit::Microsecond => 6,
                    TimeUnit::Nanosecond => 9,
                },
            },
            DataType::Decimal128(_, scale) => Self::Decimal { scale: *scale },
            _ => return None,
        })
    }

    /// Says whether values of another sort are looked up among these as they are: equal ones, and moments with
    /// fewer digits, as TIMESTAMP has had since it was nanoseconds.
    pub(crate) fn takes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Timestamp { digits }, Self::Timestamp { digits: found }) => found <= digits,
            _ => self == other,
        }
    }

    /// Returns what such values are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "whole numbers",
            Self::Float => "floating-point numbers",
            Self::Boolean => "truth values",
            Self::Date => "dates",
            Self::Timestamp { .. } => "timestamps",
            Self::Decimal { .. } => "decimals",
        }
    }

    /// Says whether categories are kept as text; the others are numbers.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Decimal { .. })
    }

    /// Returns the type in which a column of categories is shown.
    pub(super) fn shown_type(self) -> DataType {
        match self {
            Self::Text | Self::Decimal { .. } => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp { digits } => DataType::Timestamp(time_unit(digits), None),
        }
    }

    /// Turns a column into keys: `StringArray` or `Int64Array`, NULL where the column is.
    pub(super) fn keys(self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text | Self::Decimal { .. } => exact_cast(column, &DataType::Utf8),
            Self::Integer => integer_keys(column),
            Self::Boolean => exact_cast(column, &DataType::Int64),
            Self::Float => {
                let numbers = exact_cast(column, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                Ok(Arc::new(numbers.unary::<_, Int64Type>(|value| {
                    canonical_bits(value).cast_signed()
                })))
            }
            Self::Date => {
                let days = exact_cast(column, &DataType::Date32)?;
                exact_cast(&exact_cast(&days, &DataType::Int32)?, &DataType::Int64)
            }
            Self::Timestamp { digits } => {
                let zone = match column.data_type() {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                let unit = DataType::Timestamp(time_unit(digits), zone);
                exact_cast(&exact_cast(column, &unit)?, &DataType::Int64)
            }
        }
    }

    /// Turns keys back into values that can be read.
    pub(super) fn shown(self, keys: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text | Self::Decimal { .. } | Self::Integer => Ok(Arc::clone(keys)),
            Self::Float => {
                let bits = keys.as_primitive::<Int64Type>();
                let numbers: Float64Array =
                    bits.unary::<_, Float64Type>(|bits| f64::from_bits(bits.cast_unsigned()));
                Ok(Arc::new(numbers))
            }
            Self::Date => exact_cast(&exact_cast(keys, &DataType::Int32)?, &DataType::Date32),
            Self::Boolean | Self::Timestamp { .. } => exact_cast(keys, &self.shown_type()),
        }
    }
}

fn time_unit(digits: u8) -> TimeUnit {
    match digits {
        0 => TimeUnit::Second,
        3 => TimeUnit::Millisecond,
        6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// Casts; a value that does not fit is an error, never a NULL.
pub(super) fn exact_cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &options)
}

/// Refuses unsigned numbers beyond the signed range, whose bits are those of negative ones.
fn integer_keys(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let column = match column.data_type() {
        DataType::Dictionary(_, values) => exact_cast(column, values)?,
        _ => Arc::clone(column),
    };
    if column.data_type() != &DataType::UInt64 {
        return exact_cast(&column, &DataType::Int64);
    }
    let numbers = column.as_primitive::<datafusion::arrow::datatypes::UInt64Type>();
    if let Some(large) = numbers
        .iter()
        .flatten()
        .find(|value| *value > i64::MAX as u64)
    {
        return Err(ArrowError::CastError(format!(
            "`{large}` is too large to be a category; cast the column to text"
        )));
    }
    let signed: Int64Array = numbers.unary::<_, Int64Type>(|value| value as i64);
    Ok(Arc::new(signed))
}

/// Gives equal numbers equal bits.
fn canonical_bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        // -0.0 + 0.0 is 0.0.
        (value + 0.0).to_bits()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, Date32Array, Date64Array, DictionaryArray, Float32Array, Float64Array, Int8Array,
        Int64Array, LargeStringArray, StringArray, UInt64Array,
    };
    use datafusion::arrow::datatypes::Int32Type;

    use super::CategoryType;

    fn keys(column: ArrayRef) -> ArrayRef {
        let kind = CategoryType::of(column.data_type()).unwrap();
        kind.keys(&column).unwrap()
    }

    #[test]
    fn storage_types_do_not_matter() {
        let dictionary: DictionaryArray<Int32Type> = vec![Some("a"), None].into_iter().collect();
        let texts: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec![Some("a"), None])),
            Arc::new(LargeStringArray::from(vec![Some("a"), None])),
            Arc::new(dictionary),
        ];
        for text in texts {
            assert_eq!(
                &keys(Arc::clone(&text)),
                &keys(Arc::new(StringArray::from(vec![Some("a"), None])))
            );
        }
        let narrow = keys(Arc::new(Int8Array::from(vec![-3, 7])));
        assert_eq!(&narrow, &keys(Arc::new(Int64Array::from(vec![-3, 7]))));
        let day = keys(Arc::new(Date32Array::from(vec![2])));
        assert_eq!(
            &day,
            &keys(Arc::new(Date64Array::from(vec![2 * 86_400_000])))
        );
    }

    #[test]
    fn zeros_are_one_and_nan_is_one() {
        let column = Float64Array::from(vec![0.0, f64::NAN]);
        let other = Float32Array::from(vec![-0.0, -f32::NAN]);
        assert_eq!(&keys(Arc::new(column)), &keys(Arc::new(other)));
    }

    #[test]
    fn numbers_beyond_the_signed_range_are_refused() {
        let column: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        assert!(CategoryType::Integer.keys(&column).is_err());
    }

    #[test]
    fn keys_come_back_as_values() {
        let column: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None]));
        let keys = CategoryType::Float.keys(&column).unwrap();
        assert_eq!(&CategoryType::Float.shown(&keys).unwrap(), &column);
        let column: ArrayRef = Arc::new(Date32Array::from(vec![Some(9), None]));
        let keys = CategoryType::Date.keys(&column).unwrap();
        assert_eq!(&CategoryType::Date.shown(&keys).unwrap(), &column);
    }
}
