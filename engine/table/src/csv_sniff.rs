//! Guessing how a CSV file is written: its delimiter, whether it has a header, the columns' types.
//!
//! It looks at a sample only; the reading itself is DataFusion's.

use std::collections::{HashMap, HashSet};

use datafusion::arrow::compute::kernels::cast_utils::{Parser, string_to_timestamp_nanos};
use datafusion::arrow::datatypes::{DataType, Date32Type, TimeUnit};

/// Delimiters in the order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How many records decide about the delimiter.
const DELIMITER_RECORDS: usize = 100;

/// The characters with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
    pub(crate) terminator: Option<u8>,
}

/// Splits a sample into records; the last one is dropped if it may have been cut.
pub(crate) fn records(sample: &[u8], complete: bool, dialect: Dialect) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    each_record(sample, complete, dialect, |record| records.push(record));
    records
}

/// Calls a function with each record of a sample, but with the last one only if it was not cut, or if it is
/// the only one. Says whether a record ended.
pub(crate) fn each_record(
    sample: &[u8],
    complete: bool,
    dialect: Dialect,
    mut visit: impl FnMut(Vec<String>),
) -> bool {
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    let mut any = false;
    let mut record: Vec<Vec<u8>> = vec![Vec::new()];
    let mut quoted = false;
    let mut at = 0;
    let ends_record = |byte: u8| match dialect.terminator {
        Some(terminator) => byte == terminator,
        None => byte == b'\n' || byte == b'\r',
    };
    while at < sample.len() {
        let byte = sample[at];
        let field_is_empty = record.last().is_some_and(Vec::is_empty);
        at += 1;
        if quoted {
            let next = sample.get(at).copied();
            let escapes = dialect.escape == Some(byte) && next.is_some();
            if (byte == dialect.quote && next == Some(dialect.quote)) || escapes {
                append(&mut record, next.unwrap_or(byte));
                at += 1;
            } else if byte == dialect.quote {
                quoted = false;
            } else {
                append(&mut record, byte);
            }
        } else if dialect.comment == Some(byte) && record.len() == 1 && field_is_empty {
            while at < sample.len() && !ends_record(sample[at]) {
                at += 1;
            }
        } else if ends_record(byte) {
            any |= finish(&mut visit, &mut record);
        } else if byte == dialect.delimiter {
            record.push(Vec::new());
        } else if byte == dialect.quote && field_is_empty {
            quoted = true;
        } else {
            append(&mut record, byte);
        }
    }
    if complete || !any {
        finish(&mut visit, &mut record);
    }
    any
}

fn append(record: &mut [Vec<u8>], byte: u8) {
    if let Some(field) = record.last_mut() {
        field.push(byte);
    }
}

/// Ends a record and says whether there was one: a line without anything in it is none.
fn finish(visit: &mut impl FnMut(Vec<String>), record: &mut Vec<Vec<u8>>) -> bool {
    let fields = std::mem::replace(record, vec![Vec::new()]);
    if fields.len() == 1 && fields[0].is_empty() {
        return false;
    }
    let text = |field: Vec<u8>| String::from_utf8_lossy(&field).into_owned();
    visit(fields.into_iter().map(text).collect());
    true
}

/// Guesses the delimiter: the one that splits most records into the same, largest number of fields.
pub(crate) fn delimiter(sample: &[u8], complete: bool, dialect: Dialect) -> u8 {
    let mut best = (0, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        let dialect = Dialect {
            delimiter,
            ..dialect
        };
        let counts: Vec<usize> = records(sample, complete, dialect)
            .iter()
            .take(DELIMITER_RECORDS)
            .map(Vec::len)
            .collect();
        let Some(first) = counts.first().copied().filter(|first| *first > 1) else {
            continue;
        };
        let alike = counts.iter().filter(|count| **count == first).count();
        if alike * 10 < counts.len() * 9 {
            continue;
        }
        // All records alike are better than many fields in most of them.
        let score = first + if alike == counts.len() { 1000 } else { 0 };
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// Guesses whether the first record names the columns: it does unless all of it is data.
pub(crate) fn has_header(records: &[Vec<String>]) -> bool {
    let Some(first) = records.first() else {
        return true;
    };
    let mut values = first.iter().filter(|value| !value.is_empty()).peekable();
    values.peek().is_none() || values.any(|value| type_of(value) == DataType::Utf8)
}

/// Makes column names unique and gives those without a name one.
pub(crate) fn column_names(header: Option<&Vec<String>>, count: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(count);
    let mut taken: HashSet<String> = HashSet::with_capacity(count);
    // Where the numbers behind a name that comes again go on.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for index in 0..count {
        let given = header
            .and_then(|header| header.get(index))
            .map(|name| name.trim());
        let name = match given {
            Some(name) if !name.is_empty() => name.to_string(),
            _ => format!("column_{}", index + 1),
        };
        let mut unique = name.clone();
        while !taken.insert(unique.clone()) {
            let suffix = numbers.entry(name.clone()).or_insert(0);
            *suffix += 1;
            unique = format!("{name}_{suffix}");
        }
        names.push(unique);
    }
    names
}

/// Finds the narrowest type for the values of a column; text if there are none.
pub(crate) fn column_type<'a>(values: impl Iterator<Item = &'a str>) -> DataType {
    let mut common: Option<DataType> = None;
    for value in values {
        let found = type_of(value);
        let wider = match common {
            None => found,
            Some(known) => wider(known, found),
        };
        if wider == DataType::Utf8 {
            return wider;
        }
        common = Some(wider);
    }
    common.unwrap_or(DataType::Null)
}

