//! Puts the states of parts of a frame together, so that nothing has to be taken back out of one.
//!
//! DataFusion subtracts what leaves a frame from variances and sums of doubles, which leaves traces: the standard
//! deviation of one value left over from several was NaN, and a large value that had left stood for ever in the
//! rounding of those behind it. Here a frame is two parts. New rows go to the one behind; of the one in front there
//! are the states of all its ends, of which the longest is dropped when a row leaves. When the one in front is used
//! up, the one behind takes its place. Each row is so added a few times, however long the frame is.

use std::mem::size_of_val;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::accumulator::{Call, Rows};

/// Of so many rows in front the states are held, and one more for each block of as many.
const BLOCK: usize = 256;

type State = Vec<ScalarValue>;

/// A frame in two parts.
#[derive(Debug)]
pub(super) struct Parts {
    call: Call,
    front: Front,
    /// The newer rows.
    rows: Rows,
    /// Their values added up.
    behind: Box<dyn Accumulator>,
}

/// The older rows of a frame.
#[derive(Debug, Default)]
struct Front {
    columns: Vec<ArrayRef>,
    /// The first row that is still in the frame, and the end.
    next: usize,
    end: usize,
    /// The states of the rows from each row of the current block to its end; the last is that of `next`.
    block: Vec<State>,
    /// The states of all rows behind each block; the last is that of the current one. The last block has none.
    later: Vec<Option<State>>,
}

impl Parts {
    pub(super) fn new(call: Call) -> Result<Self> {
        let behind = call.accumulator()?;
        Ok(Self {
            call,
            front: Front::default(),
            rows: Rows::default(),
            behind,
        })
    }

    /// Makes the front of what is behind but its first rows.
    fn turn(&mut self, gone: usize) -> Result<()> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.leave(gone)?;
        self.behind = self.call.accumulator()?;
        self.front = Front::of(&self.call, rows.into_columns()?)?;
        Ok(())
    }
}

impl Front {
    fn of(call: &Call, columns: Vec<ArrayRef>) -> Result<Self> {
        let end = columns.first().map_or(0, |column| column.len());
        let mut front = Self {
            columns,
            end,
            ..Self::default()
        };
        let mut later = call.accumulator()?;
        let starts = (0..end).step_by(BLOCK).rev();
        for start in starts {
            let stop = (start + BLOCK).min(end);
            let state = if stop == end {
                None
            } else {
                Some(later.state()?)
            };
            front.later.push(state);
            later.update_batch(&front.slices(start, stop))?;
        }
        front.enter_block(call)?;
        Ok(front)
    }

    fn len(&self) -> usize {
        self.end - self.next
    }

    fn slices(&self, start: usize, stop: usize) -> Vec<ArrayRef> {
        let columns = self.columns.iter();
        columns
            .map(|column| column.slice(start, stop - start))
            .collect()
    }

    /// Computes the states of the block that begins at `next`.
    fn enter_block(&mut self, call: &Call) -> Result<()> {
        let stop = (self.next + BLOCK).min(self.end);
        let mut accumulator = call.accumulator()?;
        for row in (self.next..stop).rev() {
            accumulator.update_batch(&self.slices(row, row + 1))?;
            self.block.push(accumulator.state()?);
        }
        Ok(())
    }

    /// Lets the first rows go.
    fn leave(&mut self, call: &Call, count: usize) -> Result<()> {
        for _ in 0..count {
            self.block.pop();
            self.next += 1;
            if self.block.is_empty() {
                self.later.pop();
                self.enter_block(call)?;
            }
        }
        Ok(())
    }
}

impl Accumulator for Parts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.enter(values)?;
        self.behind.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let count = values.first().map_or(0, |column| column.len());
        match count.checked_sub(self.front.len()) {
            // All of the front goes, and perhaps more.
            Some(more) if count > 0 => self.turn(more),
            _ => self.front.leave(&self.call, count),
        }
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.front.len() == 0 {
            return self.behind.evaluate();
        }
        let behind = match self.rows.is_empty() {
            true => None,
            false => Some(self.behind.state()?),
        };
        let later = self.front.later.last().and_then(Option::as_ref);
        let states = self.front.block.last().into_iter().chain(later);
        let mut all = self.call.accumulator()?;
        for state in states.chain(behind.as_ref()) {
            let columns = state.iter().map(ScalarValue::to_array);
            all.merge_batch(&columns.collect::<Result<Vec<_>>>()?)?;
        }
        all.evaluate()
    }

    /// Frames are not put together from those of other partitions.
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a moving frame has no state")
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("a moving frame has no state")
    }

    fn size(&self) -> usize {
        let states = self
            .front
            .block
            .iter()
            .chain(self.front.later.iter().flatten());
        let states = states.flatten().map(ScalarValue::size).sum::<usize>();
        let columns = self.front.columns.iter();
        let columns = columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
        size_of_val(self) + states + columns.sum::<usize>() + self.rows.size()
    }
}
