//! `<`, `<=`, `>` and `>=` of lists, structs and maps, in which NULL is larger than all values.
//!
//! PostgreSQL's manual, "Row and Array Comparison", and DuckDB say so; DataFusion 55.2 takes a NULL within such
//! a value for the smallest. A value that is NULL itself leaves the comparison unknown.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, Int8Array, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, binary_expr, lit,
};

use crate::function::{call, over_arrays};

static ORDER: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(NestedOrder::new())));

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&ORDER)
}

/// Puts the function in the place of comparisons of nested values.
pub(crate) fn compare(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(binary) = expression else {
        return Ok(Transformed::no(expression));
    };
    let is_order = matches!(
        binary.op,
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
    );
    let types = match is_order {
        true => (binary.left.get_type(schema), binary.right.get_type(schema)),
        false => return Ok(Transformed::no(Expr::BinaryExpr(binary))),
    };
    match types {
        (Ok(left), Ok(right)) if left.is_nested() && left == right => {
            let order = call(&ORDER, vec![*binary.left, *binary.right]);
            let compared = binary_expr(order, binary.op, lit(0_i8));
            Ok(Transformed::yes(compared))
        }
        _ => Ok(Transformed::no(Expr::BinaryExpr(binary))),
    }
}

/// `lakesh_nested_order(a, b)`: -1, 0 or 1 as a is smaller, equal or larger; NULL where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NestedOrder {
    signature: Signature,
}

impl NestedOrder {
    fn new() -> Self {
        Self {
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for NestedOrder {
    fn name(&self) -> &str {
        "lakesh_nested_order"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| match arrays {
            [left, right] => ordered(left, right),
            _ => exec_err!("two values are compared"),
        })
    }
}

fn ordered(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let options = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let comparator = make_comparator(left, right, options)?;
    let orders = (0..left.len()).map(|row| {
        let is_known = left.is_valid(row) && right.is_valid(row);
        is_known.then(|| match comparator(row, row) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })
    });
    Ok(Arc::new(orders.collect::<Int8Array>()))
}
