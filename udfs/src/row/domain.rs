//! Functions that are NULL outside their domain: `safe_ln`, `safe_log1p`, `safe_sqrt`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;

use super::{RowArguments, RowBehaviour};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, double};

pub(super) static SAFE_LN: Function = Function {
    name: "safe_ln",
    usage: "safe_ln(x)",
    summary: "Returns the natural logarithm of x.",
    nulls: "NULL if x is NULL, 0 or negative.",
    examples: &["SELECT safe_ln(1), safe_ln(0);"],
    parameters: &["x"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: |types| one_number("safe_ln", types),
        returns: |_| Ok(DataType::Float64),
        compute: |arguments| map(arguments, |x| (x > 0.0 || x.is_nan()).then(|| x.ln())),
        simplify: None,
        makes_nulls: true,
    }),
};

pub(super) static SAFE_LOG1P: Function = Function {
    name: "safe_log1p",
    usage: "safe_log1p(x)",
    summary: "Returns the natural logarithm of 1 + x, exact for small x.",
    nulls: "NULL if x is NULL, -1 or less.",
    examples: &["SELECT safe_log1p(0), safe_log1p(-1);"],
    parameters: &["x"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: |types| one_number("safe_log1p", types),
        returns: |_| Ok(DataType::Float64),
        compute: |arguments| map(arguments, |x| (x > -1.0 || x.is_nan()).then(|| x.ln_1p())),
        simplify: None,
        makes_nulls: true,
    }),
};

pub(super) static SAFE_SQRT: Function = Function {
    name: "safe_sqrt",
    usage: "safe_sqrt(x)",
    summary: "Returns the square root of x.",
    nulls: "NULL if x is NULL or negative.",
    examples: &["SELECT safe_sqrt(9), safe_sqrt(-1);"],
    parameters: &["x"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: |types| one_number("safe_sqrt", types),
        returns: |_| Ok(DataType::Float64),
        compute: |arguments| map(arguments, |x| (x >= 0.0 || x.is_nan()).then(|| x.sqrt())),
        simplify: None,
        makes_nulls: true,
    }),
};

fn one_number(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    Ok(vec![double(name, &types[0])?])
}

fn map(arguments: &RowArguments, function: impl Fn(f64) -> Option<f64>) -> Result<ArrayRef> {
    let column = arguments.column(0)?;
    let values = column.as_primitive::<Float64Type>().iter();
    let mapped: Float64Array = values.map(|value| function(value?)).collect();
    Ok(Arc::new(mapped))
}
