//! Scans JSON files with a reader of our own: text columns take numbers as they are written, and of a
//! file that was not looked at as a whole no key and no digit is lost.
//!
//! DataFusion's reader refuses a number in a text column, leaves out keys that its schema lacks and cuts
//! numbers that do not fit.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::Decoder;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::TableSchema;
use datafusion_datasource::boundary_stream::AlignedBoundaryStream;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion_datasource_json::utils::JsonArrayToNdjsonReader;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::mpsc;

use super::exact::{exact, with_text};
use crate::bounded::{Bounded, Bounds};

/// How records of a file are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) compression: FileCompressionType,
    /// One record a line, or one array of all.
    pub(super) lines: bool,
    /// Whether numbers are compared with their columns, which the look at the file did not do.
    pub(super) checked: bool,
    /// Whether a key that is no column is an error.
    pub(super) complete: bool,
}

/// JSON files that are read alike.
#[derive(Debug)]
pub(super) struct ExactJson {
    pub(super) reading: Reading,
    pub(super) bounds: Bounds,
    /// How many bytes a record has on average.
    pub(super) record: usize,
}

#[async_trait]
impl FileFormat for ExactJson {
    fn get_ext(&self) -> String {
        JsonFormat::default().get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        JsonFormat::default().get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.reading.compression)
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        JsonFormat::default()
            .with_newline_delimited(self.reading.lines)
            .with_file_compression_type(self.reading.compression)
            .infer_schema(state, store, files)
            .await
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
        state: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        JsonFormat::default()
            .with_file_compression_type(self.reading.compression)
            .create_physical_plan(state, config)
            .await
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(ExactJsonSource {
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            reading: self.reading,
            bounds: self.bounds.clone(),
            record: self.record,
            batch_size: None,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

#[derive(Clone)]
struct ExactJsonSource {
    table_schema: TableSchema,
    projection: SplitProjection,
    reading: Reading,
    bounds: Bounds,
    record: usize,
    batch_size: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for ExactJsonSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let batch_size = self.batch_size.or(config.batch_size).unwrap_or(8192);
        let file_schema = self.table_schema.file_schema();
        let opener = Arc::new(ExactJsonOpener {
            store,
            reading: self.reading,
            batch_size: self.bounds.batch(batch_size, self.record),
            bounds: self.bounds.clone(),
            all: Arc::clone(file_schema),
            read: self.projection.file_indices.clone(),
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
        "json"
    }

    fn supports_repartitioning(&self) -> bool {
        self.reading.lines && !self.reading.compression.is_compressed()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

/// Opens one file or a range of one.
struct ExactJsonOpener {
    store: Arc<dyn ObjectStore>,
    reading: Reading,
    batch_size: usize,
    bounds: Bounds,
    /// All columns of the files.
    all: SchemaRef,
    /// Those that are asked for.
    read: Vec<usize>,
}

/// Makes rows of records.
#[derive(Clone)]
struct Rows {
    /// The columns that are read, numbers as text where they are checked.
    given: SchemaRef,
    /// The same columns as they are wanted.
    wanted: SchemaRef,
    /// Which of them are asked for.
    kept: Vec<usize>,
    reading: Reading,
    batch_size: usize,
    bounds: Bounds,
    location: Path,
}

impl Rows {
    fn decoder(&self) -> Result<Bounded<Decoder>> {
        let decoder = ReaderBuilder::new(Arc::clone(&self.given))
            .with_batch_size(self.batch_size)
            .with_coerce_primitive(true)
            .with_strict_mode(self.reading.complete)
            .build_decoder()?;
        Ok(self.bounds.decoder(decoder, &self.location))
    }

    fn finish(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let rows = match self.reading.checked {
            true => exact(&rows, &self.wanted)?,
            false => rows,
        };
        Ok(rows.project(&self.kept)?)
    }

    fn read(
        self,
        reader: impl BufRead + Send + 'static,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let rows = self.decoder()?.read(reader);
        let rows = rows.map(move |rows| self.finish(rows.map_err(explain)?));
        Ok(futures::stream::iter(rows).boxed())
    }
}

/// Adds what to do about a key that came late.
fn explain(error: DataFusionError) -> DataFusionError {
    match &error {
        DataFusionError::ArrowError(said, _)
            if said.to_string().contains("missing from schema") =>
        {
            let said = match said.as_ref() {
                ArrowError::JsonError(said) => said.clone(),
                other => other.to_string(),
            };
            DataFusionError::Execution(format!(
                "{said}; it first comes behind the records that were looked at: `sample_size => -1` looks at all"
            ))
        }
        _ => error,
    }
}

impl FileOpener for ExactJsonOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let store = Arc::clone(&self.store);
        let reading = self.reading;
        // Only a look at all columns tells a key that is no column from one that is not asked for.
        let (wanted, kept) = match reading.complete {
            true => (Arc::clone(&self.all), self.read.clone()),
            false => (
                Arc::new(self.all.project(&self.read)?),
                (0..self.read.len()).collect(),
            ),
        };
        let given = match reading.checked {
            true => with_text(&wanted),
            false => Arc::clone(&wanted),
        };
        let rows = Rows {
            given,
            wanted,
            kept,
            reading,
            batch_size: self.batch_size,
            bounds: self.bounds.clone(),
            location: file.object_meta.location.clone(),
        };
        Ok(Box::pin(open(store, file, rows)))
    }
}

async fn open(
    store: Arc<dyn ObjectStore>,
    file: PartitionedFile,
    rows: Rows,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let compression = rows.reading.compression;
    let meta = &file.object_meta;
    if let Some(range) = &file.range {
        let outside = |_| DataFusionError::Internal("a range lies outside its file".to_owned());
        let begin = u64::try_from(range.start).map_err(outside)?;
        let end = u64::try_from(range.end).map_err(outside)?;
        let location = meta.location.clone();
        let bytes =
            AlignedBoundaryStream::new(store, location, begin, end, meta.size, b'\n').await?;
        return lines(bytes.map_err(DataFusionError::from).boxed(), rows);
    }
    let got = store.get(&meta.location).await?;
    match got.payload {
        GetResultPayload::File(file, _) => {
            let bytes = compression.convert_read(file)?;
            match rows.reading.lines {
                true => rows.read(BufReader::new(bytes)),
                false => rows.read(JsonArrayToNdjsonReader::new(bytes)),
            }
        }
        GetResultPayload::Stream(bytes) => {
            let bytes = bytes.map_err(DataFusionError::from).boxed();
            let bytes = compression.convert_stream(bytes)?;
            match rows.reading.lines {
                true => lines(bytes, rows),
                false => Ok(array(bytes, rows)),
            }
        }
    }
}

fn lines(
    bytes: BoxStream<'static, Result<bytes::Bytes>>,
    rows: Rows,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let decoded = rows.decoder()?.stream(bytes);
    let finished = decoded.map(move |batch| rows.finish(batch.map_err(explain)?));
    Ok(finished.boxed())
}

/// Reads one array from a store that gives it in pieces, on a thread that may wait for them.
fn array(
    bytes: BoxStream<'static, Result<bytes::Bytes>>,
    rows: Rows,
) -> BoxStream<'static, Result<RecordBatch>> {
    let (send, receive) = mpsc::channel(2);
    let pieces = Pieces {
        bytes,
        current: bytes::Bytes::new(),
        runtime: tokio::runtime::Handle::current(),
    };
    tokio::task::spawn_blocking(move || {
        let reader = JsonArrayToNdjsonReader::new(pieces);
        let decoder = match rows.decoder() {
            Ok(decoder) => decoder,
            Err(error) => {
                let _ = send.blocking_send(Err(error));
                return;
            }
        };
        for batch in decoder.read(reader) {
            let finished = batch.map_err(explain).and_then(|batch| rows.finish(batch));
            // Nobody waits for the rest of a query that was cut off.
            if send.blocking_send(finished).is_err() {
                return;
            }
        }
    });
    futures::stream::unfold(receive, |mut receive| async {
        let next = receive.recv().await?;
        Some((next, receive))
    })
    .boxed()
}

/// Bytes that come in pieces, read as one text.
struct Pieces {
    bytes: BoxStream<'static, Result<bytes::Bytes>>,
    current: bytes::Bytes,
    runtime: tokio::runtime::Handle,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.runtime.block_on(self.bytes.next()) {
                Some(piece) => self.current = piece.map_err(std::io::Error::other)?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

impl fmt::Debug for ExactJsonSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ExactJsonSource")
    }
}
