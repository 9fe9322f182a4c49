//! Conditions on what is computed from a column, as conditions on the column itself.
//!
//! A function that never decreases maps a range of the column to one value. A comparison of that value
//! with a literal is then a comparison of the column with an end of the range, which files and row
//! groups can be skipped by.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType as SqlType, Expr, Interval, UnaryOperator, Value, ValueWithSpan,
};

use super::ast::{
    all_of, bare, binary, bracketed, columns, comparison, integer, is_literal, moment_call, parsed,
    text,
};
use super::evidence::{Evidence, TableFacts};
use super::finding::{Finding, Severity};
use super::rewrite::Rewritten;
use super::scans::{number, parts_that_meet, ranges};

/// Lists longer than this stay as they are.
const LONGEST_LIST: usize = 16;

/// The values of a column that give one value of a function: from `low` on, below `high`.
pub(crate) struct Bucket {
    pub(crate) low: Expr,
    pub(crate) high: Expr,
}

/// Writes `function(column) op value` as a condition on the column.
pub(crate) fn condition(column: &Expr, op: &BinaryOperator, bucket: Bucket) -> Option<Expr> {
    let Bucket { low, high } = bucket;
    let at = |op: BinaryOperator, end: Expr| binary(column.clone(), op, end);
    Some(match op {
        BinaryOperator::Eq => binary(
            at(BinaryOperator::GtEq, low),
            BinaryOperator::And,
            at(BinaryOperator::Lt, high),
        ),
        BinaryOperator::NotEq => Expr::Nested(Box::new(binary(
            at(BinaryOperator::Lt, low),
            BinaryOperator::Or,
            at(BinaryOperator::GtEq, high),
        ))),
        BinaryOperator::Lt => at(BinaryOperator::Lt, low),
        BinaryOperator::LtEq => at(BinaryOperator::Lt, high),
        BinaryOperator::Gt => at(BinaryOperator::GtEq, high),
        BinaryOperator::GtEq => at(BinaryOperator::GtEq, low),
        _ => return None,
    })
}

/// Applies a function that turns `left op literal` into another condition to comparisons, to BETWEEN
/// and to short lists.
pub(crate) fn each_comparison(
    condition: &Expr,
    turn: &dyn Fn(&Expr, &BinaryOperator, &Expr) -> Option<Expr>,
) -> Option<Expr> {
    match bare(condition) {
        Expr::BinaryOp { .. } => {
            let found = comparison(condition)?;
            turn(found.left, &found.op, found.right)
        }
        Expr::Between {
            expr,
            negated: false,
            low,
            high,
        } if is_literal(low) && is_literal(high) => all_of(vec![
            turn(bare(expr), &BinaryOperator::GtEq, low)?,
            turn(bare(expr), &BinaryOperator::LtEq, high)?,
        ]),
        Expr::InList {
            expr,
            list,
            negated: false,
        } if list.len() <= LONGEST_LIST && list.iter().all(is_literal) => {
            let each: Option<Vec<Expr>> = list
                .iter()
                .map(|value| turn(bare(expr), &BinaryOperator::Eq, value).map(bracketed))
                .collect();
            let or = |left, right| binary(left, BinaryOperator::Or, right);
            Some(bracketed(each?.into_iter().reduce(or)?))
        }
        // It is false where the column is NULL.
        Expr::IsNotDistinctFrom(left, right) if is_literal(right) => {
            let equal = turn(bare(left), &BinaryOperator::Eq, right)?;
            let [column] = columns(left)?.try_into().ok()?;
            all_of(vec![equal, Expr::IsNotNull(Box::new(column))])
        }
        _ => None,
    }
}

