//! An aggregate function over what remains of a frame.
//!
//! PostgreSQL adds up each frame anew. So does this, by slices of columns, but in two cases: where a frame has only
//! grown since the row before, what is new is added; and counts and sums of whole numbers and decimals, from which
//! values can be taken without a trace, take out what is left out and put it back.

use std::ops::Range;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use super::parts::{Parts, left_out};

/// The function, with what it keeps from one row to the next.
#[derive(Debug)]
pub(super) struct Accumulated {
    function: AggregateFunctionExpr,
    /// Of whole frames, rows left out included.
    whole: Option<Growing>,
    /// Whether values can be taken out of `whole`.
    is_exact: bool,
    /// Of one range that grows at its end.
    grown: Option<Growing>,
}

/// An accumulator over a range of rows.
#[derive(Debug)]
struct Growing {
    rows: Range<usize>,
    accumulator: Box<dyn Accumulator>,
}

impl Accumulated {
    /// Of a function over columns with these fields.
    pub(super) fn new(function: AggregateFunctionExpr, fields: &[FieldRef]) -> Self {
        Self {
            is_exact: is_exact(&function, fields),
            function,
            whole: None,
            grown: None,
        }
    }

    /// Computes over ranges of the columns; `is_empty` says that no row of the frame remains.
    pub(super) fn evaluate(
        &mut self,
        columns: &[ArrayRef],
        parts: Parts,
        is_empty: bool,
    ) -> Result<ScalarValue> {
        if is_empty {
            let result = self.function.field();
            return self.function.default_value(result.data_type());
        }
        let mut filled = parts.iter().filter(|part| !part.is_empty());
        if let (Some(only), None) = (filled.next(), filled.next())
            && self.grows_to(only)
        {
            return self.grow(columns, only.clone());
        }
        if self.is_exact {
            match self.subtract(columns, &parts) {
                Ok(value) => return Ok(value),
                // A sum with what is left out may be too large where the one without it is not.
                Err(_) => self.is_exact = false,
            }
        }
        let mut accumulator = self.function.create_accumulator()?;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            accumulator.update_batch(&slices(columns, part))?;
        }
        accumulator.evaluate()
    }

    /// Says whether a range begins where the one before began, or is the first of its kind.
    fn grows_to(&self, rows: &Range<usize>) -> bool {
        self.grown
            .as_ref()
            .is_none_or(|grown| grown.rows.start == rows.start && grown.rows.end <= rows.end)
    }

    fn grow(&mut self, columns: &[ArrayRef], rows: Range<usize>) -> Result<ScalarValue> {
        let grown = match &mut self.grown {
            Some(grown) => grown,
            None => self.grown.insert(Growing {
                rows: rows.start..rows.start,
                accumulator: self.function.create_accumulator()?,
            }),
        };
        let new = grown.rows.end..rows.end;
        if !new.is_empty() {
            grown.accumulator.update_batch(&slices(columns, &new))?;
        }
        grown.rows = rows;
        grown.accumulator.evaluate()
    }

    /// Takes out of the whole frame what is left out, and puts it back.
    fn subtract(&mut self, columns: &[ArrayRef], parts: &Parts) -> Result<ScalarValue> {
        let frame = parts[0].start..parts[2].end;
        let whole = match &mut self.whole {
            Some(whole) if moves_on(&whole.rows, &frame) => whole,
            _ => self.whole.insert(Growing {
                rows: frame.start..frame.start,
                accumulator: self.function.create_sliding_accumulator()?,
            }),
        };
        let Growing { rows, accumulator } = whole;
        let new = rows.end..frame.end;
        if !new.is_empty() {
            accumulator.update_batch(&slices(columns, &new))?;
        }
        let old = rows.start..frame.start;
        if !old.is_empty() {
            accumulator.retract_batch(&slices(columns, &old))?;
        }
        *rows = frame;
        let out = left_out(parts);
        let out = || out.iter().filter(|part| !part.is_empty());
        for part in out() {
            accumulator.retract_batch(&slices(columns, part))?;
        }
        let value = accumulator.evaluate()?;
        for part in out() {
            accumulator.update_batch(&slices(columns, part))?;
        }
        Ok(value)
    }
}

/// Says whether a frame lies where the one before did or farther on, and they meet.
fn moves_on(before: &Range<usize>, frame: &Range<usize>) -> bool {
    before.start <= frame.start && before.end <= frame.end && frame.start <= before.end
}

fn slices(columns: &[ArrayRef], rows: &Range<usize>) -> Vec<ArrayRef> {
    let slice = |column: &ArrayRef| column.slice(rows.start, rows.len());
    columns.iter().map(slice).collect()
}

/// Says whether taking a value out leaves what there was before it: not where numbers are rounded, nor where
/// values leave in the order in which they came.
fn is_exact(function: &AggregateFunctionExpr, fields: &[FieldRef]) -> bool {
    let is_whole = |data_type: &DataType| data_type.is_integer() || data_type.is_decimal();
    match function.fun().name() {
        _ if function.is_distinct() => false,
        "count" => true,
        "sum" | "avg" => fields.iter().all(|field| is_whole(field.data_type())),
        _ => false,
    }
}
