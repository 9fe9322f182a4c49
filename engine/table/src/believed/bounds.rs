//! Which bounds of a column chunk hold.

use datafusion::parquet::basic::{LogicalType, SortOrder, Type};
use datafusion::parquet::data_type::FixedLenByteArray;
use datafusion::parquet::file::metadata::ColumnChunkMetaData;
use datafusion::parquet::file::statistics::Statistics;

/// What is done with a chunk's statistics.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// They hold.
    Keep,
    /// These hold in their place.
    Replace(Statistics),
    /// Nothing of them is known to hold.
    Drop,
}

/// Judges the statistics of a chunk.
///
/// `counts_no_nulls` says that the file's writer leaves the count of NULLs out where there are none.
pub(super) fn judge(chunk: &ColumnChunkMetaData, counts_no_nulls: bool) -> Verdict {
    let Some(statistics) = chunk.statistics() else {
        return Verdict::Keep;
    };
    let column = chunk.column_descr();
    let nullable = column.max_def_level() > 0;
    match statistics.null_count_opt() {
        // Nothing can be said of NULLs but by leaving out all statistics: a missing count is read as 0.
        None if nullable && !counts_no_nulls => return Verdict::Drop,
        Some(nulls) if i64::try_from(nulls).is_ok_and(|nulls| nulls > chunk.num_values()) => {
            return Verdict::Drop;
        }
        _ => {}
    }
    if is_float(chunk) {
        return float(statistics);
    }
    let bytes = matches!(
        column.physical_type(),
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY
    );
    match column.sort_order() {
        SortOrder::UNDEFINED => Verdict::Drop,
        // The old fields were written by comparing bytes as signed numbers, whatever the type.
        order if statistics.is_min_max_deprecated() && (bytes || !order.is_signed()) => {
            Verdict::Drop
        }
        order if order.is_signed() && is_reversed(statistics) => Verdict::Drop,
        _ => Verdict::Keep,
    }
}

/// Says whether a chunk holds floating-point numbers, which can be NaN.
pub(super) fn is_float(chunk: &ColumnChunkMetaData) -> bool {
    let column = chunk.column_descr();
    matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE)
        || matches!(column.logical_type_ref(), Some(LogicalType::Float16))
}

/// Keeps the lower bound of floats: NaN ranks above all numbers, so that nothing is known of the upper.
///
/// It is made -0.0 where it is zero, as the format tells readers to: which zero was smaller is not known.
fn float(statistics: &Statistics) -> Verdict {
    let distinct = None;
    let nulls = statistics.null_count_opt();
    Verdict::Replace(match statistics {
        Statistics::Float(bounds) => {
            let minimum = bounds.min_opt().copied().filter(|value| !value.is_nan());
            let minimum = minimum.map(|value| if value == 0.0 { -0.0 } else { value });
            Statistics::float(minimum, None, distinct, nulls, false)
        }
        Statistics::Double(bounds) => {
            let minimum = bounds.min_opt().copied().filter(|value| !value.is_nan());
            let minimum = minimum.map(|value| if value == 0.0 { -0.0 } else { value });
            Statistics::double(minimum, None, distinct, nulls, false)
        }
        _ => {
            let none: Option<FixedLenByteArray> = None;
            Statistics::fixed_len_byte_array(none.clone(), none, distinct, nulls, false)
        }
    })
}

