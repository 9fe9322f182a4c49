//! `array_agg` and `string_agg` keep the order that they are asked for.
//!
//! With DISTINCT, DataFusion 55.2 forgets that it has turned the order round to fit that of its input
//! (`is_reversed`): `string_agg(DISTINCT s, ',' ORDER BY s)` beside an aggregate in descending order descends too.
//! Here the order is never turned round; rows are sorted where they come otherwise.
//!
//! `nth_value(x, n ORDER BY y)` is the n-th of the list: DataFusion's own wants the rows in its order, and refuses
//! two orders in one query.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::functions_aggregate::string_agg::string_agg_udaf;
use datafusion::functions_nested::extract::array_element;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator,
    ReversedUDAF, Signature,
};

/// Returns `array_agg` and `string_agg`.
pub(crate) fn functions() -> [Arc<AggregateUDF>; 2] {
    [array_agg_udaf(), string_agg_udaf()]
        .map(|theirs| Arc::new(AggregateUDF::from(OrderedList { theirs })))
}

/// Plans `nth_value` with an order as an element of a list.
#[derive(Debug)]
pub(crate) struct NthPlanner;

impl ExprPlanner for NthPlanner {
    fn plan_aggregate(&self, call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        let place = match call.args.as_slice() {
            [_, place] if call.func.name() == "nth_value" && !call.order_by.is_empty() => place,
            _ => return Ok(PlannerResult::Original(call)),
        };
        if place.any_column_refs() || place.is_volatile() {
            return Ok(PlannerResult::Original(call));
        }
        let place = place.clone();
        let written = AggregateFunction::new_udf(
            call.func,
            call.args.clone(),
            call.distinct,
            call.filter.clone(),
            call.order_by.clone(),
            call.null_treatment,
        );
        let name = Expr::AggregateFunction(written).schema_name().to_string();
        let [list, _] = functions();
        let list = AggregateFunction::new_udf(
            list,
            call.args.into_iter().take(1).collect(),
            call.distinct,
            call.filter,
            call.order_by,
            call.null_treatment,
        );
        let element = array_element(Expr::AggregateFunction(list), place);
        Ok(PlannerResult::Planned(element.alias(name)))
    }
}

/// DataFusion's function, whose order is not turned round.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OrderedList {
    theirs: Arc<AggregateUDF>,
}

impl AggregateUDFImpl for OrderedList {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.theirs.inner().return_type(types)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        self.theirs.inner().return_field(arguments)
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.theirs.inner().state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.theirs.inner().accumulator(arguments)
    }

    fn create_sliding_accumulator(
        &self,
        arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.theirs.inner().create_sliding_accumulator(arguments)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        self.theirs.inner().groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.theirs.inner().create_groups_accumulator(arguments)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.theirs.inner().order_sensitivity()
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        is_sorted: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let theirs = AggregateUDF::clone(&self.theirs).with_beneficial_ordering(is_sorted)?;
        Ok(theirs.map(|theirs| {
            let theirs = Arc::new(theirs);
            Arc::new(Self { theirs }) as _
        }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::NotSupported
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.theirs.inner().supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.inner().documentation()
    }
}
