//! What Parquet footers say: `parquet_metadata` and `parquet_schema`, with DuckDB's column names.
//!
//! Statistics of top-level columns are written as values of their logical type, those of nested
//! columns as values of their physical type.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::async_reader::MetadataFetch;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::basic::{ConvertedType, Repetition};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use datafusion::parquet::file::statistics::Statistics;
use datafusion::parquet::schema::types::Type;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::error::TableError;
use super::guarded_read::guarded;
use super::listing::ListedFile;
use super::reader::Listed;

type Table = (SchemaRef, Vec<RecordBatch>);

/// Describes each column chunk: one row for each row group and column.
pub(crate) async fn chunks(listed: &Listed) -> Result<Table, TableError> {
    let mut rows = Rows::new(CHUNK_COLUMNS);
    for file in &listed.files {
        let metadata = footer(listed, file).await?;
        for (group_id, group) in metadata.row_groups().iter().enumerate() {
            for (column, chunk) in group.columns().iter().enumerate() {
                let bounds = bounds(&metadata, group, chunk, column);
                let place = [text(&file.display), number(Some(group_id))];
                rows.push(
                    place
                        .into_iter()
                        .chain(chunk_row(group, column, chunk, bounds)),
                );
            }
        }
    }
    rows.finish()
}

/// Describes each schema element, depth first.
pub(crate) async fn schemas(listed: &Listed) -> Result<Table, TableError> {
    let mut rows = Rows::new(SCHEMA_COLUMNS);
    for file in &listed.files {
        let metadata = footer(listed, file).await?;
        let root = metadata.file_metadata().schema_descr().root_schema_ptr();
        element_rows(&mut rows, file, &root);
    }
    rows.finish()
}

async fn footer(listed: &Listed, file: &ListedFile) -> Result<ParquetMetaData, TableError> {
    let (path, size) = (&file.meta.location, file.meta.size);
    let read = read_footer(listed.store.as_ref(), path, size);
    guarded(&file.display, read.map_err(DataFusionError::from)).await
}

/// Reads the footer of a file of so many bytes, without its page indexes.
pub(super) async fn read_footer(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    size: u64,
) -> Result<ParquetMetaData, ParquetError> {
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Skip)
        .load_and_finish(Bytes { store, path }, size)
        .await
}

/// The bytes of one file, for the footer's reader.
struct Bytes<'a> {
    store: &'a dyn ObjectStore,
    path: &'a ObjectPath,
}

impl MetadataFetch for Bytes<'_> {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<bytes::Bytes, ParquetError>> {
        let bytes = async move {
            let got = self.store.get_range(self.path, range).await;
            got.map_err(|error| ParquetError::External(Box::new(error)))
        };
        bytes.boxed()
    }
}

const CHUNK_COLUMNS: &[(&str, DataType)] = &[
    ("file_name", DataType::Utf8),
    ("row_group_id", DataType::Int64),
    ("row_group_num_rows", DataType::Int64),
    ("row_group_num_columns", DataType::Int64),
    ("row_group_bytes", DataType::Int64),
    ("column_id", DataType::Int64),
    ("file_offset", DataType::Int64),
    ("num_values", DataType::Int64),
    ("path_in_schema", DataType::Utf8),
    ("type", DataType::Utf8),
    ("stats_min", DataType::Utf8),
    ("stats_max", DataType::Utf8),
    ("stats_null_count", DataType::Int64),
    ("stats_distinct_count", DataType::Int64),
    ("stats_min_value", DataType::Utf8),
    ("stats_max_value", DataType::Utf8),
    ("compression", DataType::Utf8),
    ("encodings", DataType::Utf8),
    ("index_page_offset", DataType::Int64),
    ("dictionary_page_offset", DataType::Int64),
    ("data_page_offset", DataType::Int64),
    ("total_compressed_size", DataType::Int64),
    ("total_uncompressed_size", DataType::Int64),
    ("bloom_filter_offset", DataType::Int64),
    ("bloom_filter_length", DataType::Int64),
    ("min_is_exact", DataType::Boolean),
    ("max_is_exact", DataType::Boolean),
    ("has_column_index", DataType::Boolean),
    ("has_offset_index", DataType::Boolean),
];

const SCHEMA_COLUMNS: &[(&str, DataType)] = &[
    ("file_name", DataType::Utf8),
    ("name", DataType::Utf8),
    ("type", DataType::Utf8),
    ("type_length", DataType::Int64),
    ("repetition_type", DataType::Utf8),
    ("num_children", DataType::Int64),
    ("converted_type", DataType::Utf8),
    ("scale", DataType::Int64),
    ("precision", DataType::Int64),
    ("field_id", DataType::Int64),
    ("logical_type", DataType::Utf8),
];

