//! Numbers of rows and of elements are BIGINT.
//!
//! In DataFusion 55.2 `row_number`, `rank`, `dense_rank`, `ntile`, `cardinality`, `array_length`, `array_ndims`,
//! `array_position`, `approx_distinct` and `regr_count` have no sign: a difference of two of them wraps around or
//! fails where it is negative (`row_number() OVER a - row_number() OVER b`), and beside a BIGINT they are DECIMAL,
//! so that `row_number() OVER () / 2` has a fraction. In PostgreSQL and DuckDB they are BIGINT or INTEGER. Here the
//! functions are theirs, and their results get the sign.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_nested::{cardinality, dimension, length, position};
use datafusion::functions_window::{ntile, rank, row_number};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs,
};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, LimitEffect, PartitionEvaluator, ReturnFieldArgs,
    ReversedUDWF, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, WindowUDF,
    WindowUDFImpl, cast as cast_to,
};
use datafusion::physical_expr::PhysicalExpr;

/// Aggregates that count.
const COUNTING: [&str; 2] = ["approx_distinct", "regr_count"];

static PLACES: LazyLock<[Arc<WindowUDF>; 4]> = LazyLock::new(|| {
    let theirs = [
        row_number::row_number_udwf(),
        rank::rank_udwf(),
        rank::dense_rank_udwf(),
        ntile::ntile_udwf(),
    ];
    theirs.map(|theirs| Arc::new(Place { theirs }.into()))
});

/// Returns the functions that number rows.
pub(crate) fn window_functions() -> [Arc<WindowUDF>; 4] {
    PLACES.clone()
}

/// Returns the functions that count elements.
pub(crate) fn functions() -> [Arc<ScalarUDF>; 5] {
    let theirs = [
        cardinality::cardinality_udf(),
        length::array_length_udf(),
        dimension::array_ndims_udf(),
        position::array_position_udf(),
        position::array_positions_udf(),
    ];
    theirs.map(|theirs| Arc::new(ScalarUDF::from(Size { theirs })))
}

/// Gives counting aggregates their type.
#[derive(Debug)]
pub(crate) struct CountPlanner;

impl ExprPlanner for CountPlanner {
    fn plan_aggregate(&self, call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        if !COUNTING.contains(&call.func.name()) {
            return Ok(PlannerResult::Original(call));
        }
        let counted = Expr::AggregateFunction(AggregateFunction::new_udf(
            call.func,
            call.args,
            call.distinct,
            call.filter,
            call.order_by,
            call.null_treatment,
        ));
        let name = counted.schema_name().to_string();
        let signed = cast_to(counted, DataType::Int64);
        Ok(PlannerResult::Planned(signed.alias(name)))
    }
}

/// Returns the type with a sign.
fn signed(kind: &DataType) -> DataType {
    match kind {
        DataType::UInt64 => DataType::Int64,
        DataType::List(element) => {
            let kind = signed(element.data_type());
            DataType::List(Arc::new(element.as_ref().clone().with_data_type(kind)))
        }
        other => other.clone(),
    }
}

fn signed_field(field: &FieldRef) -> FieldRef {
    let kind = signed(field.data_type());
    Arc::new(Field::clone(field).with_data_type(kind))
}

fn signed_array(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(array, &signed(array.data_type()))?)
}

fn signed_scalar(value: &ScalarValue) -> Result<ScalarValue> {
    value.cast_to(&signed(&value.data_type()))
}

/// A function of DataFusion's whose result gets a sign.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Size {
    theirs: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Size {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.theirs.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(signed(&self.theirs.return_type(types)?))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(signed_field(
            &self.theirs.return_field_from_args(arguments)?,
        ))
    }

    fn simplify(
        &self,
        arguments: Vec<Expr>,
        _context: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Original(arguments))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let fields = arguments.arg_fields.iter();
        let types: Vec<_> = fields.map(|field| field.data_type().clone()).collect();
        let field =
            Field::clone(&arguments.return_field).with_data_type(self.theirs.return_type(&types)?);
        let theirs = self.theirs.invoke_with_args(ScalarFunctionArgs {
            return_field: Arc::new(field),
            ..arguments
        })?;
        Ok(match theirs {
            ColumnarValue::Array(array) => ColumnarValue::Array(signed_array(&array)?),
            ColumnarValue::Scalar(value) => ColumnarValue::Scalar(signed_scalar(&value)?),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

/// A function over windows of DataFusion's whose result gets a sign.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Place {
    theirs: Arc<WindowUDF>,
}

impl WindowUDFImpl for Place {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn expressions(&self, arguments: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.theirs.inner().expressions(arguments)
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let theirs = self.theirs.inner().partition_evaluator(arguments)?;
        Ok(Box::new(SignedPlaces { theirs }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(signed_field(&self.theirs.inner().field(arguments)?))
    }

    fn sort_options(&self) -> Option<datafusion::arrow::compute::SortOptions> {
        self.theirs.inner().sort_options()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.theirs.inner().coerce_types(types)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        match self.theirs.inner().reverse_expr() {
            ReversedUDWF::Identical => ReversedUDWF::Identical,
            _ => ReversedUDWF::NotSupported,
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.inner().documentation()
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.theirs.inner().limit_effect(arguments)
    }
}

#[derive(Debug)]
struct SignedPlaces {
    theirs: Box<dyn PartitionEvaluator>,
}

impl PartitionEvaluator for SignedPlaces {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.theirs.memoize(state)
    }

    fn get_range(&self, row: usize, rows: usize) -> Result<Range<usize>> {
        self.theirs.get_range(row, rows)
    }

    fn is_causal(&self) -> bool {
        self.theirs.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        signed_array(&self.theirs.evaluate_all(values, rows)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        signed_scalar(&self.theirs.evaluate(values, range)?)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        signed_array(&self.theirs.evaluate_all_with_rank(rows, ranks)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.theirs.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.theirs.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.theirs.include_rank()
    }
}
