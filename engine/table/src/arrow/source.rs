//! Scans Arrow IPC files with a reader of our own, which holds one batch at a time and believes no length.
//!
//! DataFusion's reader asks for as much memory as a file says that it needs.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::root_as_message;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::TableSchema;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::StreamExt;
use object_store::{ObjectMeta, ObjectStore};

use super::decode::Decoder;
use super::read::{Block, Kind, Parts, description};
use crate::file_parts::broken;

/// Arrow files that are written alike.
#[derive(Debug)]
pub(super) struct CheckedArrow {
    pub(super) kind: Kind,
    /// What stands before a path of the store where it is shown.
    pub(super) root: String,
    pub(super) pool: Arc<dyn MemoryPool>,
}

#[async_trait]
impl FileFormat for CheckedArrow {
    fn get_ext(&self) -> String {
        ArrowFormat.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        ArrowFormat.get_ext_with_compression(compression)
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
        let mut parts = Parts::new(Arc::clone(store), first, path);
        parts.schema(self.kind).await
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
        Arc::new(CheckedArrowSource {
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            kind: self.kind,
            root: self.root.clone(),
            pool: Arc::clone(&self.pool),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

#[derive(Clone)]
struct CheckedArrowSource {
    table_schema: TableSchema,
    projection: SplitProjection,
    kind: Kind,
    root: String,
    pool: Arc<dyn MemoryPool>,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for CheckedArrowSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let opener = Arc::new(CheckedArrowOpener {
            store,
            kind: self.kind,
            root: self.root.clone(),
            pool: Arc::clone(&self.pool),
            columns: self.projection.file_indices.clone(),
        });
        let file_schema = self.table_schema.file_schema();
        ProjectionOpener::try_new(self.projection.clone(), opener, file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, _batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(self.clone())
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
        match self.kind {
            Kind::File => "arrow",
            Kind::Stream => "arrow_stream",
        }
    }

    fn supports_repartitioning(&self) -> bool {
        self.kind == Kind::File
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

/// Opens one file or a range of one.
struct CheckedArrowOpener {
    store: Arc<dyn ObjectStore>,
    kind: Kind,
    root: String,
    pool: Arc<dyn MemoryPool>,
    columns: Vec<usize>,
}

impl FileOpener for CheckedArrowOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let path = format!("{}{}", self.root, file.object_meta.location);
        let mut parts = Parts::new(Arc::clone(&self.store), &file.object_meta, path.clone());
        let (kind, pool, columns) = (self.kind, Arc::clone(&self.pool), self.columns.clone());
        Ok(Box::pin(async move {
            let (schema, rest) = match kind {
                Kind::Stream => {
                    let (schema, begin) = parts.head().await?;
                    (schema, Rest::Stream(begin))
                }
                Kind::File => {
                    let footer = parts.footer().await?;
                    let ours = |block: &Block| match &file.range {
                        None => true,
                        Some(range) => i64::try_from(block.begin)
                            .is_ok_and(|begin| (range.start..range.end).contains(&begin)),
                    };
                    let batches = footer.batches.into_iter().filter(ours);
                    let blocks = footer.dictionaries.into_iter().chain(batches);
                    (footer.schema, Rest::Blocks(blocks.collect()))
                }
            };
            let decoder = Decoder::new(path, schema, columns, &pool);
            let batches = Batches {
                parts,
                decoder,
                rest,
            };
            let rows = futures::stream::try_unfold(batches, |mut batches| async move {
                let batch = batches.next().await?;
                Ok::<_, DataFusionError>(batch.map(|batch| (batch, batches)))
            });
            Ok(rows.boxed())
        }))
    }
}

/// What of a file is still to be read.
enum Rest {
    Blocks(VecDeque<Block>),
    /// The messages from here on.
    Stream(u64),
}

/// The batches of one file.
struct Batches {
    parts: Parts,
    decoder: Decoder,
    rest: Rest,
}

impl Batches {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let at = match &self.rest {
                Rest::Stream(at) => Some(*at),
                Rest::Blocks(_) => None,
            };
            let more = match at {
                Some(at) => self.message(at).await?,
                None => self.block().await?,
            };
            match more {
                None => return Ok(None),
                Some(None) => {}
                Some(batch) => return Ok(batch),
            }
        }
    }

    /// Reads the next block of a file with a footer; `None` at the end, `Some(None)` of a dictionary.
    async fn block(&mut self) -> Result<Option<Option<RecordBatch>>> {
        let Rest::Blocks(blocks) = &mut self.rest else {
            return Ok(None);
        };
        let Some(block) = blocks.pop_front() else {
            return Ok(None);
        };
        self.reserve(block.about + block.body)?;
        let begin = block.begin + block.about;
        let all = self.parts.get(block.begin..begin + block.body).await?;
        let about = usize::try_from(block.about).unwrap_or(usize::MAX);
        let body = Buffer::from(all.slice(about..));
        let about = description(&all[..about])
            .ok_or_else(|| broken(self.decoder.path(), "a batch in it has no description"))?;
        self.decoder.decode(about, &body).map(Some)
    }

    /// Reads the message of a stream that begins here.
    async fn message(&mut self, at: u64) -> Result<Option<Option<RecordBatch>>> {
        let Some((about, begin)) = self.parts.about(at).await? else {
            return Ok(None);
        };
        let length = root_as_message(&about)
            .ok()
            .and_then(|message| u64::try_from(message.bodyLength()).ok());
        let end = length
            .and_then(|length| begin.checked_add(length))
            .filter(|end| *end <= self.parts.size())
            .ok_or_else(|| broken(self.decoder.path(), "it ends in a batch"))?;
        self.reserve(end - begin)?;
        let body = Buffer::from(self.parts.get(begin..end).await?);
        self.rest = Rest::Stream(end);
        self.decoder.decode(&about, &body).map(Some)
    }

    fn reserve(&self, bytes: u64) -> Result<()> {
        self.decoder
            .reserve(usize::try_from(bytes).unwrap_or(usize::MAX))
    }
}

impl fmt::Debug for CheckedArrowSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CheckedArrowSource")
    }
}