/// One value of a row; the column's type says which.
enum Cell {
    Text(Option<String>),
    Number(Option<i64>),
    Flag(Option<bool>),
}

/// Rows under construction, column by column.
struct Rows {
    columns: &'static [(&'static str, DataType)],
    cells: Vec<Vec<Cell>>,
}

impl Rows {
    fn new(columns: &'static [(&'static str, DataType)]) -> Self {
        Self {
            columns,
            cells: columns.iter().map(|_| Vec::new()).collect(),
        }
    }

    fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        for (column, cell) in self.cells.iter_mut().zip(row) {
            column.push(cell);
        }
    }

    fn finish(self) -> Result<Table, TableError> {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|(name, data_type)| Field::new(*name, data_type.clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let arrays = self
            .cells
            .into_iter()
            .zip(self.columns)
            .map(|(cells, (_, data_type))| array(cells, data_type))
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|error| TableError::file("the Parquet metadata", error))?;
        Ok((schema, vec![batch]))
    }
}

fn array(cells: Vec<Cell>, data_type: &DataType) -> ArrayRef {
    let cells = cells.into_iter();
    match data_type {
        DataType::Int64 => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell {
            Cell::Number(number) => number,
            _ => None,
        }))),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(cells.map(|cell| match cell {
            Cell::Flag(flag) => flag,
            _ => None,
        }))),
        _ => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
            Cell::Text(text) => text,
            _ => None,
        }))),
    }
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(Some(value.to_string()))
}

fn number<T: TryInto<i64>>(value: Option<T>) -> Cell {
    Cell::Number(value.and_then(|value| value.try_into().ok()))
}

/// Describes one chunk, from the row group's number of rows on.
fn chunk_row(
    group: &RowGroupMetaData,
    column: usize,
    chunk: &ColumnChunkMetaData,
    (minimum, maximum): (Option<String>, Option<String>),
) -> Vec<Cell> {
    let statistics = chunk.statistics();
    let encodings: Vec<String> = chunk
        .encodings()
        .map(|encoding| encoding.to_string())
        .collect();
    vec![
        Cell::Number(Some(group.num_rows())),
        number(Some(group.num_columns())),
        Cell::Number(Some(group.total_byte_size())),
        number(Some(column)),
        Cell::Number(Some(chunk.file_offset())),
        Cell::Number(Some(chunk.num_values())),
        text(chunk.column_path().parts().join(", ")),
        text(chunk.column_type()),
        Cell::Text(minimum.clone()),
        Cell::Text(maximum.clone()),
        number(statistics.and_then(Statistics::null_count_opt)),
        number(statistics.and_then(Statistics::distinct_count_opt)),
        Cell::Text(minimum),
        Cell::Text(maximum),
        text(compression_name(chunk)),
        text(encodings.join(", ")),
        Cell::Number(chunk.index_page_offset()),
        Cell::Number(chunk.dictionary_page_offset()),
        Cell::Number(Some(chunk.data_page_offset())),
        Cell::Number(Some(chunk.compressed_size())),
        Cell::Number(Some(chunk.uncompressed_size())),
        Cell::Number(chunk.bloom_filter_offset()),
        number(chunk.bloom_filter_length()),
        Cell::Flag(statistics.map(Statistics::min_is_exact)),
        Cell::Flag(statistics.map(Statistics::max_is_exact)),
        Cell::Flag(Some(chunk.column_index_offset().is_some())),
        Cell::Flag(Some(chunk.offset_index_offset().is_some())),
    ]
}

/// Leaves the level out of `ZSTD(ZstdLevel(1))`.
fn compression_name(chunk: &ColumnChunkMetaData) -> String {
    let name = chunk.compression().to_string();
    name.split('(').next().unwrap_or_default().to_string()
}

/// Writes the smallest and largest value of a chunk.
fn bounds(
    metadata: &ParquetMetaData,
    group: &RowGroupMetaData,
    chunk: &ColumnChunkMetaData,
    column: usize,
) -> (Option<String>, Option<String>) {
    let description = metadata.file_metadata().schema_descr();
    let nested = chunk.column_path().parts().len() > 1;
    let logical = || {
        let arrow = parquet_to_arrow_schema(description, None).ok()?;
        let name = description.column(column).name().to_string();
        let converter = StatisticsConverter::try_new(&name, &arrow, description).ok()?;
        let shown = |array: ArrayRef| {
            (!array.is_null(0))
                .then(|| array_value_to_string(&array, 0).ok())
                .flatten()
        };
        let minimum = shown(converter.row_group_mins([group]).ok()?);
        let maximum = shown(converter.row_group_maxes([group]).ok()?);
        Some((minimum, maximum))
    };
    match (nested, chunk.statistics()) {
        (_, None) => (None, None),
        (false, Some(_)) => logical().unwrap_or((None, None)),
        (true, Some(statistics)) => physical_bounds(statistics),
    }
}