/// Reads a date or a moment that stands in the text; of a DATE the time of day is cut off, as it is there.
pub(crate) fn moment(expression: &Expr) -> Option<NaiveDateTime> {
    let (text, is_date) = match bare(expression) {
        Expr::TypedString(typed) => match &typed.value.value {
            Value::SingleQuotedString(text) => (text.as_str(), typed.data_type == SqlType::Date),
            _ => return None,
        },
        Expr::Cast {
            expr, data_type, ..
        } => (text(expr)?, *data_type == SqlType::Date),
        Expr::BinaryOp { left, op, right } => {
            let days = whole_days(bare(right))?;
            let days = match op {
                BinaryOperator::Plus => days,
                BinaryOperator::Minus => days.checked_neg()?,
                _ => return None,
            };
            return moment(left)?.checked_add_signed(TimeDelta::try_days(days)?);
        }
        other => match moment_call(other) {
            Some((function, text)) => (text, function == "to_date"),
            None => (text(other)?, false),
        },
    };
    let moment = parse_moment(text)?;
    Some(match is_date {
        true => moment.date().and_time(NaiveTime::MIN),
        false => moment,
    })
}

fn parse_moment(text: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN));
    }
    [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// Writes a moment as a literal of a column's type; `None` for types that are no moments, or whose
/// zone is not UTC.
pub(crate) fn moment_literal(moment: NaiveDateTime, data_type: &DataType) -> Option<Expr> {
    let text = match data_type {
        DataType::Date32 | DataType::Date64 if moment.time() == NaiveTime::MIN => {
            format!("DATE '{}'", moment.format("%Y-%m-%d"))
        }
        DataType::Timestamp(_, zone) if is_utc(zone.as_deref()) => {
            format!("TIMESTAMP '{}'", moment.format("%Y-%m-%dT%H:%M:%S%.f"))
        }
        _ => return None,
    };
    parsed(&text)
}

/// Says whether moments of a zone are those of UTC.
pub(crate) fn is_utc(zone: Option<&str>) -> bool {
    zone.is_none_or(|zone| ["UTC", "+00:00", "Z"].contains(&zone))
}

/// Says what a filter on the column itself would skip.
pub(crate) fn finding(evidence: &Evidence, rewritten: Rewritten<'_>, why: &str) -> Finding {
    let mut severity = rewritten.severity(evidence);
    let mut finding = Finding::new(
        severity,
        rewritten.node(),
        format!("`{}` {why}", rewritten.before()),
    );
    let table = rewritten.changes.iter().find_map(|change| change.table);
    if let Some(table) = table {
        finding = finding.evidence(format!("{} rows", table.estimated_rows()));
        let parts = rewritten
            .changes
            .iter()
            .filter_map(|change| parts_read(evidence, table, &parsed(&change.after)?))
            .min_by_key(|(hit, _)| *hit);
        if let Some((hit, all)) = parts {
            finding = finding
                .evidence(format!(
                    "the range meets {hit} of {all} files or row groups"
                ))
                .gain(all as f64 / hit.max(1) as f64);
            // Where the range is everywhere nothing is skipped.
            if hit == all && all >= 4 {
                severity = Severity::Info;
            }
        } else {
            finding = finding.gain(1.5);
        }
    }
    finding.severity = severity;
    finding.rewrite(rewritten.tree)
}

/// Counts the parts of a table that hold values of a range, and all parts.
fn parts_read(evidence: &Evidence, table: &TableFacts, range: &Expr) -> Option<(usize, usize)> {
    let mut low: Option<f64> = None;
    let mut high: Option<f64> = None;
    let mut column = None;
    for part in super::ast::conjuncts(range) {
        let found = comparison(part)?;
        let name = match found.left {
            Expr::Identifier(name) => lakesh_sql::normalized(name),
            Expr::CompoundIdentifier(parts) => lakesh_sql::normalized(parts.last()?),
            _ => return None,
        };
        let field = table.field(&name)?;
        let value = scalar(found.right, field.data_type())
            .as_ref()
            .and_then(number)?;
        match found.op {
            BinaryOperator::Gt | BinaryOperator::GtEq => low = Some(value),
            BinaryOperator::Lt | BinaryOperator::LtEq => high = Some(value),
            BinaryOperator::Eq => (low, high) = (Some(value), Some(value)),
            _ => return None,
        }
        column = Some(name);
    }
    let ranges = ranges(table, &evidence.scans, &column?);
    (!ranges.is_empty()).then(|| (parts_that_meet(&ranges, low, high), ranges.len()))
}

/// Reads a literal as a value of a column's type.
pub(crate) fn scalar(literal: &Expr, data_type: &DataType) -> Option<ScalarValue> {
    let value_type = match data_type {
        DataType::Dictionary(_, value) => value,
        other => other,
    };
    let is_temporal = value_type.is_temporal();
    let text = match bare(literal) {
        Expr::Value(ValueWithSpan {
            value: Value::Number(digits, _),
            ..
        }) => digits.clone(),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => format!("-{expr}"),
        Expr::UnaryOp {
            op: UnaryOperator::Plus,
            expr,
        } => expr.to_string(),
        other => match moment(other).filter(|_| is_temporal) {
            Some(moment) => moment.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            None => super::ast::text(other)?.to_owned(),
        },
    };
    let text = match value_type {
        DataType::Date32 => text.get(..10)?.to_owned(),
        // A value that the type would round is none of its values.
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)
            if digits_behind_point(&text) > usize::try_from(*scale).ok()? =>
        {
            return None;
        }
        _ => text,
    };
    ScalarValue::try_from_string(text, value_type).ok()
}

