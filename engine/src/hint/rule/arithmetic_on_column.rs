//! `x + 1 > 10`, `ts - INTERVAL '1 day' >= …`.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::hint::ast::{bare, binary, integer, is_literal, number};
use crate::hint::range::{each_comparison, finding, is_utc, moment, moment_literal};
use crate::hint::rewrite;
use crate::hint::scope::ColumnFacts;
use crate::hint::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "arithmetic-on-column",
    summary: "A filter computes with a column before it compares it.",
    advice: "Move the arithmetic to the other side, so that the column stands alone: `x + 1 > 10` is \
             `x > 9`. Whole numbers and moments only; with fractions the two may round differently.",
    measured: false,
    setup: super::EVENTS,
    fires: "SELECT count(*) FROM events WHERE id + 10 > 19990",
    silent: "SELECT count(*) FROM events WHERE id > 19980 + 10",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::conditions(evidence, |found, scope| {
        let table = std::cell::Cell::new(None);
        let after = each_comparison(found, &|left, op, right| {
            let Expr::BinaryOp {
                left: first,
                op: arithmetic,
                right: second,
            } = left
            else {
                return None;
            };
            let (first, second) = (bare(first), bare(second));
            let (column, operand) = match (is_literal(first), is_literal(second)) {
                (false, true) => (first, second),
                (true, false) if *arithmetic != BinaryOperator::Minus => (second, first),
                _ => return None,
            };
            let facts = scope.column(column)?;
            table.set(Some(facts.table));
            moved(column, facts, arithmetic, operand, op, right)
        })?;
        Some((after, table.get()?))
    });
    let why = "computes with the column row by row, so that nothing can be skipped by the column's own values";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

/// Brings the operand to the side of the value.
fn moved(
    column: &Expr,
    facts: ColumnFacts<'_>,
    arithmetic: &BinaryOperator,
    operand: &Expr,
    op: &BinaryOperator,
    value: &Expr,
) -> Option<Expr> {
    let alone = |value: Expr| binary(column.clone(), op.clone(), value);
    match facts.data_type() {
        data_type if data_type.is_integer() => {
            let (operand, value) = (integer(operand)?, integer(value)?);
            match arithmetic {
                BinaryOperator::Plus => Some(alone(number(value.checked_sub(operand)?))),
                BinaryOperator::Minus => Some(alone(number(value.checked_add(operand)?))),
                BinaryOperator::Multiply if operand > 0 => quotient(op, value, operand)
                    .map(|(op, value)| binary(column.clone(), op, number(value))),
                _ => None,
            }
        }
        DataType::Timestamp(_, zone) if is_utc(zone.as_deref()) => {
            let value = moment_literal(moment(value)?, facts.data_type())?;
            let exact =
                matches!(operand, Expr::Interval(interval) if is_fixed(&interval.to_string()));
            let opposite = match arithmetic {
                BinaryOperator::Plus => BinaryOperator::Minus,
                BinaryOperator::Minus => BinaryOperator::Plus,
                _ => return None,
            };
            exact.then(|| alone(binary(value, opposite, operand.clone())))
        }
        _ => None,
    }
}

/// Says whether an interval is the same length everywhere: months are not.
fn is_fixed(interval: &str) -> bool {
    let interval = interval.to_lowercase();
    !["month", "year", "mon", "quarter"]
        .iter()
        .any(|unit| interval.contains(unit))
        && ["day", "hour", "minute", "second", "week"]
            .iter()
            .any(|unit| interval.contains(unit))
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
