//! Batches in, the same batches with the results of the functions out.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::{concat, partition};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use futures::{Stream, StreamExt};

use super::calls::FeatureCall;

/// Computes the functions for the batches of one partition of the plan.
pub(super) struct FeatureStream {
    schema: SchemaRef,
    input: SendableRecordBatchStream,
    /// What makes the partitions of the window; the input is sorted by it.
    keys: Vec<Arc<dyn PhysicalExpr>>,
    calls: Vec<FeatureCall>,
    /// The keys of the last row, to see whether its partition goes on.
    last_keys: Option<Vec<ArrayRef>>,
    reservation: MemoryReservation,
    metrics: BaselineMetrics,
}

impl FeatureStream {
    pub(super) fn new(
        schema: SchemaRef,
        input: SendableRecordBatchStream,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        calls: Vec<FeatureCall>,
        reservation: MemoryReservation,
        metrics: BaselineMetrics,
    ) -> Self {
        Self {
            schema,
            input,
            keys,
            calls,
            last_keys: None,
            reservation,
            metrics,
        }
    }

    fn compute(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let mut columns = batch.columns().to_vec();
        if rows > 0 {
            let (partitions, continued) = self.partitions(batch)?;
            for call in &mut self.calls {
                let arguments = call
                    .arguments
                    .iter()
                    .map(|argument| argument.evaluate(batch)?.into_array(rows))
                    .collect::<Result<Vec<_>>>()?;
                let rolling = &mut call.rolling;
                columns.push(rolling.slide(&arguments, &partitions, continued, call.preceding)?);
            }
            let held: usize = self.calls.iter().map(|call| call.rolling.size()).sum();
            self.reservation.try_resize(held)?;
        } else {
            let results = &self.schema.fields()[columns.len()..];
            let empty = |field| datafusion::arrow::array::new_empty_array(field);
            columns.extend(results.iter().map(|field| empty(field.data_type())));
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// Finds the window's partitions in a batch, and whether the first goes on from the last batch.
    fn partitions(&mut self, batch: &RecordBatch) -> Result<(Vec<Range<usize>>, bool)> {
        let rows = batch.num_rows();
        let first = self.last_keys.is_none();
        if self.keys.is_empty() {
            self.last_keys = Some(Vec::new());
            return Ok((std::iter::once(0..rows).collect(), !first));
        }
        let keys = self
            .keys
            .iter()
            .map(|key| key.evaluate(batch)?.into_array(rows))
            .collect::<Result<Vec<_>>>()?;
        let continued = match &self.last_keys {
            None => false,
            Some(last) => {
                let pairs = last.iter().zip(&keys);
                let pairs = pairs.map(|(last, keys)| concat(&[last.as_ref(), &keys.slice(0, 1)]));
                partition(&pairs.collect::<Result<Vec<_>, _>>()?)?.len() == 1
            }
        };
        // A slice would hold the whole batch in memory.
        let last = keys
            .iter()
            .map(|keys| concat(&[&keys.slice(rows - 1, 1)]))
            .collect::<Result<Vec<_>, _>>()?;
        self.last_keys = Some(last);
        Ok((partition(&keys)?.ranges(), continued))
    }
}

impl Stream for FeatureStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.input.poll_next_unpin(context));
        let Some(batch) = next.transpose()? else {
            return Poll::Ready(None);
        };
        let elapsed = self.metrics.elapsed_compute().clone();
        let _timer = elapsed.timer();
        let computed = self.compute(&batch);
        Poll::Ready(Some(computed.record_output(&self.metrics)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.input.size_hint()
    }
}

impl RecordBatchStream for FeatureStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
