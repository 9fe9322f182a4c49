//! What stands in the list of IN is computed for each row, unless it is a constant.
//!
//! DataFusion 55.2 tries a list on a batch without rows and takes it for constant where all of it comes out as
//! scalars, which CASE, COALESCE, AND and OR do there (`try_evaluate_constant_list` in `in_list.rs`):
//! `12 IN (5, CASE WHEN s = 'a' THEN 12 END)` was true in every row. So what depends on the row is compared
//! by itself, or a function stands around it that always returns arrays.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::function::{call, is_call};

static PER_ROW: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(PerRow::new())));

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&PER_ROW)
}

/// So many comparisons at most are written out for what a list compares with row by row.
const MOST_COMPARISONS: usize = 8;

/// Takes what depends on the row out of the lists of IN: a few are compared one by one, as joins like it, and
/// the function stands around many.
pub(crate) fn compute_per_row(expression: Expr, _schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::InList(list) = expression else {
        return Ok(Transformed::no(expression));
    };
    let count = list
        .list
        .iter()
        .filter(|element| depends_on_row(element))
        .count();
    Ok(match count {
        0 => Transformed::no(Expr::InList(list)),
        1..=MOST_COMPARISONS if !list.expr.is_volatile() => Transformed::yes(written_out(list)),
        _ => Transformed::yes(around_each(list)),
    })
}

/// `e IN (1, a, b)` is `e IN (1) OR e = a OR e = b`.
fn written_out(list: InList) -> Expr {
    let InList {
        expr,
        list,
        negated,
    } = list;
    let (per_row, constant): (Vec<_>, Vec<_>) = list.into_iter().partition(depends_on_row);
    let one_by_one = per_row.into_iter().map(|element| match negated {
        true => expr.as_ref().clone().not_eq(element),
        false => expr.as_ref().clone().eq(element),
    });
    let together =
        (!constant.is_empty()).then(|| Expr::InList(InList::new(expr.clone(), constant, negated)));
    let parts = together.into_iter().chain(one_by_one);
    let whole = match negated {
        true => parts.reduce(Expr::and),
        false => parts.reduce(Expr::or),
    };
    whole.unwrap_or_else(|| lit(negated))
}

fn around_each(list: InList) -> Expr {
    let elements = list
        .list
        .into_iter()
        .map(|element| match depends_on_row(&element) {
            true => call(&PER_ROW, vec![element]),
            false => element,
        });
    Expr::InList(InList::new(list.expr, elements.collect(), list.negated))
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