fn digits_behind_point(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, digits)| digits.len())
}

/// Returns how many days an interval or a number that is added to a date has.
pub(crate) fn whole_days(operand: &Expr) -> Option<i64> {
    if !matches!(operand, Expr::Interval(_)) {
        return integer(operand);
    }
    let (amount, unit) = interval(operand)?;
    match unit.as_str() {
        "day" => Some(amount),
        "week" => amount.checked_mul(7),
        _ => None,
    }
}

/// Returns the length of an interval, if it is the same everywhere: months and years are not.
pub(crate) fn fixed_length(operand: &Expr) -> Option<TimeDelta> {
    if let Some((amount, unit)) = interval(operand) {
        return length(amount, &unit);
    }
    // `1 day 2 hours`
    let Expr::Interval(Interval {
        value,
        leading_field: None,
        ..
    }) = bare(operand)
    else {
        return None;
    };
    let words: Vec<&str> = text(value)?.split_whitespace().collect();
    let mut all = TimeDelta::zero();
    for pair in words.chunks(2) {
        let [amount, unit] = pair else {
            return None;
        };
        let part = length(amount.parse().ok()?, &singular(unit))?;
        all = all.checked_add(&part)?;
    }
    Some(all)
}

fn length(amount: i64, unit: &str) -> Option<TimeDelta> {
    match unit {
        "second" => TimeDelta::try_seconds(amount),
        "minute" => TimeDelta::try_minutes(amount),
        "hour" => TimeDelta::try_hours(amount),
        "day" => TimeDelta::try_days(amount),
        "week" => TimeDelta::try_weeks(amount),
        _ => None,
    }
}

fn singular(unit: &str) -> String {
    unit.to_lowercase().trim_end_matches('s').to_owned()
}

/// Reads an interval of one unit: `INTERVAL '2 days'`, `INTERVAL '2' DAY`, `INTERVAL 2 DAY`.
fn interval(expression: &Expr) -> Option<(i64, String)> {
    let Expr::Interval(interval) = bare(expression) else {
        return None;
    };
    let unit = interval.leading_field.as_ref().map(ToString::to_string);
    let (amount, unit) = match (unit, text(&interval.value)) {
        (Some(unit), Some(amount)) => (amount.trim().parse().ok()?, unit),
        (Some(unit), None) => (integer(&interval.value)?, unit),
        (None, amount) => {
            let (amount, unit) = amount?.trim().split_once(' ')?;
            (amount.parse().ok()?, unit.trim().to_owned())
        }
    };
    Some((amount, singular(&unit)))
}
