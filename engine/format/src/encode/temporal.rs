//! Encoders for dates, timestamps, times of day, durations and intervals, with formatting of our own.
//!
//! Fractions of a second have 0, 3, 6 or 9 digits, whichever is enough: more readers take these than
//! any other number of digits. Years before 0 and after 9999 carry a sign, as ISO 8601 wants it.

use std::io::Write;

use chrono::{DateTime, Offset, TimeZone};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{Array, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowTimestampType, Date32Type, Date64Type, IntervalDayTime, IntervalMonthDayNano, TimeUnit,
};

use super::{Encoder, Syntax, quoted_in_json};

const SECONDS_A_DAY: i64 = 86_400;
const NANOSECONDS_A_SECOND: i64 = 1_000_000_000;

/// The decimal digits of 0 to 99, two bytes each.
static TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        table[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    table
};

/// Encodes timestamps: `2024-01-02 03:04:05.123`, with a `T` in JSON, and with the offset from UTC
/// (`+01:00`) that holds at that moment where the type has a time zone.
pub(super) fn timestamp<'a, T: ArrowTimestampType, S: Syntax>(
    array: &'a dyn Array,
    zone: Option<&str>,
) -> Encoder<'a> {
    let values = array.as_primitive::<T>().values();
    let second = units_a_second(&T::UNIT);
    let separator = if S::JSON { b'T' } else { b' ' };
    let split = move |value: i64| {
        let nanoseconds = value.rem_euclid(second) * (NANOSECONDS_A_SECOND / second);
        (value.div_euclid(second), nanoseconds)
    };
    let Some(zone) = zone else {
        return Box::new(move |row, out| {
            let (seconds, nanoseconds) = split(values[row]);
            quoted_in_json::<S>(out, |out| push_moment(seconds, nanoseconds, separator, out));
        });
    };
    // A zone that nobody knows shows the same moment in UTC.
    let zone: Option<Tz> = zone.parse().ok();
    Box::new(move |row, out| {
        let (seconds, nanoseconds) = split(values[row]);
        let offset = zone.map_or(0, |zone| offset_at(zone, seconds));
        quoted_in_json::<S>(out, |out| {
            push_moment(seconds.saturating_add(offset), nanoseconds, separator, out);
            push_offset(offset, out);
        });
    })
}

/// Encodes dates: `2024-01-02`.
pub(super) fn date32<S: Syntax>(array: &PrimitiveArray<Date32Type>) -> Encoder<'_> {
    let values = array.values();
    Box::new(move |row, out| {
        quoted_in_json::<S>(out, |out| push_date(i64::from(values[row]), out));
    })
}

/// Encodes dates that count milliseconds; a time of day, which should not be there, is not hidden.
pub(super) fn date64<S: Syntax>(array: &PrimitiveArray<Date64Type>) -> Encoder<'_> {
    let values = array.values();
    let separator = if S::JSON { b'T' } else { b' ' };
    Box::new(move |row, out| {
        let (seconds, rest) = (values[row].div_euclid(1_000), values[row].rem_euclid(1_000));
        quoted_in_json::<S>(out, |out| {
            if rest == 0 && seconds % SECONDS_A_DAY == 0 {
                push_date(seconds / SECONDS_A_DAY, out);
            } else {
                push_moment(seconds, rest * 1_000_000, separator, out);
            }
        });
    })
}

/// Encodes times of day and durations: `03:04:05.123`; a duration has as many hours as it needs.
pub(super) fn clock<'a, T, S>(array: &'a dyn Array, units_a_second: i64) -> Encoder<'a>
where
    T: ArrowPrimitiveType<Native: Into<i64>>,
    S: Syntax,
{
    let values = array.as_primitive::<T>().values();
    Box::new(move |row, out| {
        quoted_in_json::<S>(out, |out| {
            push_clock(values[row].into(), units_a_second, out)
        });
    })
}

/// An interval's parts: months, days, and a count of the unit that is left.
pub(super) trait Interval: Copy {
    /// Months, days, nanoseconds.
    fn parts(self) -> (i32, i32, i64);
}

impl Interval for i32 {
    fn parts(self) -> (i32, i32, i64) {
        (self, 0, 0)
    }
}

impl Interval for IntervalDayTime {
    fn parts(self) -> (i32, i32, i64) {
        (0, self.days, i64::from(self.milliseconds) * 1_000_000)
    }
}

impl Interval for IntervalMonthDayNano {
    fn parts(self) -> (i32, i32, i64) {
        (self.months, self.days, self.nanoseconds)
    }
}

/// Encodes intervals in units: `1 year 2 mons 3 days 4 hours 5 mins 6.123 secs`, which DataFusion,
/// PostgreSQL and DuckDB all read.
pub(super) fn interval<'a, T, S>(array: &'a dyn Array) -> Encoder<'a>
where
    T: ArrowPrimitiveType<Native: Interval>,
    S: Syntax,
{
    let values = array.as_primitive::<T>().values();
    Box::new(move |row, out| {
        quoted_in_json::<S>(out, |out| push_interval(values[row].parts(), out))
    })
}

