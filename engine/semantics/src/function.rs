//! What the functions that stand in the place of DataFusion's expressions have in common.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};

/// Returns a call of a function.
pub(crate) fn call(function: &Arc<ScalarUDF>, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), arguments))
}

/// Says whether an expression is a call of a function of the type `F`.
pub(crate) fn is_call<F: ScalarUDFImpl + 'static>(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(call) => call.func.inner().is::<F>(),
        _ => false,
    }
}

/// Computes a function of arrays; the result is a scalar where all arguments are.
pub(crate) fn over_arrays(
    arguments: &ScalarFunctionArgs,
    compute: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let values = &arguments.args;
    let is_scalar = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
    let all_scalar = values.iter().all(is_scalar);
    let rows = match all_scalar {
        true => 1,
        false => arguments.number_rows,
    };
    let arrays: Vec<_> = values
        .iter()
        .map(|value| value.to_array(rows))
        .collect::<Result<_>>()?;
    let computed = compute(&arrays)?;
    match all_scalar {
        true => ScalarValue::try_from_array(&computed, 0).map(ColumnarValue::Scalar),
        false => Ok(ColumnarValue::Array(computed)),
    }
}
