//! The averages of many groups.

use std::fmt;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::divide::Division;

/// Divides what another accumulator has counted and added for each group.
pub(super) struct GroupAverages {
    inner: Box<dyn GroupsAccumulator>,
    division: Division,
}

impl GroupAverages {
    /// Returns the accumulator, with a division where there is one to be done.
    pub(super) fn over(
        inner: Box<dyn GroupsAccumulator>,
        division: Option<Division>,
    ) -> Box<dyn GroupsAccumulator> {
        match division {
            Some(division) => Box::new(Self { inner, division }),
            None => inner,
        }
    }
}

impl fmt::Debug for GroupAverages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GroupAverages({:?})", self.division)
    }
}

impl GroupsAccumulator for GroupAverages {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = self.division.added(values)?;
        self.inner
            .update_batch(&values, group_indices, opt_filter, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner
            .merge_batch(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        match self.inner.state(emit_to)?.as_slice() {
            [counts, sums] => self.division.averages(counts, sums),
            _ => exec_err!("`avg` has another state than it should"),
        }
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = self.division.added(values)?;
        self.inner.convert_to_state(&values, opt_filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
