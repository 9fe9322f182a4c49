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

/// Partitions are computed together up to so many bytes of results: a function that gives lists can make
/// much of few rows.
const PIECE: usize = 4 * 1024 * 1024;

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
    /// Whole partitions that are not computed yet.
    whole: Option<Whole>,
    /// Computed rows that wait to be taken.
    ready: VecDeque<RecordBatch>,
    /// What of the reservation is for them.
    ready_bytes: usize,
    ended: bool,
}

/// The joined rows of whole partitions.
struct Whole {
    rows: RecordBatch,
    bytes: usize,
    /// Those that are not computed yet.
    partitions: VecDeque<Range<usize>>,
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
            whole: None,
            ready: VecDeque::new(),
            ready_bytes: 0,
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
                if state.compute_piece()? {
                    continue;
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
        self.join()?;
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
            self.join()?;
        }
        Ok(())
    }

    /// Joins what is held, which is one partition or several whole ones.
    fn join(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let Some(first) = held.first() else {
            return Ok(());
        };
        let rows = concat_batches(&first.schema(), &held)?;
        drop(held);
        let keys = self.keys_of(&rows)?;
        let bytes = size_of(&rows)?;
        self.reservation.try_resize(bytes)?;
        self.whole = Some(Whole {
            partitions: ranges_of(&rows, &keys)?.into(),
            rows,
            bytes,
        });
        Ok(())
    }

    /// Computes some of the partitions that are whole; says whether there were any.
    fn compute_piece(&mut self) -> Result<bool> {
        self.reservation
            .shrink(std::mem::take(&mut self.ready_bytes));
        let Some(mut whole) = self.whole.take() else {
            return Ok(false);
        };
        let Some(begin) = whole.partitions.front().map(|range| range.start) else {
            self.reservation.shrink(whole.bytes);
            return Ok(false);
        };
        let timer = self.metrics.elapsed_compute().clone();
        let _timer = timer.timer();
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); self.expressions.len()];
        let (mut end, mut bytes) = (begin, 0);
        while end - begin < self.batch_size
            && bytes < PIECE
            && let Some(range) = whole.partitions.pop_front()
        {
            let rows = whole.rows.slice(range.start, range.len());
            for (parts, expression) in parts.iter_mut().zip(&self.expressions) {
                let part = expression.evaluate(&rows)?;
                let size = part.get_array_memory_size();
                self.reservation.try_grow(size)?;
                bytes += size;
                parts.push(part);
            }
            end = range.end;
        }
        let length = end - begin;
        let mut columns = whole.rows.slice(begin, length).columns().to_vec();
        for parts in parts {
            let (column, charged) = self.joined(&parts)?;
            bytes += charged;
            self.ready_bytes += column.get_array_memory_size();
            columns.push(column);
        }
        // What was computed for each partition is gone, unless it is the column itself.
        match self.ready_bytes > bytes {
            true => self.reservation.try_grow(self.ready_bytes - bytes)?,
            false => self.reservation.shrink(bytes - self.ready_bytes),
        }
        let computed = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        for start in (0..length).step_by(self.batch_size) {
            let length = self.batch_size.min(length - start);
            self.ready.push_back(computed.slice(start, length));
        }
        self.whole = Some(whole);
        Ok(true)
    }

    /// Makes one column of what was computed for each partition; returns how much more that takes.
    fn joined(&self, parts: &[ArrayRef]) -> Result<(ArrayRef, usize)> {
        if let [only] = parts {
            return Ok((Arc::clone(only), 0));
        }
        let bytes = parts.iter().map(|part| part.get_array_memory_size()).sum();
        self.reservation.try_grow(bytes)?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok((concat(&parts)?, bytes))
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
