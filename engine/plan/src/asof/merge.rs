//! The merge of an as-of join: two sorted inputs, one pass, the current right row at hand.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_expr::PhysicalExpr;
use futures::StreamExt;

use super::node::Matching;

/// Output is handed on when it refers to more right batches than these, so that they can go.
const MOST_RIGHT_BATCHES: usize = 8;

/// One sorted input and the row that it stands at.
pub(super) struct Side {
    rows: SendableRecordBatchStream,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    time: Arc<dyn PhysicalExpr>,
    key_converter: RowConverter,
    time_converter: RowConverter,
    batch: Option<Arc<Prepared>>,
    row: usize,
}

/// A batch with its keys and times in a form that is compared by bytes.
struct Prepared {
    batch: RecordBatch,
    keys: Rows,
    times: Rows,
    /// Rows that have a key and a time; the others match nothing.
    usable: Option<NullBuffer>,
}

impl Prepared {
    fn is_usable(&self, row: usize) -> bool {
        self.usable
            .as_ref()
            .is_none_or(|usable| usable.is_valid(row))
    }

    fn size(&self) -> usize {
        self.batch.get_array_memory_size() + self.keys.size() + self.times.size()
    }
}

impl Side {
    pub(super) fn new(
        rows: SendableRecordBatchStream,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        time: Arc<dyn PhysicalExpr>,
        key_types: &[DataType],
        time_type: &DataType,
    ) -> Result<Self, DataFusionError> {
        let fields = key_types.iter().cloned().map(SortField::new).collect();
        Ok(Self {
            rows,
            keys,
            time,
            key_converter: RowConverter::new(fields)?,
            time_converter: RowConverter::new(vec![SortField::new(time_type.clone())])?,
            batch: None,
            row: 0,
        })
    }

    /// Returns the batch that holds the current row; `None` at the end.
    async fn current(&mut self) -> Result<Option<&Arc<Prepared>>, DataFusionError> {
        while self
            .batch
            .as_ref()
            .is_none_or(|batch| self.row >= batch.batch.num_rows())
        {
            self.row = 0;
            self.batch = None;
            match self.rows.next().await {
                None => return Ok(None),
                Some(batch) => self.batch = Some(Arc::new(self.prepare(batch?)?)),
            }
        }
        Ok(self.batch.as_ref())
    }

    fn prepare(&mut self, batch: RecordBatch) -> Result<Prepared, DataFusionError> {
        let evaluate = |expression: &Arc<dyn PhysicalExpr>| {
            expression.evaluate(&batch)?.into_array(batch.num_rows())
        };
        let keys = self
            .keys
            .iter()
            .map(evaluate)
            .collect::<Result<Vec<ArrayRef>, _>>()?;
        let time = evaluate(&self.time)?;
        let usable = keys.iter().chain([&time]).fold(None, |usable, column| {
            NullBuffer::union(usable.as_ref(), column.logical_nulls().as_ref())
        });
        let key_rows = match keys.is_empty() {
            true => self.key_converter.empty_rows(0, 0),
            false => self.key_converter.convert_columns(&keys)?,
        };
        let times = self.time_converter.convert_columns(&[time])?;
        Ok(Prepared {
            batch,
            keys: key_rows,
            times,
            usable,
        })
    }
}

/// A right row that a left row takes.
#[derive(Clone)]
struct Candidate {
    batch: Arc<Prepared>,
    row: usize,
}

/// The merge of one partition.
pub(super) struct Merge {
    left: Side,
    right: Side,
    matching: Matching,
    schema: SchemaRef,
    right_schema: SchemaRef,
    batch_size: usize,
    /// The latest right row that was passed; only looking backward.
    passed: Option<Candidate>,
    reservation: MemoryReservation,
}

/// Output that is being gathered: left rows, and the right row of each by batch and row.
#[derive(Default)]
struct Gathered {
    left: Vec<u32>,
    right: Vec<(usize, usize)>,
    batches: Vec<Arc<Prepared>>,
}

impl Merge {
    pub(super) fn new(
        left: Side,
        right: Side,
        matching: Matching,
        schema: SchemaRef,
        right_schema: SchemaRef,
        batch_size: usize,
        reservation: MemoryReservation,
    ) -> Self {
        Self {
            left,
            right,
            matching,
            schema,
            right_schema,
            batch_size,
            passed: None,
            reservation,
        }
    }

