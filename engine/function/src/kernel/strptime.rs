//! Moments read from texts by patterns, and patterns as others take them: `strptime`, `strftime`.

use std::sync::Arc;

use chrono::format::{ParseError, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};
use datafusion::arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};
use datafusion::common::{Result, exec_err};

use super::{texts, valid};

/// What `to_timestamp` and `to_date` read: without a year there is no day, as others have other days for it.
pub(crate) fn parsed_with_year(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    if let [_, patterns] = arrays {
        for pattern in texts(patterns).iter().flatten() {
            let has_year = [
                "%Y", "%y", "%G", "%g", "%s", "%c", "%x", "%D", "%F", "%v", "%+",
            ]
            .iter()
            .any(|year| pattern.contains(year));
            if !has_year {
                return exec_err!("the format `{pattern}` has no year, and so makes no moment");
            }
        }
    }
    parsed(arrays)
}

/// `strptime`: reads texts by patterns; what does not fit is an error.
pub(crate) fn parsed(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    read(arrays, |text, pattern, why| {
        exec_err!("`{text}` cannot be read as a timestamp by the format `{pattern}`: {why}")
    })
}

/// `try_strptime`: reads texts by patterns; what does not fit is NULL.
pub(crate) fn parsed_or_null(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    read(arrays, |_, _, _| Ok(()))
}

fn read(arrays: &[ArrayRef], refuse: impl Fn(&str, &str, &str) -> Result<()>) -> Result<ArrayRef> {
    let [values, patterns] = arrays else {
        return exec_err!("`strptime` takes a text and a format");
    };
    let (values, patterns) = (texts(values), texts(patterns));
    let mut known: Option<(&str, String)> = None;
    let mut moments = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        if !valid(&[values, patterns], row) {
            moments.push(None);
            continue;
        }
        let (text, pattern) = (values.value(row), patterns.value(row));
        if known.as_ref().is_none_or(|(known, _)| *known != pattern) {
            // An offset may do without its minutes: `+02`.
            let format = chronos(pattern).replace(".%6f", "%.f").replace("%z", "%#z");
            known = Some((pattern, format));
        }
        let format = known
            .as_ref()
            .map_or(pattern, |(_, format)| format.as_str());
        match read_one(text, format) {
            Ok(moment) => moments.push(Some(moment.and_utc().timestamp_micros())),
            Err(error) => {
                refuse(text, pattern, &error)?;
                moments.push(None);
            }
        }
    }
    Ok(Arc::new(TimestampMicrosecondArray::from(moments)))
}

fn read_one(text: &str, format: &str) -> std::result::Result<NaiveDateTime, String> {
    let mut parsed = Parsed::new();
    let problem = |error: ParseError| error.to_string();
    parse(&mut parsed, text, StrftimeItems::new(format)).map_err(problem)?;
    let nanosecond = parsed.nanosecond().unwrap_or(0);
    if let Some(seconds) = parsed.timestamp() {
        let moment = DateTime::from_timestamp(seconds, nanosecond);
        return moment
            .map(|moment| moment.naive_utc())
            .ok_or_else(|| "the moment is out of range".to_owned());
    }
    let date = date_of(&parsed).map_err(problem)?;
    let hour = parsed.hour_div_12().unwrap_or(0) * 12 + parsed.hour_mod_12().unwrap_or(0);
    let minute = parsed.minute().unwrap_or(0);
    // Chrono takes 60 for a leap second; there is no such one in DuckDB.
    let second = parsed.second().unwrap_or(0);
    let clock = date
        .and_hms_nano_opt(hour, minute, second, nanosecond)
        .ok_or_else(|| "there is no such time of day".to_owned())?;
    let offset = i64::from(parsed.offset().unwrap_or(0));
    clock
        .checked_sub_signed(TimeDelta::seconds(offset))
        .ok_or_else(|| "the moment is out of range".to_owned())
}

