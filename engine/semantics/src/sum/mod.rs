//! `sum` that never wraps around.
//!
//! DataFusion 55.2 adds BIGINT, DECIMAL and INTERVAL with wrapping arithmetic, so that a sum that
//! leaves the range of its type is a wrong number like any other (`sum.rs`, `add_wrapping`). Here
//! integers are added in 128 bits, so that neither the order of the rows nor the number of partitions
//! decides, and the total must fit the type of the result. Decimals and intervals are added with
//! checks in their own width. Sums of floating-point numbers are DataFusion's own.

mod distinct;
mod groups;
mod range;
mod total;

use std::sync::Arc;

use datafusion::arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Field, FieldRef, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit, UInt64Type,
};
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature,
};

use distinct::DistinctTotal;
use groups::GroupTotals;
use range::total_type;
use total::Total;

/// Returns the function that stands under the name `sum`.
pub(super) fn checked_sum() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(CheckedSum {
        unchecked: Sum::new(),
    }))
}

/// `sum`, checked.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum {
    /// Types, names and floating-point numbers are its.
    unchecked: Sum,
}

/// Makes something for the type of a sum; the last argument serves types whose sums are not checked.
macro_rules! for_summed_type {
    ($data_type:expr, $checked:ident, $unchecked:expr) => {
        match $data_type {
            DataType::Int64 => $checked!(Int64Type),
            DataType::UInt64 => $checked!(UInt64Type),
            DataType::Decimal32(..) => $checked!(Decimal32Type),
            DataType::Decimal64(..) => $checked!(Decimal64Type),
            DataType::Decimal128(..) => $checked!(Decimal128Type),
            DataType::Decimal256(..) => $checked!(Decimal256Type),
            DataType::Duration(TimeUnit::Second) => $checked!(DurationSecondType),
            DataType::Duration(TimeUnit::Millisecond) => $checked!(DurationMillisecondType),
            DataType::Duration(TimeUnit::Microsecond) => $checked!(DurationMicrosecondType),
            DataType::Duration(TimeUnit::Nanosecond) => $checked!(DurationNanosecondType),
            DataType::Interval(IntervalUnit::YearMonth) => $checked!(IntervalYearMonthType),
            DataType::Interval(IntervalUnit::DayTime) => $checked!(IntervalDayTimeType),
            DataType::Interval(IntervalUnit::MonthDayNano) => $checked!(IntervalMonthDayNanoType),
            _ => $unchecked,
        }
    };
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.unchecked.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.unchecked.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match one_total(&args) {
            Some(total) => Ok(total),
            None => self.unchecked.accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        match one_total(&args) {
            Some(total) => Ok(total),
            None => self.unchecked.create_sliding_accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if args.is_distinct {
            return self.unchecked.state_fields(args);
        }
        let result = args.return_type();
        macro_rules! checked {
            ($type:ty) => {
                total_type::<$type>(result)
            };
        }
        let state = for_summed_type!(result, checked, result.clone());
        let name = format_state_name(args.name, "sum");
        Ok(vec![Arc::new(Field::new(name, state, true))])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.unchecked.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let result = args.return_field.data_type().clone();
        macro_rules! checked {
            ($type:ty) => {
                Ok(Box::new(GroupTotals::<$type>::new(result)))
            };
        }
        for_summed_type!(
            &result,
            checked,
            self.unchecked.create_groups_accumulator(args)
        )
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.unchecked.documentation()
    }

    /// A frame that grows gives NULL before it gives values, which no order of these puts in its place.
    fn set_monotonicity(&self, _: &DataType) -> SetMonotonicity {
        SetMonotonicity::NotMonotonic
    }

    // `sum(x + 1)` stays what it is: DataFusion makes `sum(x) + count(x)` of it, in which the first
    // part can leave the range where the whole does not. Sums out of a table's statistics were added
    // by somebody else, perhaps with wrapping, and are not taken.
}

/// Makes a total of all rows or of those in a frame, both of which take values out again; `None` for
/// types whose sums are not checked.
fn one_total(args: &AccumulatorArgs<'_>) -> Option<Box<dyn Accumulator>> {
    let result = args.return_field.data_type().clone();
    macro_rules! checked {
        ($type:ty) => {
            match args.is_distinct {
                true => Some(Box::new(DistinctTotal::<$type>::new(result))),
                false => Some(Box::new(Total::<$type>::new(result))),
            }
        };
    }
    for_summed_type!(&result, checked, None)
}
