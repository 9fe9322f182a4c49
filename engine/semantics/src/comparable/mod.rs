//! Values that are equal in SQL are made one before they are compared, grouped or sorted.
//!
//! Arrow orders doubles by their bits: -NaN, which 0.0 / 0.0 is on x86, comes before all numbers, NaN after
//! them, and -0.0 before 0.0. In PostgreSQL and DuckDB there is one NaN, greater than all numbers, and one
//! zero. DataFusion 55.2 knows one zero in `=`, GROUP BY and joins, but not in NULLIF, CASE, IN, ORDER BY,
//! windows and greatest, and one NaN nowhere (apache/datafusion 24432, 13415). Intervals it compares field by
//! field, so that 36 hours are less than a day.

mod kernel;
mod numbers;
mod places;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::function::{call, is_call, over_arrays};
pub(crate) use numbers::CompareNumbers;
pub(crate) use places::CompareCanonical;

static CANONICAL: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Canonical::new())));

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&CANONICAL)
}

/// Says whether a type has several values that are equal.
fn has_several_forms(data_type: &DataType) -> bool {
    data_type.is_floating() || matches!(data_type, DataType::Interval(_))
}

fn needs_form(expression: &Expr, schema: &DFSchema) -> bool {
    let data_type = expression.get_type(schema);
    data_type.is_ok_and(|data_type| has_several_forms(&data_type))
}

/// Puts the function around an expression of a type with several forms of one value.
fn canonical(expression: Expr, schema: &DFSchema) -> Expr {
    match needs_form(&expression, schema) && !is_call::<Canonical>(&expression) {
        true => call(&CANONICAL, vec![expression]),
        false => expression,
    }
}

/// `lakesh_canonical(x)`: the one of the values equal to x that stands for them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Canonical {
    signature: Signature,
}

impl Canonical {
    fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Canonical {
    fn name(&self) -> &'static str {
        "lakesh_canonical"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| match arrays {
            [values] => kernel::canonical(values),
            _ => exec_err!("`lakesh_canonical` takes one argument"),
        })
    }
}