/// Says whether the smallest of some integers is larger than the largest.
fn is_reversed(statistics: &Statistics) -> bool {
    match statistics {
        Statistics::Int32(bounds) => bounds.min_opt() > bounds.max_opt().or(bounds.min_opt()),
        Statistics::Int64(bounds) => bounds.min_opt() > bounds.max_opt().or(bounds.min_opt()),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::parquet::basic::Repetition;
    use datafusion::parquet::data_type::ByteArray;
    use datafusion::parquet::schema::types::{ColumnDescriptor, ColumnPath, Type as Schema};

    use super::*;

    fn chunk(
        physical: Type,
        logical: Option<LogicalType>,
        repetition: Repetition,
        statistics: Statistics,
    ) -> ColumnChunkMetaData {
        let length = if physical == Type::FIXED_LEN_BYTE_ARRAY {
            2
        } else {
            -1
        };
        let schema = Schema::primitive_type_builder("a", physical)
            .with_logical_type(logical)
            .with_length(length)
            .with_repetition(repetition)
            .build()
            .unwrap();
        let nullable = i16::from(repetition == Repetition::OPTIONAL);
        let path = ColumnPath::new(vec!["a".to_owned()]);
        let column = ColumnDescriptor::new(Arc::new(schema), nullable, 0, path);
        ColumnChunkMetaData::builder(Arc::new(column))
            .set_num_values(10)
            .set_statistics(statistics)
            .build()
            .unwrap()
    }

    #[test]
    fn floats_keep_their_lower_bound() {
        for (given, expect) in [
            (
                Statistics::double(Some(1.0), Some(2.0), None, Some(3), false),
                Statistics::double(Some(1.0), None, None, Some(3), false),
            ),
            (
                Statistics::double(Some(f64::NAN), Some(2.0), None, Some(0), false),
                Statistics::double(None, None, None, Some(0), false),
            ),
        ] {
            let chunk = chunk(Type::DOUBLE, None, Repetition::OPTIONAL, given);
            assert_eq!(judge(&chunk, false), Verdict::Replace(expect));
        }
        let zero = Statistics::float(Some(0.0), Some(0.0), None, Some(0), false);
        let chunk = chunk(Type::FLOAT, None, Repetition::REQUIRED, zero);
        let Verdict::Replace(Statistics::Float(bounds)) = judge(&chunk, false) else {
            panic!("floats are replaced");
        };
        assert!(bounds.min_opt().unwrap().is_sign_negative());
    }

    #[test]
    fn old_fields_are_believed_of_signed_integers_only() {
        let text = Some(ByteArray::from("x"));
        for (physical, logical, statistics, expect) in [
            (
                Type::INT64,
                None,
                Statistics::int64(Some(1), Some(2), None, Some(0), true),
                Verdict::Keep,
            ),
            (
                Type::BYTE_ARRAY,
                Some(LogicalType::String),
                Statistics::byte_array(text.clone(), text.clone(), None, Some(0), true),
                Verdict::Drop,
            ),
            (
                Type::BYTE_ARRAY,
                Some(LogicalType::String),
                Statistics::byte_array(text.clone(), text, None, Some(0), false),
                Verdict::Keep,
            ),
            (
                Type::INT64,
                None,
                Statistics::int64(Some(3), Some(2), None, Some(0), false),
                Verdict::Drop,
            ),
            (
                Type::INT64,
                None,
                Statistics::int64(Some(3), None, None, Some(0), false),
                Verdict::Keep,
            ),
        ] {
            let chunk = chunk(physical, logical, Repetition::REQUIRED, statistics);
            assert_eq!(judge(&chunk, false), expect);
        }
    }

    #[test]
    fn nulls_that_nobody_counted_are_not_none() {
        let statistics = || Statistics::int32(Some(1), Some(2), None, None, false);
        for (repetition, counts_no_nulls, expect) in [
            (Repetition::OPTIONAL, false, Verdict::Drop),
            (Repetition::OPTIONAL, true, Verdict::Keep),
            (Repetition::REQUIRED, false, Verdict::Keep),
        ] {
            let chunk = chunk(Type::INT32, None, repetition, statistics());
            assert_eq!(judge(&chunk, counts_no_nulls), expect);
        }
        let many = Statistics::int32(Some(1), Some(2), None, Some(11), false);
        let chunk = chunk(Type::INT32, None, Repetition::OPTIONAL, many);
        assert_eq!(judge(&chunk, false), Verdict::Drop);
    }
}