/// The day that was read: what is missing is that of 1900-01-01, as in DuckDB and Python, and the name of a day
/// of the week counts only where it makes the day.
fn date_of(parsed: &Parsed) -> std::result::Result<NaiveDate, ParseError> {
    let is_in_week = [
        parsed.week_from_sun(),
        parsed.week_from_mon(),
        parsed.isoweek(),
    ]
    .iter()
    .any(Option::is_some);
    let has_other_year = parsed.isoyear().is_some() && parsed.year().is_none();
    if (is_in_week || has_other_year) && (parsed.month().is_none() || parsed.day().is_none()) {
        return parsed.to_naive_date();
    }
    let year = match (parsed.year(), parsed.year_mod_100()) {
        (Some(year), _) => year,
        (None, Some(short)) => match parsed.year_div_100() {
            Some(century) => century * 100 + short,
            None if short >= 69 => 1900 + short,
            None => 2000 + short,
        },
        _ => 1900,
    };
    let mut date = Parsed::new();
    date.set_year(year.into())?;
    match parsed.ordinal() {
        Some(ordinal) => date.set_ordinal(ordinal.into())?,
        None => {
            date.set_month(parsed.month().unwrap_or(1).into())?;
            date.set_day(parsed.day().unwrap_or(1).into())?;
        }
    }
    date.to_naive_date()
}

/// Writes a format of DuckDB's, which is Python's, as chrono wants it.
pub(crate) fn chronos(format: &str) -> String {
    let mut letters = format.chars();
    let mut written = String::with_capacity(format.len());
    while let Some(letter) = letters.next() {
        if letter != '%' {
            written.push(letter);
            continue;
        }
        match letters.next() {
            Some('f') => written.push_str("%6f"),
            Some('g') => written.push_str("%3f"),
            Some('n') => written.push_str("%9f"),
            Some('c') => written.push_str("%Y-%m-%d %H:%M:%S"),
            Some('x') => written.push_str("%Y-%m-%d"),
            Some('X') => written.push_str("%H:%M:%S"),
            Some('i') => written.push_str("%M"),
            Some(other) => {
                written.push('%');
                written.push(other);
            }
            None => written.push_str("%%"),
        }
    }
    written
}

/// The format of `strftime` as `to_char` takes it: where it asks for nothing it is a text by itself.
pub(crate) fn written_format(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [formats] = arrays else {
        return exec_err!("`strftime` takes a moment and a format");
    };
    super::map_text(formats, |format| {
        let format = chronos(format);
        Some(match format.contains('%') || format.is_empty() {
            true => format,
            // In quotes nothing is a pattern of PostgreSQL's.
            false => format!("\"{}\"", format.replace('"', "\\\"")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{chronos, read_one};

    #[test]
    fn formats_are_read_without_their_times() {
        let read = |text: &str, format: &str| {
            read_one(text, &chronos(format).replace(".%6f", "%.f"))
                .map(|moment| moment.to_string())
                .unwrap_or_default()
        };
        assert_eq!(read("02/03/1992", "%d/%m/%Y"), "1992-03-02 00:00:00");
        assert_eq!(read("1992 10", "%Y %H"), "1992-01-01 10:00:00");
        assert_eq!(
            read("1992-03-02 20:32:45.123", "%Y-%m-%d %H:%M:%S.%f"),
            "1992-03-02 20:32:45.123"
        );
        assert_eq!(read("a", "%Y"), "");
        // Values of DuckDB's.
        assert_eq!(
            read(
                "Mon 30, December 2003, 7:3:5 PM",
                "%a %d, %B %Y, %I:%M:%S %p"
            ),
            "2003-12-30 19:03:05"
        );
        assert_eq!(read("mon", "%a"), "1900-01-01 00:00:00");
        assert_eq!(read("69", "%y"), "1969-01-01 00:00:00");
        assert_eq!(read("2000-10-01 23:59:60", "%Y-%m-%d %H:%M:%S"), "");
        assert_eq!(read("20 19", "%U %j"), "");
        assert_eq!(read("2021 19", "%G %j"), "");
    }
}
