//! `x + 1 > 10`, `ts - INTERVAL '1 day' >= …`.

use chrono::TimeDelta;
use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::ast::{Clock, bare, binary, clock, integer, is_literal, number, turned};
use crate::range::{
    Bucket, condition, each_comparison, finding, fixed_length, is_utc, moment, moment_literal,
    whole_days,
};
use crate::rewrite;
use crate::scope::ColumnFacts;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "arithmetic-on-column",
    summary: "A filter computes with a column before it compares it.",
    advice: "Move the arithmetic to the other side, so that the column stands alone: `x + 1 > 10` is \
             `x > 9`. Whole numbers and moments only; with fractions the two may round differently.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(*) FROM events WHERE id + 10 > 19990",
    silent: "SELECT count(*) FROM events WHERE id > 19980 + 10",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::conditions(evidence, |found, scope| {
        let table = std::cell::Cell::new(None);
        let after = each_comparison(found, &|left, op, right| {
            let facts = scope.column(innermost(left)?)?;
            table.set(Some(facts.table));
            moved(left, facts, op, right)
        })?;
        Some((after, table.get()?))
    });
    let why = "computes with the column row by row, so that nothing can be skipped by the column's own values";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

/// Returns the column that an expression computes with, if it computes at all.
fn innermost(expression: &Expr) -> Option<&Expr> {
    let inner = match bare(expression) {
        Expr::BinaryOp { left, right, .. } => match (is_literal(left), is_literal(right)) {
            (false, true) => left,
            (true, false) => right,
            _ => return None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => expr,
        _ => return None,
    };
    innermost(inner).or(Some(bare(inner)))
}

/// Brings what is computed with to the side of the value.
fn moved(
    computed: &Expr,
    facts: ColumnFacts<'_>,
    op: &BinaryOperator,
    value: &Expr,
) -> Option<Expr> {
    if facts.data_type().is_integer() {
        // Unsigned numbers of 64 bits become decimals when they are divided.
        let cuts = *facts.data_type() != DataType::UInt64;
        if let Some(divided) = divided(computed, op, value).filter(|_| cuts) {
            return Some(divided);
        }
        let (column, op, value) = isolated(computed, op.clone(), integer(value)?)?;
        return Some(binary(column, op, number(value)));
    }
    let Expr::BinaryOp {
        left,
        op: arithmetic,
        right,
    } = bare(computed)
    else {
        return None;
    };
    let (left, right) = (bare(left), bare(right));
    let (column, operand) = match (is_literal(left), is_literal(right)) {
        (false, true) => (left, right),
        (true, false) if *arithmetic == BinaryOperator::Plus => (right, left),
        _ => return None,
    };
    let opposite = match arithmetic {
        BinaryOperator::Plus => BinaryOperator::Minus,
        BinaryOperator::Minus => BinaryOperator::Plus,
        _ => return None,
    };
    if !matches!(column, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
        return None;
    }
    let alone = |value: Expr| binary(column.clone(), op.clone(), value);
    match facts.data_type() {
        // Digits are added without rounding.
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            let (operand, value) = (integer(operand)?, integer(value)?);
            let value = match opposite {
                BinaryOperator::Plus => value.checked_add(operand)?,
                _ => value.checked_sub(operand)?,
            };
            Some(alone(number(value)))
        }
        DataType::Date32 => {
            let days = whole_days(operand)?;
            let days = match opposite {
                BinaryOperator::Plus => days,
                _ => days.checked_neg()?,
            };
            let day = moment(value)?.checked_add_signed(TimeDelta::try_days(days)?)?;
            moment_literal(day, facts.data_type()).map(alone)
        }
        DataType::Timestamp(_, zone) if is_utc(zone.as_deref()) => {
            let value = match clock(value) {
                Some(Clock::Moment) => value.clone(),
                _ => moment_literal(moment(value)?, facts.data_type())?,
            };
            let exact = fixed_length(operand).is_some();
            exact.then(|| alone(binary(value, opposite, operand.clone())))
        }
        _ => None,
    }
}

/// Writes a comparison of `column / number`, which cuts fractions off, as a range of the column.
fn divided(computed: &Expr, op: &BinaryOperator, value: &Expr) -> Option<Expr> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Divide,
        right,
    } = bare(computed)
    else {
        return None;
    };
    let column @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)) = bare(left) else {
        return None;
    };
    let (value, by) = (integer(value)?, integer(right).filter(|by| *by > 0)?);
    let (first, rest) = (value.checked_mul(by)?, by - 1);
    let low = first.checked_sub(if value > 0 { 0 } else { rest })?;
    let high = first.checked_add(if value < 0 { 0 } else { rest })?;
    let bucket = Bucket {
        low: number(low),
        high: number(high.checked_add(1)?),
    };
    condition(column, op, bucket)
}

/// Solves a comparison of what is computed from whole numbers for the column.
fn isolated(
    computed: &Expr,
    op: BinaryOperator,
    value: i64,
) -> Option<(Expr, BinaryOperator, i64)> {
    match bare(computed) {
        column @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
            Some((column.clone(), op, value))
        }
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => isolated(expr, turned(&op)?, value.checked_neg()?),
        Expr::BinaryOp {
            left,
            op: arithmetic,
            right,
        } => {
            let (inner, constant, is_first) = match (integer(left), integer(right)) {
                (None, Some(constant)) => (left, constant, true),
                (Some(constant), None) => (right, constant, false),
                _ => return None,
            };
            match arithmetic {
                BinaryOperator::Plus => isolated(inner, op, value.checked_sub(constant)?),
                BinaryOperator::Minus if is_first => {
                    isolated(inner, op, value.checked_add(constant)?)
                }
                BinaryOperator::Minus => {
                    isolated(inner, turned(&op)?, constant.checked_sub(value)?)
                }
                BinaryOperator::Multiply if constant > 0 => {
                    let (op, value) = quotient(&op, value, constant)?;
                    isolated(inner, op, value)
                }
                BinaryOperator::Multiply if constant < 0 => {
                    let value = value.checked_neg()?;
                    let (op, value) = quotient(&turned(&op)?, value, constant.checked_neg()?)?;
                    isolated(inner, op, value)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Divides the value of `column * factor op value`, rounding as the comparison asks for.
fn quotient(op: &BinaryOperator, value: i64, factor: i64) -> Option<(BinaryOperator, i64)> {
    let floor = value.div_euclid(factor);
    let exact = value.rem_euclid(factor) == 0;
    Some(match op {
        BinaryOperator::Eq | BinaryOperator::NotEq if !exact => return None,
        // Above the quotient means above its floor, below it means not above its floor.
        BinaryOperator::Lt if !exact => (BinaryOperator::LtEq, floor),
        BinaryOperator::GtEq if !exact => (BinaryOperator::Gt, floor),
        other => (other.clone(), floor),
    })
}
