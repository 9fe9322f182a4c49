//! The `text` format: whole files as rows of name, content, size and time of change.
//!
//! Contents are read only if they are asked for, one file at a time.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::buffer::{Buffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use object_store::ObjectStore;

use super::error::TableError;
use super::files::list_all;
use super::listing::{ListedFile, Origin};
use super::options::{OptionKind, OptionSpec, Options};
use super::sample::{compression, read_sample};
use super::{OpenTable, TableContext, TableFormat};

/// Whole text files.
pub(crate) struct Text;

pub(crate) const TEXT_OPTIONS: &[OptionSpec] = &[OptionSpec::new(
    "compression",
    OptionKind::Text,
    "`auto` (by suffix), `none`, `gzip`, `bzip2`, `xz` or `zstd`.",
)];

#[async_trait]
impl TableFormat for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt", "text", "log", "md"]
    }

    fn compressible(&self) -> bool {
        true
    }

    fn options(&self) -> Vec<&'static [OptionSpec]> {
        vec![TEXT_OPTIONS]
    }

    async fn open(
        &self,
        definition: &TableDefinition,
        _version: TableVersion,
        context: &TableContext<'_>,
    ) -> Result<OpenTable, TableError> {
        let options = Options::check(self.name(), &definition.options, &self.options())?;
        let (location, store, files) = list_all(self, definition, &options, context).await?;
        let url = match files.as_slice() {
            [only] if only.origin == Origin::Named => location.url_of(&only.meta.location),
            _ => location.folder_url(),
        };
        let provider = TextTable {
            schema: schema(),
            files: Arc::new(files),
            store,
            options: Arc::new(options),
        };
        Ok(OpenTable {
            provider: Arc::new(provider),
            version: None,
            format: self.name(),
            location: url,
        })
    }
}

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("filename", DataType::Utf8, false),
        Field::new("content", DataType::Utf8, false),
        Field::new("size", DataType::Int64, false),
        Field::new("last_modified", time, false),
    ]))
}

#[derive(Debug)]
struct TextTable {
    schema: SchemaRef,
    files: Arc<Vec<ListedFile>>,
    store: Arc<dyn ObjectStore>,
    options: Arc<Options>,
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        None
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let stream = TextStream {
            schema: Arc::new(self.schema.project(&columns)?),
            columns,
            files: Arc::clone(&self.files),
            store: Arc::clone(&self.store),
            options: Arc::clone(&self.options),
        };
        let table = StreamingTable::try_new(Arc::clone(&stream.schema), vec![Arc::new(stream)])?;
        table.scan(state, None, filters, limit).await
    }
}

#[derive(Debug)]
struct TextStream {
    schema: SchemaRef,
    columns: Vec<usize>,
    files: Arc<Vec<ListedFile>>,
    store: Arc<dyn ObjectStore>,
    options: Arc<Options>,
}

impl PartitionStream for TextStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (files, store) = (Arc::clone(&self.files), Arc::clone(&self.store));
        let (schema, columns) = (Arc::clone(&self.schema), self.columns.clone());
        let options = Arc::clone(&self.options);
        let pool = Arc::clone(context.memory_pool());
        let stream = futures::stream::iter(0..files.len())
            .then(move |index| {
                let (files, store) = (Arc::clone(&files), Arc::clone(&store));
                let (schema, columns) = (Arc::clone(&schema), columns.clone());
                let (options, pool) = (Arc::clone(&options), Arc::clone(&pool));
                async move { row(&files[index], &store, &options, schema, &columns, &pool).await }
            })
            .map_err(DataFusionError::from);
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        ))
    }
}

async fn row(
    file: &ListedFile,
    store: &Arc<dyn ObjectStore>,
    options: &Options,
    schema: SchemaRef,
    columns: &[usize],
    pool: &Arc<dyn MemoryPool>,
) -> Result<RecordBatch, TableError> {
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for column in columns {
        arrays.push(match column {
            0 => Arc::new(StringArray::from(vec![file.display.clone()])),
            1 => {
                let compression = compression(file, options)?;
                let content = read_sample(store, file, compression, usize::MAX, pool).await?;
                let wrong = |problem: String| {
                    TableError::file(&file.display, DataFusionError::Execution(problem))
                };
                Arc::new(one_text(content.into_bytes()).map_err(wrong)?)
            }
            2 => Arc::new(Int64Array::from(vec![
                i64::try_from(file.meta.size).unwrap_or(i64::MAX),
            ])),
            _ => {
                let time = file.meta.last_modified.timestamp_micros();
                Arc::new(TimestampMicrosecondArray::from(vec![time]).with_timezone("UTC"))
            }
        });
    }
    let options =
        datafusion::arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(schema, arrays, &options)
        .map_err(|error| TableError::file(&file.display, error))
}

/// Makes a column of one text without copying it; the error says why the bytes are none.
fn one_text(bytes: Vec<u8>) -> Result<StringArray, String> {
    if let Err(error) = std::str::from_utf8(&bytes) {
        let place = error.valid_up_to();
        return Err(format!("it is not valid UTF-8 at byte {place}"));
    }
    if i32::try_from(bytes.len()).is_err() {
        return Err("it is larger than 2 GiB, and a text cannot be".to_owned());
    }
    let offsets = OffsetBuffer::from_lengths([bytes.len()]);
    StringArray::try_new(offsets, Buffer::from_vec(bytes), None).map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::Bench;

    #[tokio::test]
    async fn whole_files_are_rows() {
        let bench = Bench::new();
        bench.write("d/a.txt", "one\ntwo");
        bench.write("d/b.md", "é");
        bench.write("d/bad.txt", b"\xff");
        let table = bench.open("text", "d/{a.txt,b.md}", &[]).await.unwrap();
        let rows = bench
            .rows(
                &table,
                "SELECT replace(content, chr(10), '/'), size FROM t ORDER BY filename",
            )
            .await;
        assert_eq!(rows, ["one/two|7", "é|2"]);
        let all = bench.open("text", "d", &[]).await.unwrap();
        assert_eq!(bench.rows(&all, "SELECT count(*) FROM t").await, ["3"]);
        assert_eq!(
            bench
                .rows(
                    &all,
                    "SELECT sum(size) FROM t WHERE last_modified > TIMESTAMP '2020-01-01'"
                )
                .await,
            ["10"]
        );
        let error = bench
            .select(&all, "SELECT content FROM t")
            .await
            .unwrap_err();
        assert!(
            error.contains("d/bad.txt`: it is not valid UTF-8 at byte 0"),
            "{error}"
        );
    }
}
