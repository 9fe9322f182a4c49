//! A footer without what does not hold of it.

use std::sync::Arc;

use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetColumnIndex, ParquetMetaData, RowGroupMetaData,
};
use datafusion::parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::bounds::{Verdict, is_float, judge};

/// How the writer names itself that leaves counts of NULLs out where there are none, in old versions.
const COUNTS_NO_NULLS: &str = "parquet-rs";

/// Takes out of the footer of a file of so many bytes what is not known to hold.
///
/// Bounds go as [`judge`] says, and with them the same column's bounds of pages. Of bloom filters go
/// those of floats, which tell 0.0 from -0.0, and those that lie outside the file. Their lengths go
/// altogether: a filter of which only a part is read says of most values that they are not there, and
/// the filter's own head says how long it is. The file's count of rows becomes that of its row groups:
/// the reader gives no row at all where a footer says 0.
pub(super) fn believed(
    footer: Arc<ParquetMetaData>,
    size: u64,
) -> Result<Arc<ParquetMetaData>, ParquetError> {
    let rows = rows(&footer)?;
    let file = footer.file_metadata();
    let counts_no_nulls = file
        .created_by()
        .is_some_and(|writer| writer.starts_with(COUNTS_NO_NULLS));
    let keeps = |chunk: &ColumnChunkMetaData| {
        judge(chunk, counts_no_nulls) == Verdict::Keep
            && chunk.bloom_filter_offset().is_none()
            && !(is_float(chunk) && chunk.column_index_offset().is_some())
    };
    let all_hold = file.num_rows() == rows
        && footer
            .row_groups()
            .iter()
            .all(|group| group.columns().iter().all(keeps));
    if all_hold {
        return Ok(footer);
    }
    let file = FileMetaData::new(
        file.version(),
        rows,
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let pages = footer.column_index().map(|index| {
        let groups = index.iter().zip(footer.row_groups());
        groups
            .map(|(pages, group)| pages_of_group(pages, group, counts_no_nulls))
            .collect::<ParquetColumnIndex>()
    });
    let groups = footer
        .row_groups()
        .iter()
        .map(|group| row_group(group, counts_no_nulls, size))
        .collect::<Result<Vec<_>, _>>()?;
    let believed = ParquetMetaData::new(file, groups)
        .into_builder()
        .set_column_index(pages)
        .set_offset_index(footer.offset_index().cloned())
        .build();
    Ok(Arc::new(believed))
}

/// Counts the rows of a file's row groups.
pub(super) fn rows(footer: &ParquetMetaData) -> Result<i64, ParquetError> {
    let mut rows = 0_i64;
    for group in footer.row_groups() {
        let sum = rows.checked_add(group.num_rows());
        rows = sum.filter(|_| group.num_rows() >= 0).ok_or_else(|| {
            ParquetError::General(format!("a row group has {} rows", group.num_rows()))
        })?;
    }
    Ok(rows)
}

fn row_group(
    group: &RowGroupMetaData,
    counts_no_nulls: bool,
    size: u64,
) -> Result<RowGroupMetaData, ParquetError> {
    let mut builder = group.clone().into_builder();
    let chunks = builder
        .take_columns()
        .into_iter()
        .map(|chunk| column_chunk(chunk, counts_no_nulls, size))
        .collect::<Result<Vec<_>, _>>()?;
    builder.set_column_metadata(chunks).build()
}

fn column_chunk(
    chunk: ColumnChunkMetaData,
    counts_no_nulls: bool,
    size: u64,
) -> Result<ColumnChunkMetaData, ParquetError> {
    let verdict = judge(&chunk, counts_no_nulls);
    let float = is_float(&chunk);
    let filter = chunk
        .bloom_filter_offset()
        .filter(|offset| !float && u64::try_from(*offset).is_ok_and(|offset| offset < size));
    let mut builder = chunk
        .into_builder()
        .set_bloom_filter_offset(filter)
        .set_bloom_filter_length(None);
    if float || verdict == Verdict::Drop {
        builder = builder
            .set_column_index_offset(None)
            .set_column_index_length(None);
    }
    builder = match verdict {
        Verdict::Keep => builder,
        Verdict::Replace(statistics) => builder.set_statistics(statistics),
        Verdict::Drop => builder.clear_statistics(),
    };
    builder.build()
}

fn pages_of_group(
    pages: &[ColumnIndexMetaData],
    group: &RowGroupMetaData,
    counts_no_nulls: bool,
) -> Vec<ColumnIndexMetaData> {
    let columns = pages.iter().zip(group.columns());
    columns
        .map(|(pages, chunk)| {
            let holds = !is_float(chunk) && judge(chunk, counts_no_nulls) != Verdict::Drop;
            match holds {
                true => pages.clone(),
                false => ColumnIndexMetaData::NONE,
            }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::parquet::basic::Type;
    use datafusion::parquet::file::statistics::Statistics;
    use datafusion::parquet::schema::types::{SchemaDescriptor, Type as Schema};

    use super::*;

    /// Makes the footer of a file with one row group and one column, 100 bytes long.
    fn footer(physical: Type, statistics: Statistics, filter: Option<i64>) -> Arc<ParquetMetaData> {
        let column = Schema::primitive_type_builder("a", physical)
            .build()
            .unwrap();
        let root = Schema::group_type_builder("root")
            .with_fields(vec![Arc::new(column)])
            .build()
            .unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
        let chunk = ColumnChunkMetaData::builder(schema.column(0))
            .set_num_values(6)
            .set_statistics(statistics)
            .set_bloom_filter_offset(filter)
            .set_bloom_filter_length(filter.map(|_| 1000))
            .build()
            .unwrap();
        let group = RowGroupMetaData::builder(Arc::clone(&schema))
            .set_num_rows(6)
            .add_column_metadata(chunk)
            .build()
            .unwrap();
        let file = FileMetaData::new(1, 0, None, None, schema, None);
        Arc::new(ParquetMetaData::new(file, vec![group]))
    }

    #[test]
    fn a_footer_has_the_rows_of_its_groups() {
        let statistics = Statistics::int32(Some(1), Some(2), None, Some(0), false);
        let believed = believed(footer(Type::INT32, statistics, None), 100).unwrap();
        assert_eq!(believed.file_metadata().num_rows(), 6);
        let chunk = believed.row_group(0).column(0);
        assert!(chunk.statistics().unwrap().max_bytes_opt().is_some());
    }

    #[test]
    fn bloom_filters_lie_in_the_file_and_say_their_own_length() {
        for (physical, offset, expect) in [
            (Type::INT32, 50, Some(50)),
            (Type::INT32, 100, None),
            (Type::INT32, -1, None),
            (Type::DOUBLE, 50, None),
        ] {
            let statistics = match physical {
                Type::DOUBLE => Statistics::double(Some(1.0), Some(2.0), None, Some(0), false),
                _ => Statistics::int32(Some(1), Some(2), None, Some(0), false),
            };
            let believed = believed(footer(physical, statistics, Some(offset)), 100).unwrap();
            let chunk = believed.row_group(0).column(0);
            assert_eq!(chunk.bloom_filter_offset(), expect);
            assert_eq!(chunk.bloom_filter_length(), None);
        }
    }
}
