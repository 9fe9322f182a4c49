//! Hive partitions: columns read from `key=value` folders.
//!
//! A value is percent-decoded; `__HIVE_DEFAULT_PARTITION__` is NULL. Types are BIGINT if all values
//! are whole numbers, DATE if all are days, otherwise VARCHAR. Digits behind a zero are a code and stay
//! text: `month=06` is no number, and `code=007` is another value than `code=7`. Declared types win.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::ScalarValue;
use std::sync::Arc;

use super::csv_sniff::is_code;
use super::error::TableError;
use super::listing::ListedFile;

const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Where partition columns come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partitioning<'a> {
    /// From folders below the location, if all files agree.
    Auto,
    /// From every folder of the path; files that disagree are an error.
    WholePath,
    /// Exactly these columns, wherever they stand in the path.
    Declared(&'a [String]),
    /// None.
    Off,
}

/// The partition columns and, file by file, their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partitions {
    pub(crate) fields: Vec<FieldRef>,
    pub(crate) values: Vec<Vec<ScalarValue>>,
}

/// Reads the partition columns of files.
pub(crate) fn partitions(
    files: &[ListedFile],
    partitioning: Partitioning<'_>,
    declared: Option<&SchemaRef>,
) -> Result<Partitions, TableError> {
    let pairs: Vec<Vec<(String, String)>> = files
        .iter()
        .map(|file| folder_pairs(file, partitioning))
        .collect();
    let Some(names) = column_names(files, &pairs, partitioning)? else {
        return Ok(Partitions {
            fields: Vec::new(),
            values: vec![Vec::new(); files.len()],
        });
    };
    let mut partitions = Partitions {
        fields: Vec::with_capacity(names.len()),
        values: vec![Vec::with_capacity(names.len()); files.len()],
    };
    for name in names {
        let values = column_values(files, &pairs, &name)?;
        let data_type = declared
            .and_then(|schema| schema.field_with_name(&name).ok())
            .map_or_else(|| infer(&values), |field| field.data_type().clone());
        let nullable = values.iter().any(Option::is_none);
        for (index, value) in values.iter().enumerate() {
            let scalar =
                scalar(value.as_deref(), &data_type).ok_or_else(|| TableError::Location {
                    location: files[index].display.clone(),
                    reason: format!(
                        "the partition value `{}` of `{name}` is no {data_type}",
                        value.as_deref().unwrap_or("NULL")
                    ),
                })?;
            partitions.values[index].push(scalar);
        }
        partitions
            .fields
            .push(Arc::new(Field::new(name, data_type, nullable)));
    }
    Ok(partitions)
}

fn folder_pairs(file: &ListedFile, partitioning: Partitioning<'_>) -> Vec<(String, String)> {
    let whole: Vec<String>;
    let segments = match partitioning {
        Partitioning::Auto => &file.relative,
        Partitioning::Off => return Vec::new(),
        Partitioning::WholePath | Partitioning::Declared(_) => {
            whole = file
                .meta
                .location
                .as_ref()
                .split('/')
                .map(String::from)
                .collect();
            &whole
        }
    };
    let folders = &segments[..segments.len().saturating_sub(1)];
    folders
        .iter()
        .filter_map(|segment| segment.split_once('='))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (decode(key), value.to_string()))
        .collect()
}

/// Decides which columns there are; `None` for no partitions.
fn column_names(
    files: &[ListedFile],
    pairs: &[Vec<(String, String)>],
    partitioning: Partitioning<'_>,
) -> Result<Option<Vec<String>>, TableError> {
    if let Partitioning::Declared(names) = partitioning {
        return Ok(Some(names.to_vec()));
    }
    let keys = |pairs: &[(String, String)]| -> Vec<String> {
        pairs.iter().map(|(key, _)| key.clone()).collect()
    };
    let Some(first) = pairs.first().map(|pairs| keys(pairs)) else {
        return Ok(None);
    };
    let mut unique = first.clone();
    unique.sort();
    unique.dedup();
    let different = pairs.iter().position(|pairs| keys(pairs) != first);
    match (different, partitioning) {
        (Some(other), Partitioning::WholePath) => Err(TableError::Incompatible {
            first: files[0].display.clone(),
            other: files[other].display.clone(),
            problem: "their `key=value` folders differ".into(),
        }),
        (Some(_), _) => Ok(None),
        (None, _) if first.is_empty() || unique.len() < first.len() => Ok(None),
        (None, _) => Ok(Some(first)),
    }
}

fn column_values(
    files: &[ListedFile],
    pairs: &[Vec<(String, String)>],
    name: &str,
) -> Result<Vec<Option<String>>, TableError> {
    pairs
        .iter()
        .zip(files)
        .map(|(pairs, file)| {
            let (_, value) = pairs
                .iter()
                .rev()
                .find(|(key, _)| key == name)
                .ok_or_else(|| TableError::Location {
                    location: file.display.clone(),
                    reason: format!("no folder gives a value for the partition column `{name}`"),
                })?;
            Ok((value != NULL_VALUE).then(|| decode(value)))
        })
        .collect()
}

fn infer(values: &[Option<String>]) -> DataType {
    let mut present = values.iter().flatten().peekable();
    if present.peek().is_none() {
        return DataType::Utf8;
    }
    let all = |data_type: &DataType| {
        values
            .iter()
            .flatten()
            .all(|value| looks_like(value, data_type) && scalar(Some(value), data_type).is_some())
    };
    [DataType::Int64, DataType::Date32]
        .into_iter()
        .find(|data_type| all(data_type))
        .unwrap_or(DataType::Utf8)
}

fn looks_like(value: &str, data_type: &DataType) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match data_type {
        DataType::Int64 => !is_code(value) && digits(value.strip_prefix('-').unwrap_or(value)),
        _ => {
            let parts: Vec<&str> = value.split('-').collect();
            matches!(parts.as_slice(), [year, month, day]
                if year.len() == 4 && month.len() == 2 && day.len() == 2
                    && [year, month, day].into_iter().all(|part| digits(part)))
        }
    }
}

fn scalar(value: Option<&str>, data_type: &DataType) -> Option<ScalarValue> {
    match value {
        None => ScalarValue::try_from(data_type).ok(),
        Some(value) => ScalarValue::try_from_string(value.to_string(), data_type)
            .ok()
            .filter(|scalar| !scalar.is_null()),
    }
}

/// Undoes percent-encoding; text that is no valid encoding stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn types_are_inferred_from_all_values() {
        for (values, expect) in [
            (vec![Some("1"), Some("-20"), None], DataType::Int64),
            (vec![Some("0"), Some("12")], DataType::Int64),
            (vec![Some("01"), Some("12")], DataType::Utf8),
            (vec![Some("2024-01-31"), None], DataType::Date32),
            (vec![Some("2024-01-31"), Some("1")], DataType::Utf8),
            (vec![Some("2024-13-31")], DataType::Utf8),
            (vec![Some("99999999999999999999")], DataType::Utf8),
            (vec![None], DataType::Utf8),
        ] {
            let values: Vec<Option<String>> = values
                .into_iter()
                .map(|value| value.map(String::from))
                .collect();
            assert_eq!(infer(&values), expect, "{values:?}");
        }
    }

    #[test]
    fn values_are_decoded_once() {
        for (text, expect) in [
            ("a%20b", "a b"),
            ("100%25", "100%"),
            ("50%", "50%"),
            ("%zz", "%zz"),
            ("%C3%A9", "é"),
            ("%ff", "%ff"),
            ("é%2", "é%2"),
        ] {
            assert_eq!(decode(text), expect);
        }
    }
}