fn physical_bounds(statistics: &Statistics) -> (Option<String>, Option<String>) {
    let shown =
        |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    match statistics {
        Statistics::Boolean(values) => (
            values.min_opt().map(ToString::to_string),
            values.max_opt().map(ToString::to_string),
        ),
        Statistics::Int32(values) => (
            values.min_opt().map(ToString::to_string),
            values.max_opt().map(ToString::to_string),
        ),
        Statistics::Int64(values) => (
            values.min_opt().map(ToString::to_string),
            values.max_opt().map(ToString::to_string),
        ),
        Statistics::Float(values) => (
            values.min_opt().map(ToString::to_string),
            values.max_opt().map(ToString::to_string),
        ),
        Statistics::Double(values) => (
            values.min_opt().map(ToString::to_string),
            values.max_opt().map(ToString::to_string),
        ),
        Statistics::ByteArray(_) => (
            shown(statistics.min_bytes_opt()),
            shown(statistics.max_bytes_opt()),
        ),
        Statistics::Int96(_) | Statistics::FixedLenByteArray(_) => (None, None),
    }
}

fn element_rows(rows: &mut Rows, file: &ListedFile, element: &Type) {
    let information = element.get_basic_info();
    let repetition = information
        .has_repetition()
        .then(|| match information.repetition() {
            Repetition::REQUIRED => "REQUIRED",
            Repetition::OPTIONAL => "OPTIONAL",
            Repetition::REPEATED => "REPEATED",
        });
    let converted = information.converted_type();
    let (physical, length, scale, precision, children) = match element {
        Type::PrimitiveType {
            physical_type,
            type_length,
            scale,
            precision,
            ..
        } => (
            Some(physical_type.to_string()),
            Some(*type_length).filter(|length| *length > 0),
            (*precision > 0).then_some(*scale),
            Some(*precision).filter(|precision| *precision > 0),
            None,
        ),
        Type::GroupType { fields, .. } => (None, None, None, None, Some(fields.len())),
    };
    rows.push([
        text(&file.display),
        text(information.name()),
        Cell::Text(physical),
        number(length),
        Cell::Text(repetition.map(String::from)),
        number(children),
        Cell::Text((converted != ConvertedType::NONE).then(|| converted.to_string())),
        number(scale),
        number(precision),
        number(information.has_id().then(|| information.id())),
        Cell::Text(
            information
                .logical_type_ref()
                .map(|logical| format!("{logical:?}")),
        ),
    ]);
    if element.is_group() {
        for field in element.get_fields() {
            element_rows(rows, file, field);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::reader::{Argument, read};
    use crate::testing::Bench;

    #[tokio::test]
    async fn footers_are_tables() {
        let bench = Bench::new();
        let query = "SELECT x, DATE '2024-01-01' + x AS d, named_struct('k', x) AS s \
                     FROM (VALUES (1), (2), (NULL)) v(x)";
        bench.parquet("a.parquet", query).await;
        let call = || {
            vec![Argument {
                name: None,
                value: "*.parquet".into(),
            }]
        };
        let chunks = read("parquet_metadata", call(), &bench.context())
            .await
            .unwrap();
        let rows = bench.rows(&chunks, "SELECT row_group_id, column_id, path_in_schema, type, num_values, stats_null_count, stats_min, stats_max_value, compression, has_offset_index FROM t").await;
        assert_eq!(
            rows,
            [
                "0|0|x|INT64|3|1|1|2|UNCOMPRESSED|true",
                "0|1|d|INT32|3|1|2024-01-02|2024-01-03|UNCOMPRESSED|true",
                "0|2|s, k|INT64|3|1|1|2|UNCOMPRESSED|true",
            ]
        );
        let schema = read("parquet_schema", call(), &bench.context())
            .await
            .unwrap();
        let rows = bench
            .rows(
                &schema,
                "SELECT name, type, repetition_type, num_children, logical_type FROM t",
            )
            .await;
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[2], "d|INT32|OPTIONAL||Date");
    }
}
