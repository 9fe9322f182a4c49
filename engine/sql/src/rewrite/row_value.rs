//! Comparisons of rows: `(a, b) = (c, d)`, `(a, b) < (c, d)`, `(a, b) IN ((1, 2), (3, 4))`.
//!
//! DataFusion makes structures of them, which take a NULL in a field for a value, and only of columns and
//! literals. PostgreSQL's manual, "Row and Array Comparisons": rows are equal where all fields are, unequal
//! where any is, and the first pair that differs orders them.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Spanned, UnaryOperator,
};

use super::{Rewritten, balanced};
use crate::complete::Refusal;

/// Rewrites a comparison of rows as comparisons of their fields.
pub(super) fn rewrite(expression: &mut Expr) -> Rewritten {
    let written = match &*expression {
        Expr::BinaryOp { left, op, right } if is_comparison(op) => match (row(left), row(right)) {
            (Some(left), Some(right)) => compared(&left, op, &right, expression)?,
            _ => return Ok(()),
        },
        Expr::IsDistinctFrom(left, right) => match (row(left), row(right)) {
            (Some(left), Some(right)) => pairs(
                &left,
                &right,
                expression,
                BinaryOperator::Or,
                |left, right| Expr::IsDistinctFrom(Box::new(left), Box::new(right)),
            )?,
            _ => return Ok(()),
        },
        Expr::IsNotDistinctFrom(left, right) => match (row(left), row(right)) {
            (Some(left), Some(right)) => pairs(
                &left,
                &right,
                expression,
                BinaryOperator::And,
                |left, right| Expr::IsNotDistinctFrom(Box::new(left), Box::new(right)),
            )?,
            _ => return Ok(()),
        },
        Expr::InList {
            expr,
            list,
            negated,
        } => {
            let Some(left) = row(expr) else { return Ok(()) };
            let mut any = Vec::with_capacity(list.len());
            for item in list {
                let Some(right) = row(item) else {
                    return Err(Refusal::at(
                        item.span().start,
                        format!("a row is compared with `{item}`, which is none"),
                    ));
                };
                any.push(compared(&left, &BinaryOperator::Eq, &right, item)?);
            }
            not_if(*negated, balanced(any, BinaryOperator::Or))
        }
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => match (row(expr), row(low), row(high)) {
            (Some(value), Some(low), Some(high)) => {
                let above = compared(&value, &BinaryOperator::GtEq, &low, expression)?;
                let below = compared(&value, &BinaryOperator::LtEq, &high, expression)?;
                not_if(*negated, balanced(vec![above, below], BinaryOperator::And))
            }
            _ => return Ok(()),
        },
        Expr::IsNull(inner) => match row(inner) {
            Some(fields) => each(fields, |field| Expr::IsNull(Box::new(field))),
            None => return Ok(()),
        },
        Expr::IsNotNull(inner) => match row(inner) {
            Some(fields) => each(fields, |field| Expr::IsNotNull(Box::new(field))),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    *expression = written;
    Ok(())
}

/// Says whether an operator compares two values.
pub(super) fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Spaceship
    )
}

/// Returns the fields of `(a, b)` or `ROW(a, b)`.
pub(super) fn row(expression: &Expr) -> Option<Vec<Expr>> {
    match expression {
        Expr::Tuple(fields) if !fields.is_empty() => Some(fields.clone()),
        Expr::Nested(inner) => match inner.as_ref() {
            Expr::Tuple(_) => row(inner),
            _ => None,
        },
        Expr::Function(Function {
            name,
            args:
                FunctionArguments::List(FunctionArgumentList {
                    duplicate_treatment: None,
                    args,
                    clauses,
                }),
            over: None,
            ..
        }) if clauses.is_empty() && name.to_string().eq_ignore_ascii_case("row") => args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(field)) => Some(field.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn compared(
    left: &[Expr],
    op: &BinaryOperator,
    right: &[Expr],
    whole: &Expr,
) -> Result<Expr, Refusal> {
    let by = |op: &BinaryOperator| {
        let op = op.clone();
        move |left, right| binary(left, op.clone(), right)
    };
    match op {
        BinaryOperator::Eq | BinaryOperator::Spaceship => {
            pairs(left, right, whole, BinaryOperator::And, by(op))
        }
        BinaryOperator::NotEq => pairs(left, right, whole, BinaryOperator::Or, by(op)),
        _ => {
            same_length(left, right, whole)?;
            Ok(ordered(left, op, right))
        }
    }
}

fn pairs(
    left: &[Expr],
    right: &[Expr],
    whole: &Expr,
    joined_by: BinaryOperator,
    compare: impl Fn(Expr, Expr) -> Expr,
) -> Result<Expr, Refusal> {
    same_length(left, right, whole)?;
    let fields = left.iter().cloned().zip(right.iter().cloned());
    let conditions = fields.map(|(left, right)| compare(left, right));
    Ok(bracketed(balanced(conditions.collect(), joined_by)))
}

/// `a < x OR (a = x AND …)`: the first pair that differs decides.
fn ordered(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> Expr {
    let strict = match op {
        BinaryOperator::LtEq => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::Gt,
        other => other.clone(),
    };
    let mut fields = left.iter().zip(right).rev();
    let Some((left, right)) = fields.next() else {
        return balanced(Vec::new(), BinaryOperator::And);
    };
    let mut condition = binary(left.clone(), op.clone(), right.clone());
    for (left, right) in fields {
        let equal = binary(left.clone(), BinaryOperator::Eq, right.clone());
        let rest = bracketed(binary(equal, BinaryOperator::And, condition));
        let before = binary(left.clone(), strict.clone(), right.clone());
        condition = bracketed(binary(before, BinaryOperator::Or, rest));
    }
    bracketed(condition)
}

fn same_length(left: &[Expr], right: &[Expr], whole: &Expr) -> Rewritten {
    match left.len() == right.len() {
        true => Ok(()),
        false => Err(Refusal::at(
            whole.span().start,
            format!(
                "rows of {} and {} fields cannot be compared",
                left.len(),
                right.len()
            ),
        )),
    }
}

fn each(fields: Vec<Expr>, condition: impl Fn(Expr) -> Expr) -> Expr {
    let conditions = fields.into_iter().map(condition).collect();
    bracketed(balanced(conditions, BinaryOperator::And))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

fn bracketed(expression: Expr) -> Expr {
    match expression {
        Expr::Nested(_) => expression,
        other => Expr::Nested(Box::new(other)),
    }
}

fn not_if(negated: bool, condition: Expr) -> Expr {
    match negated {
        false => bracketed(condition),
        true => bracketed(Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(bracketed(condition)),
        }),
    }
}
