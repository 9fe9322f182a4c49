//! Slices without a bound: `list[2:]` ends at the last element, `list[:2]` begins at the first.

use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Subscript, UnaryOperator, Value};

/// Gives a slice the bounds that it does not name.
pub(super) fn rewrite(expression: &mut Expr) {
    let Expr::CompoundFieldAccess { access_chain, .. } = expression else {
        return;
    };
    for access in access_chain {
        if let AccessExpr::Subscript(Subscript::Slice {
            lower_bound,
            upper_bound,
            ..
        }) = access
        {
            lower_bound.get_or_insert_with(one);
            upper_bound.get_or_insert_with(|| Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: Box::new(one()),
            });
        }
    }
}

fn one() -> Expr {
    Expr::value(Value::Number("1".to_owned(), false))
}