fn push_interval((months, days, nanoseconds): (i32, i32, i64), out: &mut Vec<u8>) {
    let start = out.len();
    let (seconds, rest) = (
        nanoseconds / NANOSECONDS_A_SECOND,
        nanoseconds % NANOSECONDS_A_SECOND,
    );
    let units = [
        (i64::from(months / 12), "year"),
        (i64::from(months % 12), "mon"),
        (i64::from(days), "day"),
        (seconds / 3600, "hour"),
        (seconds / 60 % 60, "min"),
    ];
    for (count, unit) in units.into_iter().filter(|(count, _)| *count != 0) {
        let space = if out.len() == start { "" } else { " " };
        let plural = if count.abs() == 1 { "" } else { "s" };
        push_formatted(out, format_args!("{space}{count} {unit}{plural}"));
    }
    if seconds % 60 != 0 || rest != 0 || out.len() == start {
        let space = if out.len() == start { "" } else { " " };
        let sign = if nanoseconds < 0 { "-" } else { "" };
        push_formatted(out, format_args!("{space}{sign}{}", (seconds % 60).abs()));
        push_fraction(rest.abs(), out);
        out.extend_from_slice(b" secs");
    }
}

fn units_a_second(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => NANOSECONDS_A_SECOND,
    }
}

/// The zone's offset from UTC in seconds at a moment; 0 for moments that no calendar reaches.
fn offset_at(zone: Tz, seconds: i64) -> i64 {
    DateTime::from_timestamp(seconds, 0).map_or(0, |moment| {
        let offset = zone.offset_from_utc_datetime(&moment.naive_utc()).fix();
        i64::from(offset.local_minus_utc())
    })
}

fn push_moment(seconds: i64, nanoseconds: i64, separator: u8, out: &mut Vec<u8>) {
    push_date(seconds.div_euclid(SECONDS_A_DAY), out);
    let second = seconds.rem_euclid(SECONDS_A_DAY) as usize;
    let [hour, minute, second] =
        [second / 3600, second / 60 % 60, second % 60].map(|part| TWO_DIGITS[part]);
    out.extend_from_slice(&[
        separator, hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1],
    ]);
    push_fraction(nanoseconds, out);
}

fn push_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    let (month, day) = (TWO_DIGITS[month], TWO_DIGITS[day]);
    if let Ok(year @ 0..=9999) = usize::try_from(year) {
        let (century, year) = (TWO_DIGITS[year / 100], TWO_DIGITS[year % 100]);
        out.extend_from_slice(&[
            century[0], century[1], year[0], year[1], b'-', month[0], month[1], b'-', day[0],
            day[1],
        ]);
    } else {
        push_formatted(out, format_args!("{year:+05}"));
        out.extend_from_slice(&[b'-', month[0], month[1], b'-', day[0], day[1]]);
    }
}

/// The proleptic Gregorian date of a count of days since 1970-01-01.
///
/// Howard Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>): years
/// begin in March, so that the leap day is a year's last.
fn civil_from_days(days: i64) -> (i64, usize, usize) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097) as u32;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = i64::from(year_of_era) + era * 400 + i64::from(month <= 2);
    (year, month as usize, day as usize)
}

fn push_clock(value: i64, units_a_second: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let (value, second) = (value.unsigned_abs(), units_a_second.unsigned_abs());
    let (seconds, rest) = (value / second, value % second);
    push_formatted(
        out,
        format_args!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    );
    push_fraction(rest as i64 * (NANOSECONDS_A_SECOND / units_a_second), out);
}

fn push_fraction(nanoseconds: i64, out: &mut Vec<u8>) {
    if nanoseconds == 0 {
        return;
    }
    let mut digits = [b'.'; 10];
    let mut rest = nanoseconds as usize;
    for place in (1..10).rev() {
        digits[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let length = match nanoseconds {
        _ if nanoseconds % 1_000_000 == 0 => 4,
        _ if nanoseconds % 1_000 == 0 => 7,
        _ => 10,
    };
    out.extend_from_slice(&digits[..length]);
}

fn push_offset(offset: i64, out: &mut Vec<u8>) {
    let (sign, size) = (
        if offset < 0 { b'-' } else { b'+' },
        offset.unsigned_abs() as usize,
    );
    let [hours, minutes, seconds] =
        [size / 3600, size / 60 % 60, size % 60].map(|part| TWO_DIGITS[part]);
    out.extend_from_slice(&[sign, hours[0], hours[1], b':', minutes[0], minutes[1]]);
    // Local mean times of the nineteenth century have offsets with seconds.
    if size % 60 != 0 {
        out.extend_from_slice(&[b':', seconds[0], seconds[1]]);
    }
}

fn push_formatted(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("a vector takes all bytes");
}
