//! `min` and `max` of floating-point numbers in groups do not depend on the order of the rows.
//!
//! DataFusion 55.2 keeps the last NaN or the number behind it, whichever comes later, and starts with the
//! largest finite number, so that `min` of nothing but infinity is 1.8e308 (apache/datafusion 24432, 13415).
//! Here the numbers are compared as integers of the same order: NaN above all, as in PostgreSQL.
//! Lists, structs and maps are compared here altogether.

mod groups;
mod nested;

use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::min_max::{Max, Min};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};

use groups::GroupExtremes;
use nested::{MovingExtreme, NestedExtreme, Side, has_no_order, is_nested};

/// Returns the functions that stand under the names `min` and `max`.
pub(super) fn functions() -> [Arc<AggregateUDF>; 2] {
    [
        Arc::new(AggregateUDF::from(Extreme { inner: Min::new() })),
        Arc::new(AggregateUDF::from(Extreme { inner: Max::new() })),
    ]
}

/// `min` or `max`: DataFusion's function, but for floating-point numbers in groups, and for what is nested.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme<F> {
    inner: F,
}

impl<F: AggregateUDFImpl> Extreme<F> {
    fn side(&self) -> Side {
        match self.inner.name() {
            "max" => Side::Greatest,
            _ => Side::Least,
        }
    }
}

impl<F: AggregateUDFImpl + Eq + Hash> AggregateUDFImpl for Extreme<F> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_field.data_type();
        if has_no_order(data_type) {
            return plan_err!(
                "`{}` cannot compare values of type {data_type}",
                self.name()
            );
        }
        match is_nested(data_type) {
            true => Ok(Box::new(NestedExtreme::new(self.side(), data_type.clone()))),
            false => self.inner.accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_field.data_type();
        match is_nested(data_type) {
            true => Ok(Box::new(MovingExtreme::new(self.side(), data_type.clone()))),
            false => self.inner.create_sliding_accumulator(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !is_nested(args.return_field.data_type()) && self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_field.data_type().clone();
        let Some(keys) = groups::key_type(&data_type) else {
            return self.inner.create_groups_accumulator(args);
        };
        let return_field = Arc::new(Field::new(args.return_field.name(), keys.clone(), true));
        let expr_fields = [Arc::new(Field::new(args.name, keys, true))];
        let inner = self.inner.create_groups_accumulator(AccumulatorArgs {
            return_field,
            expr_fields: &expr_fields,
            ..args
        })?;
        Ok(Box::new(GroupExtremes::over(inner, data_type)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn is_descending(&self) -> Option<bool> {
        self.inner.is_descending()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.inner.reverse_expr()
    }

    fn value_from_stats(&self, args: &StatisticsArgs) -> Option<ScalarValue> {
        self.inner.value_from_stats(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    /// A frame that grows gives NULL before it gives values, which no order of these puts in its place.
    fn set_monotonicity(&self, _: &DataType) -> SetMonotonicity {
        SetMonotonicity::NotMonotonic
    }
}
