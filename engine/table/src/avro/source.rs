//! Scans Avro files with a reader of our own around the library's, which believes no length and no end.
//!
//! The library takes a file that was cut off for a whole one, never ends in a block with too many bytes, and
//! makes of compressed blocks what they say. Here a block is decompressed within the memory that there is,
//! and measured against its count of rows and the mark behind it, before the library sees it.

use std::fmt;
use std::io::{BufRead, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatchOptions, StructArray, new_null_array};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow_avro::reader::{Reader, ReaderBuilder};
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::avro::AvroFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr_adapter::{BatchAdapter, BatchAdapterFactory};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::TableSchema;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::StreamExt;
use object_store::{ObjectMeta, ObjectStore};

use super::codec::plain;
use super::header::{Header, MARK, said};
use super::shape::{number, write_number};
use crate::file_parts::{FileParts, broken};

/// So many bytes of blocks are decoded together at least: each time the library reads the schema again.
const ENOUGH: usize = 4 << 20;
/// The two numbers before a block are at most so long.
const LONGEST_HEAD: u64 = 20;
/// Rows of a batch where nobody says how many.
const BATCH: usize = 8192;

/// Avro files.
#[derive(Debug)]
pub(super) struct CheckedAvro {
    /// What stands before a path of the store where it is shown.
    pub(super) root: String,
    pub(super) pool: Arc<dyn MemoryPool>,
}

