//! Parts of expressions that stand as functions without a meaning for a while.

use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use crate::function::call;

/// What becomes of a hidden part in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kept {
    /// It is simplified for itself.
    Alone,
    /// It stays what it is.
    AsItIs,
}

/// Hides a part; one without columns stays, since it will become a constant.
pub(super) fn hidden(part: Expr, kept: Kept, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let columns: Vec<Expr> = part
        .column_refs()
        .into_iter()
        .map(|column| Expr::Column(column.clone()))
        .collect();
    if columns.is_empty() {
        return Ok(Transformed::no(part));
    }
    let volatility = match part.is_volatile() {
        true => Volatility::Volatile,
        false => Volatility::Immutable,
    };
    let function = Hidden {
        nullable: part.nullable(schema)?,
        part,
        kept,
        signature: Signature::variadic_any(volatility),
    };
    let function = Arc::new(ScalarUDF::from(function));
    Ok(Transformed::yes(call(&function, columns)))
}

/// Returns what was hidden, with a NOT that stands before it.
pub(super) fn revealed(expression: Expr, simplifier: &ExprSimplifier) -> Result<Transformed<Expr>> {
    let (negated, found) = match &expression {
        Expr::Not(inner) => (true, hidden_in(inner)),
        other => (false, hidden_in(other)),
    };
    let Some((part, kept)) = found else {
        return Ok(Transformed::no(expression));
    };
    let part = match negated {
        true => Expr::Not(Box::new(part)),
        false => part,
    };
    let part = match kept {
        Kept::Alone => simplifier.simplify(part)?,
        Kept::AsItIs => part,
    };
    Ok(Transformed::new(part, true, TreeNodeRecursion::Jump))
}

fn hidden_in(expression: &Expr) -> Option<(Expr, Kept)> {
    let Expr::ScalarFunction(call) = expression else {
        return None;
    };
    let hidden = call.func.inner().downcast_ref::<Hidden>()?;
    Some((hidden.part.clone(), hidden.kept))
}

/// Stands for a condition.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Hidden {
    part: Expr,
    kept: Kept,
    nullable: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Hidden {
    fn name(&self) -> &'static str {
        "lakesh_hidden"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(
            self.name(),
            DataType::Boolean,
            self.nullable,
        )))
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("a condition has been left hidden")
    }

    fn schema_name(&self, _arguments: &[Expr]) -> Result<String> {
        // Nothing is to change its name.
        Ok(self.part.schema_name().to_string())
    }
}
