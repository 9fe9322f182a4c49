//! Numbers in twice the precision of DOUBLE, and how columns of numbers are read as such.
//!
//! A mean of values around 1e15 that differ by 1 is only right if it carries more digits than the
//! values do: the unevaluated sum of two doubles does (Dekker 1971, Knuth's two-sum).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type,
};
use datafusion::common::{Result, internal_err};

/// A finite number as the unevaluated sum of two doubles.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Twofold {
    /// The number, rounded.
    pub high: f64,
    /// What rounding left over.
    pub low: f64,
}

impl From<f64> for Twofold {
    #[inline]
    fn from(value: f64) -> Self {
        Self {
            high: value,
            low: 0.0,
        }
    }
}

impl From<i64> for Twofold {
    #[inline]
    fn from(value: i64) -> Self {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        match value.unsigned_abs() {
            0..=EXACT => (value as f64).into(),
            _ => i128::from(value).into(),
        }
    }
}

impl From<i128> for Twofold {
    fn from(value: i128) -> Self {
        let high = value as f64;
        // The cast saturates at the ends of the range, where the difference could overflow.
        let low = value.saturating_sub(high as i128) as f64;
        Self { high, low }
    }
}

impl Twofold {
    /// Returns the difference, rounded once.
    #[inline]
    pub fn minus(self, other: Self) -> f64 {
        let (sum, error) = two_sum(self.high, -other.high);
        sum + (error + (self.low - other.low))
    }

    /// Adds a double.
    #[inline]
    #[must_use]
    pub fn plus(self, value: f64) -> Self {
        let (sum, error) = two_sum(self.high, value);
        Self::of(sum, error + self.low)
    }

    /// Adds another number.
    #[inline]
    #[must_use]
    pub fn plus_twofold(self, other: Self) -> Self {
        let (sum, error) = two_sum(self.high, other.high);
        Self::of(sum, error + (self.low + other.low))
    }

    /// Rounds to a double.
    #[inline]
    pub fn value(self) -> f64 {
        self.high + self.low
    }

    #[inline]
    fn of(large: f64, small: f64) -> Self {
        let high = large + small;
        Self {
            high,
            low: small - (high - large),
        }
    }
}

/// Returns the rounded sum and its exact error.
#[inline]
fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let virtual_right = sum - left;
    let error = (left - (sum - virtual_right)) + (right - virtual_right);
    (sum, error)
}

/// A column of numbers of one of the types that `types::number_or_time` gives.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// Floating point.
    Float(&'a datafusion::arrow::array::Float64Array),
    /// Whole numbers, and times in their own unit.
    Whole(&'a [i64], &'a ArrayRef),
    /// Days.
    Days(&'a datafusion::arrow::array::Date32Array),
    /// Whole numbers without a sign.
    Unsigned(&'a datafusion::arrow::array::UInt64Array),
    /// Decimals, by their digits without the point.
    Decimal(&'a datafusion::arrow::array::Decimal128Array),
}

impl<'a> Numbers<'a> {
    /// Looks at a column.
    pub fn of(array: &'a ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>()),
            DataType::Int64 => Self::Whole(array.as_primitive::<Int64Type>().values(), array),
            DataType::UInt64 => Self::Unsigned(array.as_primitive::<UInt64Type>()),
            DataType::Decimal128(..) => Self::Decimal(array.as_primitive::<Decimal128Type>()),
            DataType::Date32 => Self::Days(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(unit, _) => Self::Whole(timestamps(array, *unit), array),
            other => return internal_err!("no numbers in a column of {other}"),
        })
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Self::Float(array) => array.len(),
            Self::Whole(values, _) => values.len(),
            Self::Days(array) => array.len(),
            Self::Unsigned(array) => array.len(),
            Self::Decimal(array) => array.len(),
        }
    }

    /// Says whether a row has a value.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        match self {
            Self::Float(array) => array.is_valid(row),
            Self::Whole(_, array) => array.is_valid(row),
            Self::Days(array) => array.is_valid(row),
            Self::Unsigned(array) => array.is_valid(row),
            Self::Decimal(array) => array.is_valid(row),
        }
    }

    /// Returns a row's value without loss; of decimals the digits.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Twofold> {
        self.is_valid(row).then(|| match self {
            Self::Float(array) => array.value(row).into(),
            Self::Whole(values, _) => values[row].into(),
            Self::Days(array) => f64::from(array.value(row)).into(),
            Self::Unsigned(array) => i128::from(array.value(row)).into(),
            Self::Decimal(array) => array.value(row).into(),
        })
    }

    /// Returns a row's place in the order of values: equal numbers have equal keys, NaN the largest.
    #[inline]
    pub fn key(&self, row: usize) -> Option<i128> {
        self.is_valid(row).then(|| match self {
            Self::Float(array) => i128::from(float_key(array.value(row))),
            Self::Whole(values, _) => i128::from(values[row]),
            Self::Days(array) => i128::from(array.value(row)),
            Self::Unsigned(array) => i128::from(array.value(row)),
            Self::Decimal(array) => array.value(row),
        })
    }
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> &[i64] {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    }
}