#[async_trait]
impl FileFormat for CheckedAvro {
    fn get_ext(&self) -> String {
        AvroFormat.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        AvroFormat.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let first = files.first().ok_or_else(|| {
            DataFusionError::Internal("the columns of no file were asked for".to_owned())
        })?;
        let path = format!("{}{}", self.root, first.location);
        let mut file = FileParts::new(Arc::clone(store), first, path);
        Ok(Header::read(&mut file).await?.columns)
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        columns: SchemaRef,
        _file: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&columns))
    }

    async fn create_physical_plan(
        &self,
        _state: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(CheckedAvroSource {
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            root: self.root.clone(),
            pool: Arc::clone(&self.pool),
            batch_size: BATCH,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

#[derive(Clone)]
struct CheckedAvroSource {
    table_schema: TableSchema,
    projection: SplitProjection,
    root: String,
    pool: Arc<dyn MemoryPool>,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for CheckedAvroSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let file_schema = self.table_schema.file_schema();
        let columns = self.projection.file_indices.clone();
        let opener = Arc::new(CheckedAvroOpener {
            store,
            root: self.root.clone(),
            pool: Arc::clone(&self.pool),
            schema: Arc::new(file_schema.project(&columns)?),
            columns,
            batch_size: self.batch_size,
        });
        ProjectionOpener::try_new(self.projection.clone(), opener, file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self {
            batch_size,
            ..self.clone()
        })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        Ok(Some(Arc::new(Self {
            projection: SplitProjection::new(self.table_schema.file_schema(), &merged),
            ..self.clone()
        })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "avro"
    }

    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

/// Opens one file.
struct CheckedAvroOpener {
    store: Arc<dyn ObjectStore>,
    root: String,
    pool: Arc<dyn MemoryPool>,
    /// The columns that are asked for, by their places in the file.
    columns: Vec<usize>,
    /// The same columns.
    schema: SchemaRef,
    batch_size: usize,
}

impl FileOpener for CheckedAvroOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let path = format!("{}{}", self.root, file.object_meta.location);
        let mut file = FileParts::new(Arc::clone(&self.store), &file.object_meta, path);
        let memory = MemoryConsumer::new("reader of Avro files").register(&self.pool);
        let (columns, schema) = (self.columns.clone(), Arc::clone(&self.schema));
        let batch_size = self.batch_size;
        Ok(Box::pin(async move {
            let header = Header::read(&mut file).await?;
            let rows = Rows {
                blocks: Blocks {
                    at: header.end,
                    file,
                    header,
                    memory,
                },
                columns,
                schema,
                batch_size,
                decoder: None,
                without_bytes: 0,
            };
            let batches = futures::stream::try_unfold(rows, |mut rows| async move {
                let batch = rows.next().await?;
                Ok::<_, DataFusionError>(batch.map(|batch| (batch, rows)))
            });
            Ok(batches.boxed())
        }))
    }
}

/// Some whole blocks.
#[derive(Default)]
struct Group {
    rows: u64,
    bytes: Vec<u8>,
}

/// The blocks of one file.
struct Blocks {
    file: FileParts,
    header: Header,
    /// Where the next block begins.
    at: u64,
    memory: MemoryReservation,
}

impl Blocks {
    /// Reads some blocks; without a row at the end of the file.
    async fn some(&mut self) -> Result<Group> {
        let mut group = Group::default();
        while group.bytes.len() < ENOUGH && self.at < self.file.size() {
            let (rows, block) = self.block(group.bytes.len()).await?;
            if !self.header.rows.fits(&block, rows) {
                return Err(self
                    .file
                    .broken("a block in it has other rows than it says"));
            }
            group.rows = group.rows.saturating_add(rows);
            group.bytes.extend_from_slice(&block);
            if self.header.rows.is_empty() && rows > 0 {
                break;
            }
        }
        Ok(group)
    }

    /// Reads the block that begins here, and what it holds without compression.
    async fn block(&mut self, kept: usize) -> Result<(u64, Bytes)> {
        let head_end = self.at.saturating_add(LONGEST_HEAD).min(self.file.size());
        let head = self.file.get(self.at..head_end).await?;
        let mut rest = &head[..];
        let rows = number(&mut rest).and_then(|rows| u64::try_from(rows).ok());
        let length = number(&mut rest).and_then(|length| u64::try_from(length).ok());
        let (Some(rows), Some(length)) = (rows, length) else {
            return Err(self.file.broken("a block in it has an impossible length"));
        };
        let begin = self.at + (head.len() - rest.len()) as u64;
        let end = begin
            .checked_add(length)
            .and_then(|end| end.checked_add(MARK as u64))
            .filter(|end| *end <= self.file.size())
            .ok_or_else(|| self.file.broken("it ends in a block"))?;
        let held = usize::try_from(end - begin).unwrap_or(usize::MAX);
        // What is decompressed is copied to the other blocks of the group once.
        let memory = &self.memory;
        let mut reserve = |more: usize| {
            let sum = kept
                .saturating_add(held)
                .saturating_add(more.saturating_mul(2));
            memory.try_resize(sum)
        };
        reserve(0)?;
        let bytes = self.file.get(begin..end).await?;
        let (block, mark) = bytes.split_at(bytes.len() - MARK);
        if mark != self.header.mark {
            return Err(self
                .file
                .broken("a block in it is not followed by the file's mark"));
        }
        self.at = end;
        let block = bytes.slice(..block.len());
        let block = plain(self.file.path(), self.header.codec, block, &mut reserve)?;
        Ok((rows, block))
    }
}

/// A file without compression that consists of one group.
type GroupFile = Box<dyn BufRead + Send>;

struct Decoder {
    rows: Reader<GroupFile>,
    adapter: BatchAdapter,
}

/// The rows of one file.
struct Rows {
    blocks: Blocks,
    columns: Vec<usize>,
    schema: SchemaRef,
    batch_size: usize,
    decoder: Option<Decoder>,
    /// Rows for which nothing needs to be decoded.
    without_bytes: u64,
}

impl Rows {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.without_bytes > 0 {
                return self.batch_without_bytes().map(Some);
            }
            if let Some(decoder) = &mut self.decoder {
                match decoder.next(self.blocks.file.path())? {
                    Some(batch) => return Ok(Some(batch)),
                    None => self.decoder = None,
                }
            }
            let group = self.blocks.some().await?;
            if group.rows == 0 {
                return Ok(None);
            }
            if self.columns.is_empty() || self.blocks.header.rows.is_empty() {
                self.without_bytes = group.rows;
            } else {
                self.decoder = Some(self.decode(group)?);
            }
        }
    }

    fn decode(&self, group: Group) -> Result<Decoder> {
        let header = &self.blocks.header;
        let mut head = header.plain.clone();
        write_number(group.rows, &mut head);
        write_number(group.bytes.len() as u64, &mut head);
        let file = Cursor::new(head)
            .chain(Cursor::new(group.bytes))
            .chain(Cursor::new(header.mark));
        let mut builder = ReaderBuilder::new().with_batch_size(self.batch_size);
        let all = self
            .columns
            .iter()
            .copied()
            .eq(0..header.columns.fields().len());
        if !all {
            builder = builder.with_projection(self.columns.clone());
        }
        let path = self.blocks.file.path();
        let file: GroupFile = Box::new(file);
        let rows = guarded(path, || builder.build(file))?;
        let adapter =
            BatchAdapterFactory::new(Arc::clone(&self.schema)).make_adapter(&rows.schema())?;
        Ok(Decoder { rows, adapter })
    }

    fn batch_without_bytes(&mut self) -> Result<RecordBatch> {
        let count = self.without_bytes.min(self.batch_size as u64);
        self.without_bytes -= count;
        let count = usize::try_from(count).unwrap_or(self.batch_size);
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| empty_column(field.data_type(), count))
            .collect::<Option<Vec<_>>>();
        let columns = columns.ok_or_else(|| {
            DataFusionError::NotImplemented(format!(
                "`{}` has columns whose values take no bytes and are not NULL",
                self.blocks.file.path()
            ))
        })?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }
}

impl Decoder {
    fn next(&mut self, path: &str) -> Result<Option<RecordBatch>> {
        let batch = guarded(path, || self.rows.next().transpose())?;
        batch
            .map(|batch| self.adapter.adapt_batch(&batch))
            .transpose()
    }
}

/// Makes a column whose values take no bytes: NULL, or structs of nothing else.
fn empty_column(data_type: &DataType, rows: usize) -> Option<ArrayRef> {
    match data_type {
        DataType::Null => Some(new_null_array(data_type, rows)),
        DataType::Struct(fields) => {
            let columns = fields
                .iter()
                .map(|field| empty_column(field.data_type(), rows))
                .collect::<Option<Vec<_>>>()?;
            let column =
                StructArray::try_new_with_length(fields.clone(), columns, None, rows).ok()?;
            Some(Arc::new(column))
        }
        _ => None,
    }
}

/// Lets the library decode something; a panic and an error name the file.
fn guarded<T>(path: &str, work: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
    let done = catch_unwind(AssertUnwindSafe(work));
    let done = done.map_err(|_| broken(path, "what is in it cannot be decoded"))?;
    done.map_err(|error| {
        let how = format!("a block in it cannot be decoded: {}", said(&error));
        broken(path, &how)
    })
}

impl fmt::Debug for CheckedAvroSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CheckedAvroSource")
    }
}
