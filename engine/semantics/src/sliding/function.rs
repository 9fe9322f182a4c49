//! An aggregate function with an accumulator for frames that anything can leave.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, ReversedUDAF, SetMonotonicity,
    Signature,
};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use super::accumulator::{Call, Kept};
use super::states::Parts;

/// How the accumulator of a moving frame does without taking values back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Manner {
    /// It keeps the values and adds them up for each row.
    Keep,
    /// It puts states together.
    Merge,
}

/// Another function, of which all but the accumulator of moving frames is taken.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sliding {
    theirs: Arc<AggregateUDF>,
    manner: Manner,
}

impl Sliding {
    /// Returns a function whose values can leave a frame.
    pub(super) fn over(theirs: Arc<AggregateUDF>, manner: Manner) -> Arc<AggregateUDF> {
        Arc::new(AggregateUDF::from(Self { theirs, manner }))
    }
}

/// Says whether a function stands here for another one already.
pub(super) fn is_sliding(function: &AggregateUDF) -> bool {
    function.inner().is::<Sliding>()
}

/// Says whether a call has an accumulator that values cannot be taken out of, and none that they can.
pub(super) fn cannot_slide(call: &AggregateFunctionExpr) -> bool {
    let refused = matches!(
        call.create_sliding_accumulator(),
        Err(DataFusionError::NotImplemented(_))
    );
    refused && call.create_accumulator().is_ok()
}

impl AggregateUDFImpl for Sliding {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.theirs.schema_name(params)
    }

    fn window_function_schema_name(&self, params: &WindowFunctionParams) -> Result<String> {
        self.theirs.window_function_schema_name(params)
    }

    fn display_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.theirs.display_name(params)
    }

    fn window_function_display_name(&self, params: &WindowFunctionParams) -> Result<String> {
        self.theirs.window_function_display_name(params)
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.theirs.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.theirs.return_type(types)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        self.theirs.return_field(arguments)
    }

    fn is_nullable(&self) -> bool {
        self.theirs.is_nullable()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.theirs.default_value(data_type)
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.theirs.state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.theirs.accumulator(arguments)
    }

    fn create_sliding_accumulator(
        &self,
        arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        let call = Call::of(Arc::clone(&self.theirs), &arguments);
        Ok(match self.manner {
            Manner::Keep => Box::new(Kept::new(call)),
            Manner::Merge => Box::new(Parts::new(call)?),
        })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.theirs.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.theirs.reverse_udf() {
            ReversedUDAF::Identical => ReversedUDAF::Identical,
            ReversedUDAF::NotSupported => ReversedUDAF::NotSupported,
            ReversedUDAF::Reversed(theirs) => {
                ReversedUDAF::Reversed(Self::over(theirs, self.manner))
            }
        }
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.theirs.inner().set_monotonicity(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.theirs.supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}
