//! All rows of one partition in, the same rows sorted out.

use std::fmt;
use std::future::ready;
use std::iter;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::interleave_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::buckets::{Buckets, Counts, Layout};
use super::key::Column;

/// The operators that took over from an operator of this crate, kept for their metrics.
pub(super) type TakenOver = Arc<Mutex<Vec<Arc<SortExec>>>>;

/// The sort of one partition.
pub(super) struct Sorter {
    pub(super) input: SendableRecordBatchStream,
    pub(super) order: LexOrdering,
    pub(super) reservation: MemoryReservation,
    pub(super) metrics: BaselineMetrics,
    pub(super) context: Arc<TaskContext>,
    pub(super) taken_over: TakenOver,
}

impl Sorter {
    /// Returns the sorted rows; all of the input is read before the first of them.
    pub(super) fn stream(self) -> SendableRecordBatchStream {
        let schema = self.input.schema();
        let sorted = stream::once(self.sort()).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(schema, sorted))
    }

    async fn sort(mut self) -> Result<SendableRecordBatchStream> {
        let mut held = Held::new(&self.order);
        while let Some(batch) = self.input.next().await.transpose()? {
            if batch.num_rows() == 0 {
                continue;
            }
            let elapsed = self.metrics.elapsed_compute().clone();
            let _timer = elapsed.timer();
            let granted = self.reservation.try_grow(needed_bytes(&batch));
            held.push(batch, &self.order)?;
            match granted {
                Ok(()) => {}
                Err(error) if is_refusal(&error) => return self.spill(held),
                Err(error) => return Err(error),
            }
        }
        let elapsed = self.metrics.elapsed_compute().clone();
        let timer = elapsed.timer();
        let Some(buckets) = held.buckets(&self.order)? else {
            return self.spill(held);
        };
        timer.done();
        Ok(self.emit(held.batches, buckets))
    }

    fn emit(self, batches: Vec<RecordBatch>, mut buckets: Buckets) -> SendableRecordBatchStream {
        let rows = self.context.session_config().batch_size();
        let schema = self.input.schema();
        let sorted = iter::from_fn(move || {
            // The memory is in use until the last row has gone out.
            let _held = &self.reservation;
            let elapsed = self.metrics.elapsed_compute().clone();
            let _timer = elapsed.timer();
            let places = buckets.take(rows);
            if places.is_empty() {
                return None;
            }
            let batches: Vec<_> = batches.iter().collect();
            let sorted = interleave_record_batch(&batches, &places).map_err(DataFusionError::from);
            Some(sorted.record_output(&self.metrics))
        });
        let sorted = RecordBatchStreamAdapter::new(schema, stream::iter(sorted));
        Box::pin(cooperative(sorted))
    }

    /// Gives all rows to DataFusion's operator, which can spill.
    fn spill(self, held: Held) -> Result<SendableRecordBatchStream> {
        let schema = self.input.schema();
        let reservation = self.reservation;
        let held = held.batches.into_iter().map(move |batch| {
            // What was refused was never held.
            reservation.shrink(needed_bytes(&batch).min(reservation.size()));
            Ok(batch)
        });
        let all = stream::iter(held).chain(self.input);
        let all = RecordBatchStreamAdapter::new(Arc::clone(&schema), all);
        let source: Arc<dyn PartitionStream> = Arc::new(Once::new(Box::pin(all)));
        let source = StreamingTableExec::try_new(schema, vec![source], None, [], false, None)?;
        let sort = Arc::new(SortExec::new(self.order, Arc::new(source)));
        let mut taken_over = self
            .taken_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken_over.push(Arc::clone(&sort));
        drop(taken_over);
        sort.execute(0, self.context)
    }
}

/// The bytes of a batch and of the numbers of its rows.
fn needed_bytes(batch: &RecordBatch) -> usize {
    get_record_batch_memory_size(batch) + batch.num_rows() * size_of::<u128>()
}

fn is_refusal(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// The rows that have come, and the ranges of their keys.
struct Held {
    batches: Vec<RecordBatch>,
    columns: Vec<Column>,
    rows: usize,
}

impl Held {
    fn new(order: &LexOrdering) -> Self {
        Self {
            batches: Vec::new(),
            columns: order.iter().map(|key| Column::new(key.options)).collect(),
            rows: 0,
        }
    }

    fn push(&mut self, batch: RecordBatch, order: &LexOrdering) -> Result<()> {
        for (column, key) in self.columns.iter_mut().zip(order) {
            column.see(&key.evaluate_to_sort_column(&batch)?.values)?;
        }
        self.rows += batch.num_rows();
        self.batches.push(batch);
        Ok(())
    }

    /// Distributes the rows, or returns `None` where their keys are too wide.
    fn buckets(&self, order: &LexOrdering) -> Result<Option<Buckets>> {
        let longest = self.batches.iter().map(RecordBatch::num_rows).max();
        let longest = longest.unwrap_or(0);
        let layout = Layout::new(&self.columns, self.batches.len(), longest, self.rows);
        let Some(layout) = layout else {
            return Ok(None);
        };
        // Computing the keys twice costs less than a second array of all of them.
        let mut counts = Counts::new(layout);
        let mut keys = Vec::with_capacity(longest);
        for batch in &self.batches {
            self.keys(batch, order, &mut keys)?;
            counts.add(&keys);
        }
        let mut buckets = counts.into_buckets();
        for (place, batch) in self.batches.iter().enumerate() {
            self.keys(batch, order, &mut keys)?;
            buckets.fill(&keys, place);
        }
        Ok(Some(buckets))
    }

    fn keys(&self, batch: &RecordBatch, order: &LexOrdering, keys: &mut Vec<u128>) -> Result<()> {
        keys.clear();
        keys.resize(batch.num_rows(), 0);
        for (column, key) in self.columns.iter().zip(order) {
            column.append(&key.evaluate_to_sort_column(batch)?.values, keys)?;
        }
        Ok(())
    }
}

/// A stream as the source of a plan that is run once.
struct Once {
    schema: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl Once {
    fn new(stream: SendableRecordBatchStream) -> Self {
        Self {
            schema: stream.schema(),
            stream: Mutex::new(Some(stream)),
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.take().unwrap_or_else(|| {
            let error = internal_datafusion_err!("the rows of a sort were asked for twice");
            let failed = stream::once(ready(Err(error)));
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.schema),
                failed,
            ))
        })
    }
}
