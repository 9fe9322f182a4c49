//! How many bytes a call would give, told from its arguments.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, IntervalMonthDayNanoArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::length::length;
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::Result;
use datafusion::common::cast::{as_generic_string_array, as_int64_array};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// Estimates the bytes of a call's result; it may say too much, and never far too little.
pub(super) type Growth = fn(&Arguments<'_>) -> Result<u128>;

/// The functions that multiply, each with its estimate.
pub(super) const GROWTHS: &[(&str, Growth)] = &[
    ("range", series),
    ("generate_series", series),
    ("array_repeat", repeated_elements),
    ("array_resize", resized),
    ("repeat", repeated_text),
    ("lpad", padded),
    ("rpad", padded),
    ("replace", replaced),
    ("regexp_replace", replaced),
    ("array_to_string", joined),
];

/// Bytes of an element of a series: a number or a moment.
const ELEMENT: u128 = 8;
/// The most bytes of a character.
const CHARACTER: u128 = 4;
/// A month has so many nanoseconds at least.
const MONTH: i128 = 28 * DAY;
const DAY: i128 = 86_400_000_000_000;

/// The arguments of a call.
pub(super) struct Arguments<'a> {
    values: &'a [ColumnarValue],
    rows: usize,
}

impl<'a> Arguments<'a> {
    pub(super) fn of(call: &'a ScalarFunctionArgs) -> Self {
        // Of constants there is one result, which stands for all rows.
        let constant = call
            .args
            .iter()
            .all(|value| matches!(value, ColumnarValue::Scalar(_)));
        Self {
            values: &call.args,
            rows: if constant { 1 } else { call.number_rows },
        }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn array(&self, index: usize) -> Result<ArrayRef> {
        match &self.values[index] {
            ColumnarValue::Array(array) => Ok(array.clone()),
            ColumnarValue::Scalar(value) => value.to_array_of_size(self.rows),
        }
    }

    /// Whole numbers; NULL is 0, which adds nothing.
    fn numbers(&self, index: usize) -> Result<Vec<i128>> {
        let array = cast(&self.array(index)?, &DataType::Int64)?;
        Ok(numbers_of(as_int64_array(&array)?))
    }

    /// The lengths of texts in bytes, and of lists in elements.
    fn lengths(&self, index: usize) -> Result<Vec<i128>> {
        let array = self.array(index)?;
        let lengths = cast(&length(&array)?, &DataType::Int64)?;
        Ok(numbers_of(as_int64_array(&lengths)?))
    }

    /// The bytes of a value, taken over all rows.
    fn bytes_of_each(&self, index: usize) -> Result<u128> {
        let array = self.array(index)?;
        let bytes = array.to_data().get_slice_memory_size()? as u128;
        Ok(bytes.div_ceil(array.len().max(1) as u128))
    }
}

fn numbers_of(array: &Int64Array) -> Vec<i128> {
    array
        .iter()
        .map(|value| value.unwrap_or(0).into())
        .collect()
}

fn unsigned(number: i128) -> u128 {
    number.max(0).unsigned_abs()
}

/// `range(stop)`, `range(start, stop[, step])`, `generate_series` alike; of moments too.
fn series(call: &Arguments<'_>) -> Result<u128> {
    let temporal = |index: usize| call.values[index].data_type().is_temporal();
    let (starts, stops) = match call.len() {
        0 => return Ok(0),
        1 => (vec![0; call.rows], call.numbers(0)?),
        _ if temporal(0) => (moments(&call.array(0)?)?, moments(&call.array(1)?)?),
        _ => (call.numbers(0)?, call.numbers(1)?),
    };
    let steps = match call.len() {
        0..3 => vec![1; call.rows],
        _ if temporal(2) => nanoseconds(&call.array(2)?)?,
        _ => call.numbers(2)?,
    };
    let rows = starts.iter().zip(&stops).zip(&steps);
    Ok(rows
        .map(|((start, stop), step)| {
            // A step of 0 is refused, and one that leads away from the end gives nothing.
            let elements = (stop - start).checked_div(*step).unwrap_or(0);
            (unsigned(elements) + 1) * ELEMENT
        })
        .sum())
}

/// Moments and days as nanoseconds; they may lie beyond what 64 bits of nanoseconds hold.
fn moments(array: &ArrayRef) -> Result<Vec<i128>> {
    let unit = match array.data_type() {
        DataType::Date32 => DAY,
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1,
        _ => return Ok(vec![0; array.len()]),
    };
    let whole = match array.data_type() {
        DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(array, &DataType::Int64)?,
    };
    let numbers = numbers_of(as_int64_array(&whole)?);
    Ok(numbers.into_iter().map(|number| number * unit).collect())
}

/// Intervals as nanoseconds, of which there are at least so many.
fn nanoseconds(array: &ArrayRef) -> Result<Vec<i128>> {
    let target = DataType::Interval(IntervalUnit::MonthDayNano);
    let array = cast(array, &target)?;
    let Some(intervals) = array.as_any().downcast_ref::<IntervalMonthDayNanoArray>() else {
        return Ok(vec![1; array.len()]);
    };
    let sizes = intervals.iter().map(|interval| {
        interval.map_or(0, |interval| {
            i128::from(interval.months) * MONTH
                + i128::from(interval.days) * DAY
                + i128::from(interval.nanoseconds)
        })
    });
    Ok(sizes.collect())
}

/// `array_repeat(element, count)`.
fn repeated_elements(call: &Arguments<'_>) -> Result<u128> {
    let each = call.bytes_of_each(0)?.max(1);
    let elements: u128 = call.numbers(1)?.into_iter().map(unsigned).sum();
    Ok(each * elements)
}

/// `array_resize(list, size[, value])`.
fn resized(call: &Arguments<'_>) -> Result<u128> {
    let each = match call.len() {
        0..3 => ELEMENT,
        _ => call.bytes_of_each(2)?.max(1),
    };
    let elements: u128 = call.numbers(1)?.into_iter().map(unsigned).sum();
    Ok(each * elements)
}

/// `repeat(text, count)`.
fn repeated_text(call: &Arguments<'_>) -> Result<u128> {
    let (lengths, counts) = (call.lengths(0)?, call.numbers(1)?);
    let rows = lengths.into_iter().zip(counts);
    Ok(rows
        .map(|(length, count)| unsigned(length) * unsigned(count))
        .sum())
}

/// `lpad(text, length[, fill])`.
fn padded(call: &Arguments<'_>) -> Result<u128> {
    let widest = match call.len() {
        0..3 => 1,
        _ => CHARACTER,
    };
    Ok(call.numbers(1)?.into_iter().map(unsigned).sum::<u128>() * widest)
}

/// `replace(text, from, to)`: each occurrence of `from` may become `to`; of patterns, each place between
/// two characters may.
fn replaced(call: &Arguments<'_>) -> Result<u128> {
    if call.len() < 3 {
        return Ok(0);
    }
    let (texts, to) = (call.lengths(0)?, call.lengths(2)?);
    let most = |text: &i128, to: &i128| unsigned(*text) + (unsigned(*text) + 1) * unsigned(*to);
    let at_most = texts.iter().zip(&to).map(|(text, to)| most(text, to)).sum();
    if call.len() > 3 || at_most < SURELY_SMALL {
        return Ok(at_most);
    }
    let (text, from) = (
        cast(&call.array(0)?, &DataType::LargeUtf8)?,
        cast(&call.array(1)?, &DataType::LargeUtf8)?,
    );
    let (text, from) = (
        as_generic_string_array::<i64>(&text)?,
        as_generic_string_array::<i64>(&from)?,
    );
    let rows = text.iter().zip(from).zip(to);
    Ok(rows
        .map(|((text, from), to)| {
            let (text, from) = (text.unwrap_or_default(), from.unwrap_or_default());
            text.len() as u128 + text.matches(from).count() as u128 * unsigned(to)
        })
        .sum())
}

/// Below this an estimate need not be exact.
const SURELY_SMALL: u128 = 8 * 1024 * 1024;

/// `array_to_string(list, separator)`: the separator stands between all elements.
fn joined(call: &Arguments<'_>) -> Result<u128> {
    if call.len() < 2 {
        return Ok(0);
    }
    let list = call.array(0)?;
    let elements = match list.data_type() {
        DataType::List(_) => list.as_list::<i32>().values().len(),
        DataType::LargeList(_) => list.as_list::<i64>().values().len(),
        _ => 0,
    };
    let longest = call
        .lengths(1)?
        .into_iter()
        .map(unsigned)
        .max()
        .unwrap_or(0);
    let bytes = list.to_data().get_slice_memory_size()? as u128;
    Ok(bytes + elements as u128 * longest)
}
