//! Encoders for booleans, integers, floats and decimals.

use std::fmt::Display;

use datafusion::arrow::array::{Array, ArrowPrimitiveType, AsArray, BooleanArray};
use datafusion::arrow::datatypes::Decimal256Type;

use super::{Encoder, Syntax, quoted_in_json};

/// Encodes `true` and `false`.
pub(super) fn boolean(array: &BooleanArray) -> Encoder<'_> {
    Box::new(move |row, out| {
        let word: &[u8] = if array.value(row) { b"true" } else { b"false" };
        out.extend_from_slice(word);
    })
}

/// Encodes integers in all their digits; JSON's are not bounded by 2^53 either.
pub(super) fn integer<'a, T>(array: &'a dyn Array) -> Encoder<'a>
where
    T: ArrowPrimitiveType<Native: itoa::Integer>,
{
    let values = array.as_primitive::<T>().values();
    Box::new(move |row, out| push_integer(values[row], out))
}

/// Writes an integer.
#[inline]
pub(super) fn push_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Encodes floats in the fewest digits that read back as the same value, with a point or an exponent.
///
/// JSON has no number for NaN and the infinities. They are written as the strings `"NaN"`, `"Infinity"`
/// and `"-Infinity"`, as in the JSON mapping of protocol buffers: a null would silently be another
/// value, and a bare `NaN` is not JSON.
pub(super) fn float<'a, T: ArrowPrimitiveType, S: Syntax, F: zmij::Float>(
    array: &'a dyn Array,
    widen: impl Fn(T::Native) -> F + 'a,
) -> Encoder<'a> {
    let values = array.as_primitive::<T>().values();
    Box::new(move |row, out| {
        let mut buffer = zmij::Buffer::new();
        let word = match buffer.format(widen(values[row])) {
            "NaN" => "NaN",
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            digits => return out.extend_from_slice(digits.as_bytes()),
        };
        quoted_in_json::<S>(out, |out| out.extend_from_slice(word.as_bytes()));
    })
}

/// Encodes decimals exactly, with as many digits behind the point as the scale says.
pub(super) fn decimal<'a, T>(array: &'a dyn Array, scale: i8) -> Encoder<'a>
where
    T: ArrowPrimitiveType<Native: TryInto<i64> + Display>,
{
    let values = array.as_primitive::<T>().values();
    Box::new(move |row, out| match values[row].try_into() {
        Ok(value) => {
            let mut digits = itoa::Buffer::new();
            push_decimal(value < 0, digits.format(value.unsigned_abs()), scale, out);
        }
        Err(_) => push_wide_decimal(&values[row].to_string(), scale, out),
    })
}

/// Encodes decimals of up to 76 digits exactly.
pub(super) fn decimal256(array: &dyn Array, scale: i8) -> Encoder<'_> {
    let values = array.as_primitive::<Decimal256Type>().values();
    Box::new(move |row, out| push_wide_decimal(&values[row].to_string(), scale, out))
}

fn push_wide_decimal(text: &str, scale: i8, out: &mut Vec<u8>) {
    match text.strip_prefix('-') {
        Some(digits) => push_decimal(true, digits, scale, out),
        None => push_decimal(false, text, scale, out),
    }
}

/// Puts the point into the digits of an unscaled value.
fn push_decimal(negative: bool, digits: &str, scale: i8, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let digits = digits.as_bytes();
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits);
        if digits != b"0" {
            out.resize(out.len() + places, b'0');
        }
        return;
    }
    match digits.len().checked_sub(places) {
        Some(whole) if whole > 0 => {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
        _ => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + places - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }
}
