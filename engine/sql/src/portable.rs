//! The text of an expression that other readers parse: conditions and computed columns in Delta's log.
//!
//! They rank operators in other ways and read `^` as the exclusive or, so that brackets stand where they
//! would differ, a power is a function, and the exclusive or is `^`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, visit_expressions_mut};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::rewrite::call;

/// Writes an expression so that every reader reads it as we do.
#[must_use]
pub fn portable(expression: &Expr) -> String {
    let mut written = expression.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut written, |node| {
        let differs = !is_plain(node);
        for operand in operands(node) {
            if is_operation(operand) && (differs || !is_plain(operand)) {
                *operand = Expr::Nested(Box::new(operand.clone()));
            }
        }
        match node {
            Expr::BinaryOp {
                left,
                op: BinaryOperator::PGExp,
                right,
            } => {
                let arguments = vec![left.as_ref().clone(), right.as_ref().clone()];
                *node = call("power", arguments, Span::empty());
            }
            Expr::BinaryOp { op, .. } if *op == BinaryOperator::PGBitwiseXor => {
                *op = BinaryOperator::BitwiseXor;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    written.to_string()
}

/// Returns what an operation is done to.
fn operands(node: &mut Expr) -> Vec<&mut Expr> {
    match node {
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::UnaryOp { expr, .. } => vec![expr],
        Expr::Like { expr, pattern, .. } | Expr::ILike { expr, pattern, .. } => vec![expr, pattern],
        Expr::Between {
            expr, low, high, ..
        } => vec![expr, low, high],
        Expr::InList { expr, .. } => vec![expr],
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
            vec![left, right]
        }
        Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner)
        | Expr::IsUnknown(inner)
        | Expr::IsNotUnknown(inner) => vec![inner],
        _ => Vec::new(),
    }
}

fn is_operation(node: &Expr) -> bool {
    !operands(&mut node.clone()).is_empty()
}

/// Says whether all readers rank an operation alike.
fn is_plain(node: &Expr) -> bool {
    match node {
        Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::And
                | BinaryOperator::Or
                | BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
                | BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Modulo
        ),
        Expr::UnaryOp { op, .. } => matches!(op, UnaryOperator::Not | UnaryOperator::Minus),
        Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::IsDistinctFrom(_, _)
        | Expr::IsNotDistinctFrom(_, _) => false,
        _ => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::portable;
    use crate::DIALECT;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut parser = Parser::new(&DIALECT).try_with_sql(text).unwrap();
        assert_eq!(portable(&parser.parse_expr().unwrap()), expected);
    }

    #[test]
    fn brackets_stand_where_readers_differ() {
        check(
            "a > 0 AND b + 1 < 5 OR c IS NULL",
            "a > 0 AND b + 1 < 5 OR c IS NULL",
        );
        check("'1' || 2 * 3", "'1' || (2 * 3)");
        check("5 | 2 & 1 = 1", "((5 | 2) & 1) = 1");
        check("a ^ 2 > b # c", "power(a, 2) > (b ^ c)");
        check(
            "a IS NOT DISTINCT FROM b AND c",
            "(a IS NOT DISTINCT FROM b) AND c",
        );
        check("a = b LIKE c", "a = (b LIKE c)");
    }
}
