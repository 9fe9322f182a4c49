//! Writes a partitioned result one folder at a time, for results with more folders than fit at once.
//!
//! DataFusion's writer keeps a file open for each partition value until the end. That is fastest, and
//! it is what COPY tries first; with hundreds of values it runs out of memory or of open files. Here
//! the rows are sorted by the partition columns, which spills, and one file is open at a time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::DataFusionError;
use datafusion::common::cast::as_string_array;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::provider_as_source;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, SortExpr, ident};
use datafusion::physical_plan::execute_stream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;
use lakesh_text::erased::Erased;
use object_store::path::PathPart;
use tokio::sync::mpsc;
use url::Url;
use uuid::Uuid;

use super::options::CopyOptions;
use super::{files_plan, named_partitions};

/// How many batches wait for a file's writer.
const WAITING_BATCHES: usize = 2;

/// Writes the rows of a query below a URL and returns how many there were.
pub(super) async fn write_by_folder(
    state: Erased<SessionState>,
    input: Erased<LogicalPlan>,
    url: String,
    options: &CopyOptions,
) -> Result<u64, DataFusionError> {
    let sorted = Erased::new(sorted_plan(&input, &options.partition_columns)?);
    let physical = state.create_physical_plan(&sorted).await?;
    let schema = physical.schema();
    let partition_columns = options
        .partition_columns
        .iter()
        .map(|name| schema.index_of(name))
        .collect::<Result<Vec<usize>, _>>()?;
    let kept: Vec<usize> = (0..schema.fields().len())
        .filter(|column| !partition_columns.contains(column))
        .collect();
    let written = Arc::new(schema.project(&kept)?);
    let mut rows = execute_stream(physical, state.task_ctx())?;
    let mut total = 0;
    let mut open: Option<(Vec<String>, OpenFile)> = None;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let keys = keys(&batch, &partition_columns)?;
        for range in partition(&keys)?.ranges() {
            let values = values_at(&keys, range.start)?;
            if open.as_ref().is_none_or(|(current, _)| *current != values) {
                if let Some((_, file)) = open.take() {
                    total += file.close().await?;
                }
                let place = file_url(&url, &options.partition_columns, &values, options)?;
                let file = OpenFile::begin(&state, &written, place, options)?;
                open = Some((values, file));
            }
            let part = batch
                .slice(range.start, range.end - range.start)
                .project(&kept)?;
            if let Some((values, file)) = open.take() {
                if file.batches.send(part).await.is_err() {
                    // The writer ended early: it has the reason.
                    file.close().await?;
                    return Err(DataFusionError::Internal("a writer ended early".to_owned()));
                }
                open = Some((values, file));
            }
        }
    }
    if let Some((_, file)) = open {
        total += file.close().await?;
    }
    Ok(total)
}

/// Sorts by the partition columns, then by the order that the query asks for.
fn sorted_plan(
    input: &LogicalPlan,
    partition_columns: &[String],
) -> Result<LogicalPlan, DataFusionError> {
    let mut order: Vec<SortExpr> = partition_columns
        .iter()
        .map(|name| ident(name).sort(true, false))
        .collect();
    if let LogicalPlan::Sort(sort) = input
        && sort.fetch.is_none()
    {
        let by_others = sort.expr.iter().filter(|by| {
            let columns = by.expr.column_refs();
            !columns
                .iter()
                .any(|column| partition_columns.contains(&column.name))
        });
        order.extend(by_others.cloned());
    }
    LogicalPlanBuilder::from(named_partitions(input, partition_columns)?)
        .sort(order)?
        .build()
}

/// The partition columns as text, as they stand in the names of folders.
fn keys(batch: &RecordBatch, columns: &[usize]) -> Result<Vec<ArrayRef>, DataFusionError> {
    columns
        .iter()
        .map(|column| Ok(cast(batch.column(*column), &DataType::Utf8)?))
        .collect()
}

fn values_at(keys: &[ArrayRef], row: usize) -> Result<Vec<String>, DataFusionError> {
    keys.iter()
        .map(|key| {
            let key = as_string_array(key)?;
            debug_assert!(key.is_valid(row), "NULL has a name by now");
            Ok(key.value(row).to_owned())
        })
        .collect()
}

/// The place of a new file in the folder of some partition values.
fn file_url(
    base: &str,
    columns: &[String],
    values: &[String],
    options: &CopyOptions,
) -> Result<String, DataFusionError> {
    let wrong = || DataFusionError::Plan(format!("cannot write below `{base}`"));
    let mut url = Url::parse(base).map_err(|_| wrong())?;
    {
        let mut segments = url.path_segments_mut().map_err(|()| wrong())?;
        segments.pop_if_empty();
        for (column, value) in columns.iter().zip(values) {
            // Encoded as part of an object's path, and once more as part of a URL.
            segments.push(PathPart::from(format!("{column}={value}")).as_ref());
        }
        segments.push(&format!("{}.{}", Uuid::new_v4().simple(), options.writer()));
    }
    Ok(url.to_string())
}

/// A file that is being written.
struct OpenFile {
    batches: mpsc::Sender<RecordBatch>,
    writer: SpawnedTask<Result<u64, DataFusionError>>,
}

impl OpenFile {
    fn begin(
        state: &Erased<SessionState>,
        schema: &SchemaRef,
        url: String,
        options: &CopyOptions,
    ) -> Result<Self, DataFusionError> {
        let (batches, receiver) = mpsc::channel(WAITING_BATCHES);
        let rows = ReceivedRows {
            schema: Arc::clone(schema),
            receiver: Mutex::new(Some(receiver)),
        };
        let table = StreamingTable::try_new(Arc::clone(schema), vec![Arc::new(rows)])?;
        let scan =
            LogicalPlanBuilder::scan("rows", provider_as_source(Arc::new(table)), None)?.build()?;
        let plan = Erased::new(files_plan(state, scan, url, Vec::new(), options)?);
        let state = state.clone();
        let writer =
            SpawnedTask::spawn(async move { lakesh_session::count_rows(&state, &plan).await });
        Ok(Self { batches, writer })
    }

    /// Waits until everything is written; returns the number of rows.
    async fn close(self) -> Result<u64, DataFusionError> {
        drop(self.batches);
        self.writer.join().await.map_err(|error| {
            DataFusionError::Context(
                "writing".to_owned(),
                Box::new(DataFusionError::External(error.into())),
            )
        })?
    }
}

/// The rows that are handed to a file's writer, as a table that can be scanned once.
struct ReceivedRows {
    schema: SchemaRef,
    receiver: Mutex<Option<mpsc::Receiver<RecordBatch>>>,
}

impl fmt::Debug for ReceivedRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("rows of a partition")
    }
}

impl PartitionStream for ReceivedRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let receiver = self
            .receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let rows = futures::stream::unfold(receiver, |receiver| async move {
            let mut receiver = receiver?;
            let batch = receiver.recv().await?;
            Some((Ok(batch), Some(receiver)))
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        ))
    }
}
