//! Whether the bounds and null counts that a log gives for a file are those of the file.
//!
//! Bounds of the log may be wider than the values, never narrower: a query leaves out files by them.
//! Compared are the columns of a file's own level whose values mean the same in JSON and in Parquet:
//! whole numbers, floating-point numbers, dates and text.

use std::cmp::Ordering;

use chrono::NaiveDate;
use datafusion::parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use datafusion::parquet::file::statistics::Statistics;
use deltalake::kernel::LogicalFileView;
use serde_json::Value;

/// Describes the first statement of the log about a file's columns that is false.
pub(super) fn false_bound(file: &LogicalFileView, footer: &ParquetMetaData) -> Option<String> {
    let text = file.stats()?;
    let claimed: Value = serde_json::from_str(&text).ok()?;
    let has_vector = file.deletion_vector_descriptor().is_some();
    let columns = footer.file_metadata().schema_descr();
    (0..columns.num_columns()).find_map(|index| {
        let column = columns.column(index);
        let [name] = column.path().parts() else {
            return None;
        };
        let chunks = || {
            footer
                .row_groups()
                .iter()
                .map(move |group| group.column(index))
        };
        let nulls = match has_vector {
            true => None,
            false => false_nulls(name, &claimed["nullCount"][name], chunks()),
        };
        nulls.or_else(|| chunks().find_map(|chunk| false_bound_of(name, &claimed, chunk)))
    })
}

fn false_nulls<'a>(
    name: &str,
    claimed: &Value,
    chunks: impl Iterator<Item = &'a ColumnChunkMetaData>,
) -> Option<String> {
    let claimed = claimed.as_u64()?;
    let counted: Option<u64> = chunks
        .map(|chunk| chunk.statistics()?.null_count_opt())
        .sum();
    let counted = counted?;
    (counted != claimed).then(|| {
        format!("column `{name}` holds {counted} NULLs in the file and {claimed} by the log")
    })
}

fn false_bound_of(name: &str, claimed: &Value, chunk: &ColumnChunkMetaData) -> Option<String> {
    let statistics = chunk.statistics()?;
    if statistics.is_min_max_deprecated() {
        return None;
    }
    let (least, greatest) = (&claimed["minValues"][name], &claimed["maxValues"][name]);
    if statistics.min_is_exact()
        && let Some(found) = Bound::of_file(chunk, statistics, true)
        && let Some(bound) = Bound::of_log(least, &found)
        && bound.compare(&found) == Some(Ordering::Greater)
    {
        return Some(format!(
            "column `{name}` begins at {} in the file and at {} by the log",
            found.text(),
            bound.text()
        ));
    }
    if statistics.max_is_exact()
        && let Some(found) = Bound::of_file(chunk, statistics, false)
        && let Some(bound) = Bound::of_log(greatest, &found)
        && bound.compare(&found) == Some(Ordering::Less)
    {
        return Some(format!(
            "column `{name}` ends at {} in the file and at {} by the log",
            found.text(),
            bound.text()
        ));
    }
    None
}

/// A value that can be compared with another one of its kind.
#[derive(Debug, Clone, PartialEq)]
enum Bound {
    Whole(i64),
    /// The log has the shortest number that becomes the same value in 32 bits.
    Single(f32),
    Float(f64),
    Date(NaiveDate),
    Text(String),
}

impl Bound {
    /// Reads the least or the greatest value of a chunk.
    fn of_file(chunk: &ColumnChunkMetaData, statistics: &Statistics, least: bool) -> Option<Self> {
        let column = chunk.column_descr();
        let logical = column.logical_type_ref();
        let is_date = matches!(logical, Some(LogicalType::Date))
            || column.converted_type() == ConvertedType::DATE;
        let is_signed = match logical {
            None => matches!(
                column.converted_type(),
                ConvertedType::NONE
                    | ConvertedType::INT_8
                    | ConvertedType::INT_16
                    | ConvertedType::INT_32
                    | ConvertedType::INT_64
            ),
            Some(LogicalType::Integer(integer)) => integer.is_signed,
            _ => false,
        };
        match statistics {
            Statistics::Int32(values) => {
                let value = if least {
                    values.min_opt()
                } else {
                    values.max_opt()
                };
                let value = *value?;
                match is_date {
                    true => NaiveDate::from_epoch_days(value).map(Self::Date),
                    false => is_signed.then_some(Self::Whole(value.into())),
                }
            }
            Statistics::Int64(values) => {
                let value = if least {
                    values.min_opt()
                } else {
                    values.max_opt()
                };
                is_signed.then_some(Self::Whole(*value?))
            }
            Statistics::Float(values) => {
                let value = if least {
                    values.min_opt()
                } else {
                    values.max_opt()
                };
                Some(Self::Single(*value?))
            }
            Statistics::Double(values) => {
                let value = if least {
                    values.min_opt()
                } else {
                    values.max_opt()
                };
                Some(Self::Float(*value?))
            }
            Statistics::ByteArray(values) if is_text(chunk) => {
                let value = if least {
                    values.min_opt()
                } else {
                    values.max_opt()
                };
                Some(Self::Text(value?.as_utf8().ok()?.to_owned()))
            }
            _ => None,
        }
    }

    /// Reads a value of the log as one of the kind that the file has.
    fn of_log(value: &Value, like: &Self) -> Option<Self> {
        match like {
            Self::Whole(_) => value.as_i64().map(Self::Whole),
            Self::Single(_) => value.as_f64().map(|number| Self::Single(number as f32)),
            Self::Float(_) => value.as_f64().map(Self::Float),
            Self::Date(_) => value.as_str()?.parse().ok().map(Self::Date),
            Self::Text(_) => Some(Self::Text(value.as_str()?.to_owned())),
        }
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(b)),
            (Self::Single(a), Self::Single(b)) => a.partial_cmp(b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Single(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Text(text) => format!("`{text}`"),
        }
    }
}

fn is_text(chunk: &ColumnChunkMetaData) -> bool {
    chunk.column_type() == PhysicalType::BYTE_ARRAY
        && (matches!(
            chunk.column_descr().logical_type_ref(),
            Some(LogicalType::String)
        ) || chunk.column_descr().converted_type() == ConvertedType::UTF8)
}
