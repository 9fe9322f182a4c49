//! Gathers the rows of a partition, computes its window functions, and gives them on.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::{SortColumn, concat, concat_batches};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::utils::evaluate_partition_ranges;
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use futures::{Stream, StreamExt, stream};

/// Rows are held as they came and joined once more to be computed.
const COPIES: usize = 2;

/// The state of one partition of the operator.
pub(super) struct Gathering {
    expressions: Vec<Arc<dyn WindowExpr>>,
    /// What tells partitions of the window apart.
    keys: Vec<PhysicalSortExpr>,
    schema: SchemaRef,
    reservation: MemoryReservation,
    batch_size: usize,
    metrics: BaselineMetrics,
    /// The rows of partitions that are not computed yet; the last one may go on.
    held: Vec<RecordBatch>,
    /// The key of the partition that may go on.
    open: Option<Vec<ScalarValue>>,
    /// Computed rows that wait to be taken.
    ready: VecDeque<RecordBatch>,
    ended: bool,
}

impl Gathering {
    pub(super) fn new(
        expressions: Vec<Arc<dyn WindowExpr>>,
        keys: Vec<PhysicalSortExpr>,
        schema: SchemaRef,
        reservation: MemoryReservation,
        batch_size: usize,
        metrics: BaselineMetrics,
    ) -> Self {
        Self {
            expressions,
            keys,
            schema,
            reservation,
            batch_size: batch_size.max(1),
            metrics,
            held: Vec::new(),
            open: None,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// Returns the rows with the window functions' columns behind them.
    pub(super) fn run(
        self,
        input: SendableRecordBatchStream,
    ) -> impl Stream<Item = Result<RecordBatch>> {
        stream::try_unfold((self, Some(input)), |(mut state, mut input)| async move {
            loop {
                if let Some(batch) = state.ready.pop_front() {
                    let batch = batch.record_output(&state.metrics);
                    return Ok(Some((batch, (state, input))));
                }
                if state.held.is_empty() {
                    state.reservation.free();
                }
                let Some(rows) = &mut input else {
                    return Ok(None);
                };
                match rows.next().await {
                    Some(batch) => state.take(batch?)?,
                    None => {
                        // The inputs' own memory goes before the last rows are computed.
                        input = None;
                        state.finish()?;
                    }
                }
            }
        })
    }

    /// Takes rows; computes those before them whose partitions are whole by now.
    fn take(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let keys = self.keys_of(&batch)?;
        let ranges = ranges_of(&batch, &keys)?;
        let last = ranges.last().map_or(0, |range| range.start);
        let starts_anew = match (&self.open, keys.is_empty()) {
            (Some(open), false) => *open != key_at(&keys, 0)?,
            _ => false,
        };
        // The first row of the partition that may go on after this batch.
        let whole = match (starts_anew, last) {
            (_, last) if last > 0 => last,
            (true, _) => 0,
            (false, _) => return self.hold(batch, &keys),
        };
        if whole > 0 {
            self.hold(batch.slice(0, whole), &keys)?;
        }
        self.compute()?;
        self.hold(batch.slice(whole, batch.num_rows() - whole), &keys)
    }

    fn hold(&mut self, batch: RecordBatch, keys: &[SortColumn]) -> Result<()> {
        if let Some(values) = keys.first().map(|key| key.values.len()) {
            self.open = Some(key_at(keys, values - 1)?);
        }
        let bytes = size_of(&batch)?;
        self.reservation.try_grow(bytes * COPIES)?;
        self.held.push(batch);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.ended, true) {
            self.compute()?;
        }
        Ok(())
    }

    /// Computes what is held, which is one partition or several whole ones.
    fn compute(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let Some(first) = held.first() else {
            return Ok(());
        };
        let timer = self.metrics.elapsed_compute().clone();
        let _timer = timer.timer();
        let rows = concat_batches(&first.schema(), &held)?;
        drop(held);
        let keys = self.keys_of(&rows)?;
        let mut columns = rows.columns().to_vec();
        let ranges = ranges_of(&rows, &keys)?;
        for expression in &self.expressions {
            let parts = ranges
                .iter()
                .map(|range| expression.evaluate(&rows.slice(range.start, range.len())))
                .collect::<Result<Vec<ArrayRef>>>()?;
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            let column = concat(&parts)?;
            self.reservation.try_grow(column.get_array_memory_size())?;
            columns.push(column);
        }
        let computed = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        for start in (0..computed.num_rows()).step_by(self.batch_size) {
            let length = self.batch_size.min(computed.num_rows() - start);
            self.ready.push_back(computed.slice(start, length));
        }
        // The rows as they came are gone; the joined ones wait to be taken.
        self.reservation.try_resize(size_of(&computed)?)?;
        Ok(())
    }

    fn keys_of(&self, batch: &RecordBatch) -> Result<Vec<SortColumn>> {
        let keys = self.keys.iter();
        keys.map(|key| key.evaluate_to_sort_column(batch)).collect()
    }
}

/// The rows of each partition; without keys there is one.
fn ranges_of(batch: &RecordBatch, keys: &[SortColumn]) -> Result<Vec<Range<usize>>> {
    evaluate_partition_ranges(batch.num_rows(), keys)
}

fn key_at(keys: &[SortColumn], row: usize) -> Result<Vec<ScalarValue>> {
    let values = keys.iter();
    values
        .map(|key| ScalarValue::try_from_array(&key.values, row))
        .collect()
}

/// The bytes of rows, of slices only their own.
fn size_of(batch: &RecordBatch) -> Result<usize> {
    let mut bytes = 0;
    for column in batch.columns() {
        bytes += column.to_data().get_slice_memory_size()?;
    }
    Ok(bytes)
}
