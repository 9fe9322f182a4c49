//! Columns that take NULL, whatever the query says that makes them.
//!
//! A literal and `count(*)` are never NULL, and a table that is made of them would refuse NULL from then on,
//! which nobody asked for. As in PostgreSQL, DuckDB and Spark, CREATE TABLE AS makes columns that take it.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Makes each column of a plan one that may be NULL.
pub fn taking_null(plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
    let fields = plan.schema().fields();
    if fields.iter().all(|field| field.is_nullable()) {
        return Ok(plan);
    }
    // Volatile, so that of a literal no literal is made again, which is never NULL.
    let function = Arc::new(ScalarUDF::from(TakingNull {
        signature: Signature::any(1, Volatility::Volatile),
    }));
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::from((qualifier, field));
            if field.is_nullable() {
                return column;
            }
            let call = ScalarFunction::new_udf(Arc::clone(&function), vec![column]);
            Expr::ScalarFunction(call).alias_qualified(qualifier.cloned(), field.name())
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Its argument, which may be NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TakingNull {
    signature: Signature,
}

impl ScalarUDFImpl for TakingNull {
    fn name(&self) -> &str {
        "taking_null"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = arguments.arg_fields[0].as_ref().clone();
        Ok(Arc::new(field.with_nullable(true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match arguments.args.into_iter().next() {
            Some(value) => Ok(value),
            None => internal_err!("taking_null takes an argument"),
        }
    }
}