fn wider(left: DataType, right: DataType) -> DataType {
    use DataType::{Date32, Float64, Int64, Timestamp, Utf8};
    match (&left, &right) {
        _ if left == right => left,
        (Int64, Float64) | (Float64, Int64) => Float64,
        (Date32, Timestamp(..)) | (Timestamp(..), Date32) => timestamp(),
        _ => Utf8,
    }
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// Says whether a text of digits is a code such as `01234`, which as a number would be another.
pub(crate) fn is_code(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value).as_bytes();
    matches!(digits, [b'0', second, ..] if second.is_ascii_digit())
}

fn type_of(value: &str) -> DataType {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if is_code(value) {
        return DataType::Utf8;
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match value.parse::<i64>() {
            Ok(_) => DataType::Int64,
            Err(_) => DataType::Utf8,
        };
    }
    if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        if value.parse::<f64>().is_ok() {
            return DataType::Float64;
        }
        let dashes =
            value.as_bytes().get(4) == Some(&b'-') && value.as_bytes().get(7) == Some(&b'-');
        if dashes && value.len() == 10 && Date32Type::parse(value).is_some() {
            return DataType::Date32;
        }
        if dashes && value.len() > 10 && string_to_timestamp_nanos(value).is_ok() {
            return timestamp();
        }
        return DataType::Utf8;
    }
    match value.to_ascii_lowercase().as_str() {
        "true" | "false" => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: b'"',
        escape: None,
        comment: None,
        terminator: None,
    };

    #[test]
    fn records_respect_quotes() {
        let sample = b"\xef\xbb\xbfa,\"b,\"\"c\"\"\nd\"\r\n\r\n1,\n2,x";
        let found = records(sample, true, DIALECT);
        assert_eq!(
            found,
            [vec!["a", "b,\"c\"\nd"], vec!["1", ""], vec!["2", "x"]]
        );
        assert_eq!(records(sample, false, DIALECT).len(), 2);
    }

    #[test]
    fn delimiters_are_guessed() {
        for (sample, expect) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2\n3,5;4\n", b';'),
            ("a\tb, c\n1\t2\n", b'\t'),
            ("a|b|c\n\"x|y\"|2|3\n", b'|'),
            ("single\nvalue\n", b','),
            ("note\nhello, world\nno comma here\n", b','),
        ] {
            assert_eq!(
                delimiter(sample.as_bytes(), true, DIALECT),
                expect,
                "{sample}"
            );
        }
    }

    #[test]
    fn types_are_guessed_from_all_values() {
        for (values, expect) in [
            (vec!["1", "-2"], DataType::Int64),
            (vec!["1", "2.5", "1e3"], DataType::Float64),
            (vec!["TRUE", "false"], DataType::Boolean),
            (vec!["2024-01-31"], DataType::Date32),
            (vec!["2024-01-31", "2024-01-31 10:00:00.5"], timestamp()),
            (vec!["2024-02-31"], DataType::Utf8),
            (vec!["1", "x"], DataType::Utf8),
            (vec!["98765", "01234"], DataType::Utf8),
            (vec!["1.5", "007.5"], DataType::Utf8),
            (vec!["0", "-0", "0.5"], DataType::Float64),
            (vec!["nan"], DataType::Utf8),
            (vec!["12345678901234567890"], DataType::Utf8),
            (vec![], DataType::Null),
        ] {
            assert_eq!(column_type(values.iter().copied()), expect, "{values:?}");
        }
    }

    #[test]
    fn only_data_is_no_header() {
        for (first, expect) in [
            (vec!["id", "name"], true),
            (vec!["country", "1990"], true),
            (vec!["1", "2024-01-01"], false),
            (vec!["1", "x"], true),
        ] {
            let record = first.iter().map(ToString::to_string).collect();
            assert_eq!(has_header(&[record]), expect, "{first:?}");
        }
    }
}
