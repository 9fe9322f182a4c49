//! The totals of many groups.

use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, AsArray, BooleanArray, PrimitiveArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{ArrowPrimitiveType, DataType};
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::NullState;

use super::range::{Summed, WideOf, out_of_range};

/// A total for each group.
pub(super) struct GroupTotals<T: Summed> {
    totals: Vec<WideOf<T>>,
    /// Which groups have had a value.
    seen: NullState,
    result: DataType,
}

impl<T: Summed> GroupTotals<T> {
    pub(super) fn new(result: DataType) -> Self {
        Self {
            totals: Vec::new(),
            seen: NullState::new(),
            result,
        }
    }

    /// Adds values to the totals of their groups.
    fn add<V: ArrowPrimitiveType + Send>(
        &mut self,
        values: &PrimitiveArray<V>,
        widen: impl Fn(V::Native) -> WideOf<T> + Send + Sync,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.totals.resize(group_count, WideOf::<T>::ZERO);
        let totals = &mut self.totals;
        let mut left_range = false;
        self.seen.accumulate(
            groups,
            values,
            filter,
            group_count,
            |group, value| match totals[group].add_checked(widen(value)) {
                Ok(total) => totals[group] = total,
                Err(_) => left_range = true,
            },
        );
        match left_range {
            true => Err(out_of_range(&self.result)),
            false => Ok(()),
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> (Vec<WideOf<T>>, Option<NullBuffer>) {
        let totals = emit_to.take_needed(&mut self.totals);
        (totals, self.seen.build(emit_to))
    }
}

impl<T: Summed> fmt::Debug for GroupTotals<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GroupTotals({})", self.result)
    }
}

impl<T: Summed> GroupsAccumulator for GroupTotals<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = values[0].as_primitive::<T>();
        self.add(
            values,
            T::widen,
            group_indices,
            opt_filter,
            total_num_groups,
        )
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        let totals = values[0].as_primitive::<T::Wide>();
        self.add(totals, |total| total, group_indices, None, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (totals, seen) = self.take(emit_to);
        let mut sums = Vec::with_capacity(totals.len());
        for total in totals {
            // A group without a value has the total zero, which fits every type.
            let sum = T::narrow(total, &self.result);
            sums.push(sum.ok_or_else(|| out_of_range(&self.result))?);
        }
        let sums = PrimitiveArray::<T>::new(sums.into(), seen);
        Ok(Arc::new(sums.with_data_type(self.result.clone())))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (totals, seen) = self.take(emit_to);
        let totals = PrimitiveArray::<T::Wide>::new(totals.into(), seen);
        let wide = T::wide_type(&self.result);
        Ok(vec![Arc::new(totals.with_data_type(wide))])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<T>();
        let kept = opt_filter.map(|filter| {
            let (passes, known) = filter.clone().into_parts();
            NullBuffer::new(match known {
                Some(known) => known.inner() & &passes,
                None => passes,
            })
        });
        let nulls = NullBuffer::union(values.nulls(), kept.as_ref());
        let totals: Vec<_> = values
            .values()
            .iter()
            .map(|value| T::widen(*value))
            .collect();
        let totals = PrimitiveArray::<T::Wide>::new(totals.into(), nulls);
        let wide = T::wide_type(&self.result);
        Ok(vec![Arc::new(totals.with_data_type(wide))])
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<WideOf<T>>() + self.seen.size()
    }
}
