//! The value of a scalar subquery, or an error where it has several rows.
//!
//! The first argument is the value of some row, the second how many rows there are, NULL for none. More
//! arguments only keep the call where it stands.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::Array;
use datafusion::arrow::compute::kernels::aggregate::max;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_int64_array;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Returns the function.
pub(super) fn single_row() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        Arc::new(ScalarUDF::new_from_impl(SingleRow {
            signature: Signature::variadic_any(Volatility::Immutable),
        }))
    });
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SingleRow {
    signature: Signature,
}

impl ScalarUDFImpl for SingleRow {
    fn name(&self) -> &str {
        "single_row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [value, DataType::Int64, ..] => Ok(value.clone()),
            _ => plan_err!("`single_row` takes a value and the number of rows"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.args[1].to_array(arguments.number_rows)?;
        let rows = as_int64_array(&rows)?;
        if rows.len() > rows.null_count() && max(rows) > Some(1) {
            return exec_err!("Scalar subquery returned more than one row");
        }
        Ok(arguments.args[0].clone())
    }
}
