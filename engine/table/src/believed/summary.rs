//! A file's statistics, made of the bounds of its footer that are believed.
//!
//! DataFusion's own summary leaves out row groups without bounds and calls the rest exact, calls an
//! unknown bound an exact NULL, and mixes types where a table's column has another than the file's.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::physical_plan::parquet::metadata::{
    DFParquetMetadata, ordering_from_parquet_metadata,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::{parquet_column, parquet_to_arrow_schema};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::file::statistics::Statistics as Bounds;
use datafusion::physical_expr::LexOrdering;
use object_store::{ObjectMeta, ObjectStore};

use super::footer::believed;

/// What is known of a file.
pub(crate) struct FileSummary {
    pub(crate) statistics: Statistics,
    /// The order of its rows, where the file says one.
    pub(crate) ordering: Option<LexOrdering>,
}

/// Reads a file's footer and sums up what is believed of it, for the columns of a table.
pub(crate) async fn file_summary(
    state: &dyn Session,
    store: &Arc<dyn ObjectStore>,
    columns: &SchemaRef,
    file: &ObjectMeta,
) -> Result<FileSummary> {
    let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
    let footer = DFParquetMetadata::new(store.as_ref(), file)
        .with_file_metadata_cache(Some(cache))
        .fetch_metadata()
        .await?;
    let footer = believed(footer, file.size).map_err(DataFusionError::from)?;
    let ordering = ordering_from_parquet_metadata(&footer, columns)?;
    Ok(FileSummary {
        statistics: statistics(&footer, columns)?,
        ordering,
    })
}

fn statistics(footer: &ParquetMetaData, columns: &SchemaRef) -> Result<Statistics> {
    let mut statistics = DFParquetMetadata::statistics_from_parquet_metadata(footer, columns)?;
    let descriptor = footer.file_metadata().schema_descr();
    let inside = parquet_to_arrow_schema(descriptor, footer.file_metadata().key_value_metadata())?;
    let fields = columns.fields().iter();
    for (field, column) in fields.zip(&mut statistics.column_statistics) {
        let given = std::mem::take(column);
        let leaf = parquet_column(descriptor, &inside, field.name()).map(|(leaf, _)| leaf);
        *column = match leaf {
            Some(leaf) if same_type(&inside, field.name(), field.data_type()) => {
                of_column(given, footer, leaf)
            }
            // A column that the file lacks holds nothing but NULLs.
            None if inside.field_with_name(field.name()).is_err() => ColumnStatistics {
                null_count: statistics.num_rows,
                ..ColumnStatistics::new_unknown()
            },
            _ => ColumnStatistics {
                byte_size: given.byte_size,
                ..ColumnStatistics::new_unknown()
            },
        };
    }
    Ok(statistics)
}

/// Says whether a column has the same type in a file and in its table.
fn same_type(inside: &Schema, name: &str, wanted: &DataType) -> bool {
    inside
        .field_with_name(name)
        .is_ok_and(|field| family(field.data_type()) == family(wanted))
}

/// Returns one type for all in which the same values are ordered alike.
fn family(data_type: &DataType) -> DataType {
    use DataType::{Binary, BinaryView, Dictionary, LargeBinary, LargeUtf8, Utf8, Utf8View};
    match data_type {
        Dictionary(_, value) => family(value),
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView => Utf8,
        other => other.clone(),
    }
}

fn of_column(given: ColumnStatistics, footer: &ParquetMetaData, leaf: usize) -> ColumnStatistics {
    let bounds = |has: fn(&Bounds) -> bool| {
        footer.row_groups().iter().all(|group| {
            let chunk = group.column(leaf);
            chunk.statistics().is_some_and(|statistics| {
                let only_nulls = statistics
                    .null_count_opt()
                    .is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values()));
                only_nulls || has(statistics)
            })
        })
    };
    let has_minimum = bounds(|statistics| statistics.min_bytes_opt().is_some());
    let has_maximum = bounds(|statistics| statistics.max_bytes_opt().is_some());
    // Floats have no upper bound, and of their lower one only that nothing lies below it.
    let inexact = has_minimum && !has_maximum;
    ColumnStatistics {
        min_value: match known(given.min_value, has_minimum) {
            Precision::Exact(value) if inexact => Precision::Inexact(value),
            other => other,
        },
        max_value: known(given.max_value, has_maximum),
        distinct_count: Precision::Absent,
        ..given
    }
}

/// Returns a bound if all row groups have one; an unknown one is not NULL.
fn known(bound: Precision<ScalarValue>, complete: bool) -> Precision<ScalarValue> {
    match bound {
        Precision::Exact(value) | Precision::Inexact(value) if value.is_null() => Precision::Absent,
        bound if complete => bound,
        _ => Precision::Absent,
    }
}
