//! `x = ANY (list)` with a list that holds NULL is unknown where nothing in it is found.
//!
//! DataFusion 55.2 takes NULL for a value that differs, so that NOT keeps the row. It is right about ALL: ANY is
//! written as that. A list that is written out is IN, whose values are pushed into scans.

use datafusion::sql::sqlparser::ast::{Array, BinaryOperator, Expr, UnaryOperator};

/// Writes a comparison with any or all values of a list.
pub(super) fn rewrite(expression: &mut Expr) {
    let written = match &*expression {
        Expr::AnyOp {
            left,
            compare_op,
            right,
            ..
        } => match (compare_op, values(right)) {
            (_, None) if is_subquery(right) => return,
            (BinaryOperator::Eq, Some(list)) => in_list(left, list, false),
            _ => {
                let Some(compare_op) = opposite(compare_op) else {
                    return;
                };
                let all = Expr::AllOp {
                    left: left.clone(),
                    compare_op,
                    right: right.clone(),
                };
                Expr::Nested(Box::new(Expr::UnaryOp {
                    op: UnaryOperator::Not,
                    expr: Box::new(all),
                }))
            }
        },
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => match values(right) {
            Some(list) => in_list(left, list, true),
            None => return,
        },
        _ => return,
    };
    *expression = written;
}

fn is_subquery(expression: &Expr) -> bool {
    match expression {
        Expr::Subquery(_) => true,
        Expr::Nested(inner) => is_subquery(inner),
        _ => false,
    }
}

/// Returns the values of a list that is written out and has any; lists of lists are compared as such.
fn values(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::Nested(inner) => values(inner),
        Expr::Array(Array { elem, .. }) if !elem.is_empty() => {
            let is_nested = |value: &Expr| matches!(value, Expr::Array(_));
            (!elem.iter().any(is_nested)).then_some(elem)
        }
        _ => None,
    }
}

fn in_list(value: &Expr, list: &[Expr], negated: bool) -> Expr {
    Expr::Nested(Box::new(Expr::InList {
        expr: Box::new(value.clone()),
        list: list.to_vec(),
        negated,
    }))
}

fn opposite(op: &BinaryOperator) -> Option<BinaryOperator> {
    Some(match op {
        BinaryOperator::Eq => BinaryOperator::NotEq,
        BinaryOperator::NotEq => BinaryOperator::Eq,
        BinaryOperator::Lt => BinaryOperator::GtEq,
        BinaryOperator::LtEq => BinaryOperator::Gt,
        BinaryOperator::Gt => BinaryOperator::LtEq,
        BinaryOperator::GtEq => BinaryOperator::Lt,
        _ => return None,
    })
}
