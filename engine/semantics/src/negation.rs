//! Unary minus of an integer is a difference from zero.
//!
//! DataFusion 55.2 takes `-` for a negation of bits where it simplifies: `-(k & 6)` becomes `-k | -6`, and
//! `-k & k` zero (apache/datafusion 24665). And its minus of the smallest integer wraps around;
//! a difference is checked.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, lit};

/// Makes `0 - x` of `-x`.
pub(crate) fn subtract_from_zero(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Negative(inner) = expression else {
        return Ok(Transformed::no(expression));
    };
    let zero = match inner.get_type(schema) {
        Ok(data_type @ (DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)) => {
            ScalarValue::new_zero(&data_type)?
        }
        _ => return Ok(Transformed::no(Expr::Negative(inner))),
    };
    let left = Box::new(lit(zero));
    let difference = BinaryExpr::new(left, Operator::Minus, inner);
    Ok(Transformed::yes(Expr::BinaryExpr(difference)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::common::ToDFSchema;
    use datafusion::logical_expr::simplify::SimplifyContext;
    use datafusion::logical_expr::{col, expr_fn::bitwise_and};
    use datafusion::optimizer::simplify_expressions::ExprSimplifier;

    use super::*;

    fn simplified(expression: Expr) -> Expr {
        let schema = Schema::new(vec![Field::new("k", DataType::Int64, false)]);
        let context = SimplifyContext::builder()
            .with_schema(schema.to_dfschema_ref().unwrap())
            .with_config_options(Arc::default())
            .build();
        ExprSimplifier::new(context).simplify(expression).unwrap()
    }

    #[test]
    fn upstream_takes_minus_for_a_negation_of_bits() {
        let wrong = Expr::Negative(Box::new(bitwise_and(col("k"), lit(6_i64))));
        assert_eq!(simplified(wrong).to_string(), "(- k) | Int64(-6)");
    }
}
