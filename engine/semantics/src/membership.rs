//! What stands in the list of IN is computed for each row, unless it is a constant.
//!
//! DataFusion 55.2 tries a list on a batch without rows and takes it for constant where all of it comes out as
//! scalars, which CASE, COALESCE, AND and OR do there (`try_evaluate_constant_list` in `in_list.rs`):
//! `12 IN (5, CASE WHEN s = 'a' THEN 12 END)` was true in every row. A function that always returns arrays
//! stands around what is not a literal.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::function::{call, is_call};

static PER_ROW: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(PerRow::new())));

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&PER_ROW)
}

/// Puts the function around what depends on the row.
pub(crate) fn compute_per_row(expression: Expr, _schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::InList(list) = expression else {
        return Ok(Transformed::no(expression));
    };
    let mut changed = false;
    let mut around = |element: Expr| match depends_on_row(&element) {
        true => {
            changed = true;
            call(&PER_ROW, vec![element])
        }
        false => element,
    };
    let elements = list.list.into_iter().map(&mut around).collect();
    let list = Expr::InList(InList::new(list.expr, elements, list.negated));
    Ok(match changed {
        true => Transformed::yes(list),
        false => Transformed::no(list),
    })
}

/// A scalar subquery stays what it is: a rule of DataFusion's looks for it.
fn depends_on_row(element: &Expr) -> bool {
    let is_ours = is_call::<PerRow>(element);
    let is_subquery = matches!(element, Expr::ScalarSubquery(_));
    !is_ours && !is_subquery && depends(element)
}

fn depends(element: &Expr) -> bool {
    element.any_column_refs() || element.contains_outer() || element.is_volatile()
}

/// `lakesh_per_row(x)` is x.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PerRow {
    signature: Signature,
}

impl PerRow {
    fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for PerRow {
    fn name(&self) -> &'static str {
        "lakesh_per_row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = arguments.args.as_slice() else {
            return exec_err!("`lakesh_per_row` takes one argument");
        };
        value
            .to_array(arguments.number_rows)
            .map(ColumnarValue::Array)
    }
}