    /// Returns the next rows; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, DataFusionError> {
        loop {
            let Some(batch) = self.left.current().await?.cloned() else {
                return Ok(None);
            };
            let mut gathered = Gathered::default();
            while self.left.row < batch.batch.num_rows()
                && gathered.left.len() < self.batch_size
                && gathered.batches.len() < MOST_RIGHT_BATCHES
            {
                let row = self.left.row;
                let found = match batch.is_usable(row) {
                    true => self.find(&batch, row).await?,
                    false => None,
                };
                if found.is_some() || self.matching.outer {
                    gathered.push(row, found);
                }
                self.left.row += 1;
            }
            self.charge(&batch, &gathered)?;
            if !gathered.left.is_empty() {
                return self.output(&batch, gathered).map(Some);
            }
        }
    }

    /// Finds the right row of a left row; the left rows come in order.
    async fn find(
        &mut self,
        left: &Arc<Prepared>,
        row: usize,
    ) -> Result<Option<Candidate>, DataFusionError> {
        loop {
            let Some(right) = self.right.current().await?.cloned() else {
                break;
            };
            let right_row = self.right.row;
            if !right.is_usable(right_row) {
                self.right.row += 1;
                continue;
            }
            let key = compare_keys(&right, right_row, left, row);
            let time = right.times.row(right_row).cmp(&left.times.row(row));
            if self.matching.backward {
                let is_before = match time {
                    Ordering::Less => true,
                    Ordering::Equal => self.matching.or_equal,
                    Ordering::Greater => false,
                };
                if key == Ordering::Greater || key == Ordering::Equal && !is_before {
                    break;
                }
                self.passed = Some(Candidate {
                    batch: right,
                    row: right_row,
                });
            } else {
                let is_behind = match time {
                    Ordering::Greater => true,
                    Ordering::Equal => self.matching.or_equal,
                    Ordering::Less => false,
                };
                match key {
                    Ordering::Greater => return Ok(None),
                    Ordering::Equal if is_behind => {
                        return Ok(Some(Candidate {
                            batch: right,
                            row: right_row,
                        }));
                    }
                    _ => {}
                }
            }
            self.right.row += 1;
        }
        let same_key = |passed: &&Candidate| {
            compare_keys(&passed.batch, passed.row, left, row) == Ordering::Equal
        };
        Ok(self.passed.as_ref().filter(same_key).cloned())
    }

    /// Charges what is held of both sides.
    fn charge(&mut self, left: &Arc<Prepared>, gathered: &Gathered) -> Result<(), DataFusionError> {
        let held = gathered
            .batches
            .iter()
            .map(|batch| batch.size())
            .sum::<usize>();
        let current = self.right.batch.as_ref().map_or(0, |batch| batch.size());
        self.reservation.try_resize(left.size() + held + current)
    }

    fn output(
        &self,
        left: &Arc<Prepared>,
        gathered: Gathered,
    ) -> Result<RecordBatch, DataFusionError> {
        let rows = UInt32Array::from(gathered.left);
        let mut columns = left
            .batch
            .columns()
            .iter()
            .map(|column| take(column, &rows, None))
            .collect::<Result<Vec<_>, _>>()?;
        for (position, field) in self.right_schema.fields().iter().enumerate() {
            // Place 0 is a row of NULL, for left rows that found none.
            let mut parts = vec![new_null_array(field.data_type(), 1)];
            parts.extend(
                gathered
                    .batches
                    .iter()
                    .map(|batch| Arc::clone(batch.batch.column(position))),
            );
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            columns.push(interleave(&parts, &gathered.right)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Gathered {
    fn push(&mut self, left: usize, found: Option<Candidate>) {
        // A batch has fewer rows than this type counts.
        self.left.push(left as u32);
        let Some(Candidate { batch, row }) = found else {
            self.right.push((0, 0));
            return;
        };
        // The rows come in order, so that it is the last batch or a new one.
        let is_last = self
            .batches
            .last()
            .is_some_and(|last| Arc::ptr_eq(last, &batch));
        if !is_last {
            self.batches.push(batch);
        }
        self.right.push((self.batches.len(), row));
    }
}

fn compare_keys(right: &Prepared, right_row: usize, left: &Prepared, left_row: usize) -> Ordering {
    match (right.keys.num_rows(), left.keys.num_rows()) {
        (0, _) | (_, 0) => Ordering::Equal,
        _ => right.keys.row(right_row).cmp(&left.keys.row(left_row)),
    }
}
