//! The functions that the parser puts into expressions, and that the optimizer takes away again.
//!
//! `_lakesh_as_written(x, 'text')` is x under another name, and `_lakesh_replacing(x, column)` is x where
//! the column exists; see `rewrite` in the crate `sql`.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use lakesh_sql::{AS_WRITTEN, REPLACING};

/// Returns both functions.
pub(crate) fn first_arguments() -> [ScalarUDF; 2] {
    [AS_WRITTEN, REPLACING].map(|name| {
        ScalarUDF::from(FirstArgument {
            name,
            signature: Signature::any(2, Volatility::Immutable),
        })
    })
}

/// The first of two arguments.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FirstArgument {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for FirstArgument {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        match arguments {
            [_, Expr::Literal(ScalarValue::Utf8(Some(written)), _)] => Ok(written.clone()),
            [first, ..] => Ok(first.schema_name().to_string()),
            [] => internal_err!("{} takes two arguments", self.name),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(FieldRef::clone(&arguments.arg_fields[0]))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match arguments.args.into_iter().next() {
            Some(first) => Ok(first),
            None => internal_err!("{} takes two arguments", self.name),
        }
    }

    fn simplify(
        &self,
        mut arguments: Vec<Expr>,
        _context: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Simplified(arguments.swap_remove(0)))
    }
}
