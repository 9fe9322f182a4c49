//! From Arrow arrays to text: one encoder a column, chosen once a batch, that writes into a byte buffer.
//!
//! What a value looks like is decided here and is the same in all text formats; how text is quoted or
//! escaped is the format's own [`Syntax`]. Encoders cannot fail: every Arrow type has a text form.

mod json;
mod nested;
mod number;
mod temporal;
mod text;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

pub(super) use self::json::{Json, ObjectKeys};
pub(super) use self::text::{any_byte, push_hex};

/// How one format writes text.
pub(super) trait Syntax {
    /// Whether this is JSON: there nested values need no quotes, and words and times do.
    const JSON: bool = false;

    /// Writes any text, quoted and escaped as the format wants it.
    fn text(&self, text: &str, out: &mut Vec<u8>);

    /// Writes bytes that are not text: `\x` and lower-case hex digits, as PostgreSQL writes them.
    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"\\x");
        push_hex(bytes, out);
    }
}

/// Writes the value in a row, which is not NULL.
pub(super) type Encoder<'a> = Box<dyn FnMut(usize, &mut Vec<u8>) + 'a>;

/// One column of a batch, ready to be written cell by cell.
pub(super) struct Column<'a> {
    nulls: Option<NullBuffer>,
    encoder: Encoder<'a>,
}

impl<'a> Column<'a> {
    /// Chooses the encoder for an array.
    pub(super) fn new<S: Syntax>(array: &'a dyn Array, syntax: &'a S) -> Self {
        Self {
            nulls: array.logical_nulls(),
            encoder: encoder(array, syntax),
        }
    }

    /// Whether the value in this row is NULL.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Writes the value in this row; a NULL writes nothing and returns `false`.
    #[inline]
    pub(super) fn write(&mut self, row: usize, out: &mut Vec<u8>) -> bool {
        let present = !self.is_null(row);
        if present {
            (self.encoder)(row, out);
        }
        present
    }
}

/// Writes a word, a date or a time, which JSON wants as a string.
#[inline]
fn quoted_in_json<S: Syntax>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if S::JSON {
        out.push(b'"');
    }
    write(out);
    if S::JSON {
        out.push(b'"');
    }
}

/// Chooses how the values of an array are written.
fn encoder<'a, S: Syntax>(array: &'a dyn Array, syntax: &'a S) -> Encoder<'a> {
    match array.data_type() {
        DataType::Null => Box::new(|_, _| ()),
        DataType::Boolean => number::boolean(array.as_boolean()),
        DataType::Int8 => number::integer::<Int8Type>(array),
        DataType::Int16 => number::integer::<Int16Type>(array),
        DataType::Int32 => number::integer::<Int32Type>(array),
        DataType::Int64 => number::integer::<Int64Type>(array),
        DataType::UInt8 => number::integer::<UInt8Type>(array),
        DataType::UInt16 => number::integer::<UInt16Type>(array),
        DataType::UInt32 => number::integer::<UInt32Type>(array),
        DataType::UInt64 => number::integer::<UInt64Type>(array),
        DataType::Float16 => number::float::<Float16Type, S, _>(array, f32::from),
        DataType::Float32 => number::float::<Float32Type, S, _>(array, |value| value),
        DataType::Float64 => number::float::<Float64Type, S, _>(array, |value| value),
        DataType::Decimal32(_, scale) => number::decimal::<Decimal32Type>(array, *scale),
        DataType::Decimal64(_, scale) => number::decimal::<Decimal64Type>(array, *scale),
        DataType::Decimal128(_, scale) => number::decimal::<Decimal128Type>(array, *scale),
        DataType::Decimal256(_, scale) => number::decimal256(array, *scale),
        DataType::Utf8 => text::strings(array.as_string::<i32>(), syntax),
        DataType::LargeUtf8 => text::strings(array.as_string::<i64>(), syntax),
        DataType::Utf8View => text::strings(array.as_string_view(), syntax),
        DataType::Binary => text::binaries(array.as_binary::<i32>(), syntax),
        DataType::LargeBinary => text::binaries(array.as_binary::<i64>(), syntax),
        DataType::BinaryView => text::binaries(array.as_binary_view(), syntax),
        DataType::FixedSizeBinary(_) => text::binaries(array.as_fixed_size_binary(), syntax),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Map(..) => nested::as_json(array, syntax),
        DataType::Union(..) => nested::union(array.as_union(), syntax),
        DataType::Dictionary(..) => nested::dictionary(array.as_any_dictionary(), syntax),
        DataType::RunEndEncoded(run_ends, _) => nested::runs(array, run_ends.data_type(), syntax),
        _ => temporal_encoder::<S>(array),
    }
}

/// Chooses how the values of an array of dates, times or spans are written.
fn temporal_encoder<'a, S: Syntax>(array: &'a dyn Array) -> Encoder<'a> {
    match array.data_type() {
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref();
            match unit {
                TimeUnit::Second => temporal::timestamp::<TimestampSecondType, S>(array, zone),
                TimeUnit::Millisecond => {
                    temporal::timestamp::<TimestampMillisecondType, S>(array, zone)
                }
                TimeUnit::Microsecond => {
                    temporal::timestamp::<TimestampMicrosecondType, S>(array, zone)
                }
                TimeUnit::Nanosecond => {
                    temporal::timestamp::<TimestampNanosecondType, S>(array, zone)
                }
            }
        }
        DataType::Date32 => temporal::date32::<S>(array.as_primitive::<Date32Type>()),
        DataType::Date64 => temporal::date64::<S>(array.as_primitive::<Date64Type>()),
        DataType::Time32(TimeUnit::Second) => temporal::clock::<Time32SecondType, S>(array, 1),
        DataType::Time32(_) => temporal::clock::<Time32MillisecondType, S>(array, 1_000),
        DataType::Time64(TimeUnit::Microsecond) => {
            temporal::clock::<Time64MicrosecondType, S>(array, 1_000_000)
        }
        DataType::Time64(_) => temporal::clock::<Time64NanosecondType, S>(array, 1_000_000_000),
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => temporal::clock::<DurationSecondType, S>(array, 1),
            TimeUnit::Millisecond => temporal::clock::<DurationMillisecondType, S>(array, 1_000),
            TimeUnit::Microsecond => {
                temporal::clock::<DurationMicrosecondType, S>(array, 1_000_000)
            }
            TimeUnit::Nanosecond => {
                temporal::clock::<DurationNanosecondType, S>(array, 1_000_000_000)
            }
        },
        DataType::Interval(IntervalUnit::YearMonth) => {
            temporal::interval::<IntervalYearMonthType, S>(array)
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            temporal::interval::<IntervalDayTimeType, S>(array)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            temporal::interval::<IntervalMonthDayNanoType, S>(array)
        }
        other => unreachable!("`{other}` is not a temporal type"),
    }
}
