//! Which window expressions the operator can compute.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::window::{
    PlainAggregateWindowExpr, SlidingAggregateWindowExpr, StandardWindowExpr, WindowExpr,
};
use datafusion::physical_plan::windows::WindowUDFExpr;

use crate::kernel::Rolling;
use crate::window::{FeatureAggregate, PartitionFunction};

/// A feature function that is computed batch by batch.
pub(super) struct FeatureCall {
    pub(super) arguments: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) rolling: Box<dyn Rolling>,
    /// How many rows before the current one the frame begins; `None` is the partition's begin.
    pub(super) preceding: Option<u64>,
}

/// Makes what computes an expression; `None` if it is not a feature function over a frame of rows that
/// ends at the current one.
pub(super) fn feature_call(
    expression: &Arc<dyn WindowExpr>,
    schema: &Schema,
) -> Result<Option<FeatureCall>> {
    let any = expression.as_any();
    if let Some(standard) = any.downcast_ref::<StandardWindowExpr>() {
        return shift(standard);
    }
    let aggregate = if let Some(sliding) = any.downcast_ref::<SlidingAggregateWindowExpr>() {
        sliding.get_aggregate_expr()
    } else if let Some(plain) = any.downcast_ref::<PlainAggregateWindowExpr>() {
        plain.get_aggregate_expr()
    } else {
        return Ok(None);
    };
    let Some(function) = aggregate.fun().inner().downcast_ref::<FeatureAggregate>() else {
        return Ok(None);
    };
    let Some(preceding) = rows_before(expression.get_window_frame()) else {
        return Ok(None);
    };
    if aggregate.is_distinct() || has_filter(expression) {
        return Ok(None);
    }
    let arguments = expression.expressions();
    let types = arguments
        .iter()
        .map(|argument| argument.data_type(schema))
        .collect::<Result<Vec<_>>>()?;
    let rolling = function.rolling(&arguments, types, preceding.is_some())?;
    Ok(rolling.map(|rolling| FeatureCall {
        arguments,
        rolling,
        preceding,
    }))
}

/// Says whether a call may have FILTER, which DataFusion keeps to itself: its trait is not public, so
/// what it prints for developers is asked. When in doubt the call stays with DataFusion.
fn has_filter(expression: &Arc<dyn WindowExpr>) -> bool {
    let printed = format!("{expression:?}");
    !printed.contains("filter: None") || printed.contains("filter: Some")
}

fn shift(standard: &StandardWindowExpr) -> Result<Option<FeatureCall>> {
    let function = standard.get_standard_func_expr().as_any();
    let Some(call) = function.downcast_ref::<WindowUDFExpr>() else {
        return Ok(None);
    };
    let Some(function) = call.fun().inner().downcast_ref::<PartitionFunction>() else {
        return Ok(None);
    };
    let arguments = call.args().to_vec();
    let rolling = function.rolling(&arguments)?;
    Ok(rolling.map(|rolling| FeatureCall {
        arguments,
        rolling,
        preceding: None,
    }))
}

/// Returns where a frame begins if it consists of rows and ends at the current one.
fn rows_before(frame: &WindowFrame) -> Option<Option<u64>> {
    if frame.units != WindowFrameUnits::Rows || frame.end_bound != WindowFrameBound::CurrentRow {
        return None;
    }
    match &frame.start_bound {
        WindowFrameBound::CurrentRow => Some(Some(0)),
        WindowFrameBound::Preceding(ScalarValue::UInt64(rows)) => Some(*rows),
        WindowFrameBound::Preceding(distance) if distance.is_null() => Some(None),
        _ => None,
    }
}
