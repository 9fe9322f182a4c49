//! Keeps the values of a frame, and adds them up when it is asked.

use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

/// A call of an aggregate function, from which accumulators can be made again and again.
#[derive(Debug)]
pub(super) struct Call {
    function: Arc<AggregateUDF>,
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    is_reversed: bool,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
}

impl Call {
    pub(super) fn of(function: Arc<AggregateUDF>, arguments: &AccumulatorArgs<'_>) -> Self {
        Self {
            function,
            return_field: Arc::clone(&arguments.return_field),
            schema: arguments.schema.clone(),
            ignore_nulls: arguments.ignore_nulls,
            order_bys: arguments.order_bys.to_vec(),
            is_reversed: arguments.is_reversed,
            name: arguments.name.to_owned(),
            is_distinct: arguments.is_distinct,
            exprs: arguments.exprs.to_vec(),
            expr_fields: arguments.expr_fields.to_vec(),
        }
    }

    pub(super) fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        self.function.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: self.is_reversed,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        })
    }
}

/// Rows of arguments that enter at one end and leave at the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The columns of the older rows.
    columns: Vec<ArrayRef>,
    /// Rows that have come since these were joined, many to a batch.
    packed: Vec<Vec<ArrayRef>>,
    /// The last batches that have come. Most have one row, and each keeps the batch of which it is a slice.
    new: Vec<Vec<ArrayRef>>,
}

/// So many batches are made one.
const PACK: usize = 1024;

impl Rows {
    pub(super) fn enter(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values.first() {
            Some(first) if !first.is_empty() => self.new.push(values.to_vec()),
            Some(_) => {}
            None => return exec_err!("a function without arguments has no rows to keep"),
        }
        if self.new.len() >= PACK {
            let batch = joined(&std::mem::take(&mut self.new))?;
            self.packed.push(batch);
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, count: usize) -> Result<()> {
        if count > self.held() {
            self.join()?;
        }
        let Some(rest) = self.held().checked_sub(count) else {
            return internal_err!("more rows leave a frame than are in it");
        };
        for column in &mut self.columns {
            *column = column.slice(count, rest);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held() == 0 && self.packed.is_empty() && self.new.is_empty()
    }

    /// Returns all rows as columns.
    pub(super) fn into_columns(mut self) -> Result<Vec<ArrayRef>> {
        self.join()?;
        Ok(self.columns)
    }

    fn held(&self) -> usize {
        self.columns.first().map_or(0, |column| column.len())
    }

    /// Joins what has come to what was there, so that a function is given few batches.
    fn join(&mut self) -> Result<()> {
        if self.packed.is_empty() && self.new.is_empty() {
            return Ok(());
        }
        let mut batches = Vec::with_capacity(1 + self.packed.len() + self.new.len());
        if self.held() > 0 {
            batches.push(std::mem::take(&mut self.columns));
        }
        batches.append(&mut self.packed);
        batches.append(&mut self.new);
        self.columns = joined(&batches)?;
        Ok(())
    }

    pub(super) fn size(&self) -> usize {
        let batches = self.packed.iter().chain(&self.new);
        let columns = self.columns.iter().chain(batches.flatten());
        let bytes = columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
        bytes.sum()
    }
}

/// Makes one batch of several.
fn joined(batches: &[Vec<ArrayRef>]) -> Result<Vec<ArrayRef>> {
    let places = 0..batches.first().map_or(0, Vec::len);
    let columns = places.map(|place| {
        let parts = batches.iter().map(|batch| batch[place].as_ref());
        concat(&parts.collect::<Vec<&dyn Array>>())
    });
    Ok(columns.collect::<Result<Vec<_>, _>>()?)
}

/// Keeps the values of a frame, oldest first.
#[derive(Debug)]
pub(super) struct Kept {
    call: Call,
    rows: Rows,
}

impl Kept {
    pub(super) fn new(call: Call) -> Self {
        Self {
            call,
            rows: Rows::default(),
        }
    }
}

impl Accumulator for Kept {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.enter(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let count = values.first().map_or(0, |column| column.len());
        self.rows.leave(count)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.rows.join()?;
        let mut accumulator = self.call.accumulator()?;
        if !self.rows.is_empty() {
            accumulator.update_batch(&self.rows.columns)?;
        }
        accumulator.evaluate()
    }

    /// Frames are not put together from parts.
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a moving frame has no state")
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("a moving frame has no state")
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.size()
    }
}
