//! Scans CSV files with a reader of our own, which holds as much of a file as memory allows.
//!
//! DataFusion's reader makes room for a batch of 8192 records however many columns there are, and holds a
//! record however long it is.

use std::fmt;
use std::io::BufReader;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::config::CsvOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use datafusion_datasource::TableSchema;
use datafusion_datasource::boundary_stream::AlignedBoundaryStream;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::bounded::{Bounded, Bounds, Delimited};

/// The decoder makes room for so many values at most.
const VALUES_IN_A_BATCH: usize = 1 << 19;

/// CSV files that are read alike.
#[derive(Debug)]
pub(super) struct BoundedCsv {
    pub(super) options: CsvOptions,
    pub(super) bounds: Bounds,
    /// How many bytes a record has on average.
    pub(super) record: usize,
}

impl BoundedCsv {
    fn library(&self) -> CsvFormat {
        CsvFormat::default().with_options(self.options.clone())
    }
}

#[async_trait]
impl FileFormat for BoundedCsv {
    fn get_ext(&self) -> String {
        self.library().get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.library().get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.options.compression.into())
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        self.library().infer_schema(state, store, files).await
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
        let config = FileScanConfigBuilder::from(config)
            .with_file_compression_type(self.options.compression.into())
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(BoundedCsvSource {
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            options: self.options.clone(),
            bounds: self.bounds.clone(),
            record: self.record,
            batch_size: None,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

#[derive(Clone)]
struct BoundedCsvSource {
    table_schema: TableSchema,
    projection: SplitProjection,
    options: CsvOptions,
    bounds: Bounds,
    record: usize,
    batch_size: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for BoundedCsvSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let file_schema = self.table_schema.file_schema();
        let batch = self.batch_size.or(config.batch_size).unwrap_or(8192);
        let wide = VALUES_IN_A_BATCH / file_schema.fields().len().max(1);
        let batch = self.bounds.batch(batch, self.record).min(wide).max(1);
        let opener = Arc::new(BoundedCsvOpener {
            store,
            options: self.options.clone(),
            bounds: self.bounds.clone(),
            columns: Arc::clone(file_schema),
            read: self.projection.file_indices.clone(),
            batch,
        });
        ProjectionOpener::try_new(self.projection.clone(), opener, file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self {
            batch_size: Some(batch_size),
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
        "csv"
    }

    // Where values may span lines, a place in the file does not tell where a record begins.
    fn supports_repartitioning(&self) -> bool {
        !self.options.newlines_in_values.unwrap_or(false)
    }

    fn fmt_extra(
        &self,
        style: DisplayFormatType,
        formatter: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        match style {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                let header = self.options.has_header.unwrap_or(true);
                write!(formatter, ", has_header={header}")
            }
            DisplayFormatType::TreeRender => Ok(()),
        }
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

/// Opens one file or a range of one.
struct BoundedCsvOpener {
    store: Arc<dyn ObjectStore>,
    options: CsvOptions,
    bounds: Bounds,
    /// All columns of the files.
    columns: SchemaRef,
    /// Those that are asked for.
    read: Vec<usize>,
    batch: usize,
}

impl BoundedCsvOpener {
    fn decoder(&self, file: &PartitionedFile) -> Bounded<Delimited> {
        // Only the first range of a file begins with its header.
        let begins = file.range.as_ref().is_none_or(|range| range.start == 0);
        let options = &self.options;
        let mut builder = ReaderBuilder::new(Arc::clone(&self.columns))
            .with_delimiter(options.delimiter)
            .with_batch_size(self.batch)
            .with_header(options.has_header.unwrap_or(true) && begins)
            .with_quote(options.quote)
            .with_truncated_rows(options.truncated_rows.unwrap_or(false))
            .with_projection(self.read.clone());
        if let Some(terminator) = options.terminator {
            builder = builder.with_terminator(terminator);
        }
        if let Some(escape) = options.escape {
            builder = builder.with_escape(escape);
        }
        if let Some(comment) = options.comment {
            builder = builder.with_comment(comment);
        }
        let decoder = Delimited {
            inner: builder.build_decoder(),
            batch: self.batch,
        };
        self.bounds.decoder(decoder, &file.object_meta.location)
    }
}

impl FileOpener for BoundedCsvOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let opened = open(
            Arc::clone(&self.store),
            self.options.compression.into(),
            self.options.terminator.unwrap_or(b'\n'),
            self.decoder(&file),
            file,
        );
        Ok(Box::pin(opened))
    }
}

async fn open(
    store: Arc<dyn ObjectStore>,
    compression: FileCompressionType,
    terminator: u8,
    decoder: Bounded<Delimited>,
    file: PartitionedFile,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let meta = &file.object_meta;
    if let Some(range) = &file.range {
        let outside = |_| DataFusionError::Internal("a range lies outside its file".to_owned());
        let begin = u64::try_from(range.start).map_err(outside)?;
        let end = u64::try_from(range.end).map_err(outside)?;
        let location = meta.location.clone();
        let bytes =
            AlignedBoundaryStream::new(store, location, begin, end, meta.size, terminator).await?;
        let bytes = bytes.map_err(DataFusionError::from).boxed();
        return Ok(decoder.stream(bytes).boxed());
    }
    let got = store.get(&meta.location).await?;
    match got.payload {
        GetResultPayload::File(file, _) => {
            let bytes = BufReader::new(compression.convert_read(file)?);
            Ok(futures::stream::iter(decoder.read(bytes)).boxed())
        }
        GetResultPayload::Stream(bytes) => {
            let bytes = bytes.map_err(DataFusionError::from).boxed();
            Ok(decoder.stream(compression.convert_stream(bytes)?).boxed())
        }
    }
}

impl fmt::Debug for BoundedCsvSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BoundedCsvSource")
    }
}
