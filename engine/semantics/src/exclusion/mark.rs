//! The function whose call marks a window, so that the planner of expressions can read it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use lakesh_sql::EXCLUSION;

/// Returns the function.
pub(crate) fn mark() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Mark {
        signature: Signature::string(1, Volatility::Immutable),
    }))
}

/// It is never called: planning takes it away.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Mark {
    signature: Signature,
}

impl ScalarUDFImpl for Mark {
    fn name(&self) -> &str {
        EXCLUSION
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("EXCLUDE stands behind the frame of a window function and nowhere else")
    }
}