/// The key of every NaN.
pub(crate) const NAN_KEY: i64 = i64::MAX;

/// Maps a float to an integer of the same order; -0.0 is 0.0, and every NaN is the same largest value.
#[inline]
pub(crate) fn float_key(value: f64) -> i64 {
    if value.is_nan() {
        return NAN_KEY;
    }
    // Adding 0.0 takes the sign of a zero away.
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ (((bits >> 63).cast_unsigned()) >> 1).cast_signed()
}

/// Maps a key back to its float.
#[inline]
pub(crate) fn key_float(key: i64) -> f64 {
    if key == NAN_KEY {
        return f64::NAN;
    }
    let bits = key ^ (((key >> 63).cast_unsigned()) >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

/// Makes -0.0 and 0.0 one value, and every NaN another.
pub(crate) fn without_negative_zero(column: &ArrayRef) -> Result<ArrayRef> {
    if !column.data_type().is_floating() {
        return Ok(Arc::clone(column));
    }
    let column = cast(column, &DataType::Float64)?;
    let canonical = column.as_primitive::<Float64Type>().unary(|value: f64| {
        if value.is_nan() {
            f64::NAN
        } else {
            value + 0.0
        }
    });
    let canonical: Float64Array = canonical;
    Ok(Arc::new(canonical))
}

/// By what the digits of a type are divided to give its value: 100 for DECIMAL(10, 2), else 1.
pub(crate) fn divisor(data_type: &DataType) -> f64 {
    match data_type {
        // A division by a power of ten is rounded once; its reciprocal would be rounded twice.
        DataType::Decimal128(_, scale) => 10f64.powi(i32::from(*scale)),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Twofold, float_key, key_float};

    #[test]
    fn integers_survive() {
        for value in [0, 1, -1, i64::MAX, i64::MIN, (1 << 53) + 1] {
            let twofold = Twofold::from(value);
            assert_eq!(
                twofold.high as i128 + twofold.low as i128,
                i128::from(value)
            );
        }
    }

    #[test]
    fn sums_keep_what_doubles_lose() {
        let sum = Twofold::from(1e16).plus(1.0).plus(1.0).plus(1.0);
        assert_eq!(sum.minus(Twofold::from(1e16)), 3.0);
        let both = sum.plus_twofold(Twofold::from(-1e16));
        assert_eq!(both.value(), 3.0);
    }

    #[test]
    fn keys_order_floats() {
        let ordered = [
            f64::NEG_INFINITY,
            -1e300,
            -1.0,
            -f64::MIN_POSITIVE,
            0.0,
            5e-324,
            1.0,
            f64::INFINITY,
            f64::NAN,
        ];
        assert!(ordered.map(float_key).is_sorted());
        assert_eq!(float_key(-0.0), float_key(0.0));
        assert_eq!(float_key(-f64::NAN), float_key(f64::NAN));
        for value in &ordered[..8] {
            assert_eq!(key_float(float_key(*value)), *value);
        }
    }
}
