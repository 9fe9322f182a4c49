//! `CAST(ts AS DATE) = …`, `date(ts) = …`, `CAST(id AS VARCHAR) = …`.

use chrono::{Days, NaiveTime};
use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType as SqlType, Expr, TimezoneInfo};

use crate::ast::{Clock, bare, binary, call, clock, number, parsed, text};
use crate::range::{
    Bucket, condition, each_comparison, finding, moment, moment_literal, whole_days,
};
use crate::rewrite;
use crate::scope::{ColumnFacts, SelectScope};
use crate::{Evidence, Finding, Rule};

use super::date_function_on_column::of_prefix;
use super::prefix_function_on_column::prefix;

pub(super) static RULE: Rule = Rule {
    name: "cast-on-column",
    summary: "A filter casts a column before it compares it.",
    advice: "Compare the column in its own type: a day is a range of moments, a number in quotes is \
             a number. Then files and row groups can be skipped, and nothing is converted row by row.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(*) FROM events WHERE CAST(ts AS DATE) = '2024-03-05'",
    silent: "SELECT count(*) FROM events WHERE CAST(id AS DOUBLE) / 3 > 7",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::conditions(evidence, |found, scope| {
        let table = std::cell::Cell::new(None);
        if let Some((column, bucket, op, facts)) = begins_with(found, scope) {
            return Some((condition(column, &op, bucket)?, facts.table));
        }
        let after = each_comparison(found, &|left, op, right| {
            let (column, to) = cast(left)?;
            let facts = scope.column(column)?;
            table.set(Some(facts.table));
            match to {
                Target::Date => day(column, facts, op, right),
                Target::Moment => midnight(column, facts, op, right),
                Target::Number => whole(column, facts, op, right),
                Target::Text => digits(column, facts, op, right),
            }
        })?;
        Some((after, table.get()?))
    });
    let why =
        "casts the column row by row, so that nothing can be skipped by the column's own values";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

enum Target {
    Date,
    Moment,
    Number,
    Text,
}

fn cast(expression: &Expr) -> Option<(&Expr, Target)> {
    if let Expr::Cast {
        expr, data_type, ..
    } = expression
    {
        let to = match data_type {
            SqlType::Date => Target::Date,
            SqlType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
                Target::Moment
            }
            SqlType::Double(_) | SqlType::DoublePrecision => Target::Number,
            SqlType::Varchar(None) | SqlType::Text | SqlType::String(None) => Target::Text,
            _ => return None,
        };
        return Some((expr, to));
    }
    let (name, arguments) = call(expression)?;
    match (name.as_str(), arguments.as_slice()) {
        ("date" | "to_date", [column]) => Some((column, Target::Date)),
        ("arrow_cast", [column, kind]) if text(kind)? == "Date32" => Some((column, Target::Date)),
        _ => None,
    }
}

fn day(column: &Expr, facts: ColumnFacts<'_>, op: &BinaryOperator, value: &Expr) -> Option<Expr> {
    let is_moment = matches!(facts.data_type(), DataType::Timestamp(..));
    if matches!(facts.data_type(), DataType::Timestamp(_, None))
        && let Some(bucket) = today(value)
    {
        return condition(column, op, bucket);
    }
    let low = moment(value)?;
    if low.time() != NaiveTime::MIN || !is_moment {
        return None;
    }
    let bucket = Bucket {
        low: moment_literal(low, facts.data_type())?,
        high: moment_literal(low.checked_add_days(Days::new(1))?, facts.data_type())?,
    };
    condition(column, op, bucket)
}

/// The moments of the day that `current_date`, or some days from it, is.
fn today(value: &Expr) -> Option<Bucket> {
    let clocked = match bare(value) {
        Expr::BinaryOp { left, right, .. } => whole_days(bare(right)).and(clock(left)),
        other => clock(other),
    };
    if clocked? != Clock::Day {
        return None;
    }
    Some(Bucket {
        low: parsed(&format!("CAST({value} AS TIMESTAMP)"))?,
        high: parsed(&format!("CAST({value} AS TIMESTAMP) + INTERVAL '1 day'"))?,
    })
}

/// A day is compared with a moment by its beginning.
fn midnight(
    column: &Expr,
    facts: ColumnFacts<'_>,
    op: &BinaryOperator,
    value: &Expr,
) -> Option<Expr> {
    let value = moment(value)?;
    let day = value.date().and_time(NaiveTime::MIN);
    let op = match op {
        op if value == day => op.clone(),
        BinaryOperator::Gt | BinaryOperator::GtEq => BinaryOperator::Gt,
        BinaryOperator::Lt | BinaryOperator::LtEq => BinaryOperator::LtEq,
        _ => return None,
    };
    let is_day = matches!(facts.data_type(), DataType::Date32);
    let day = moment_literal(day, facts.data_type()).filter(|_| is_day)?;
    Some(binary(column.clone(), op, day))
}

/// Below this, each whole number is a float of its own.
const EXACT: i64 = 1 << 53;

/// A whole number is compared with a whole float as numbers are.
fn whole(column: &Expr, facts: ColumnFacts<'_>, op: &BinaryOperator, value: &Expr) -> Option<Expr> {
    let digits = value.to_string();
    let digits = digits
        .split_once('.')
        .map_or(digits.as_str(), |(whole, rest)| {
            if rest.chars().all(|digit| digit == '0') {
                whole
            } else {
                ""
            }
        });
    let value: i64 = digits.parse().ok()?;
    let exact = facts.data_type().is_integer() && (1 - EXACT..EXACT).contains(&value);
    exact.then(|| binary(column.clone(), op.clone(), number(value)))
}

/// Reads a search for dates as text: `CAST(ts AS VARCHAR) LIKE '2024-03%'`, `left(ts::text, 7) = '2024-03'`.
fn begins_with<'e, 'a>(
    found: &'e Expr,
    scope: &SelectScope<'a>,
) -> Option<(&'e Expr, Bucket, BinaryOperator, ColumnFacts<'a>)> {
    let (as_text, prefix, negated) = match bare(found) {
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char: None,
        } => (bare(expr), text(pattern)?.strip_suffix('%')?, *negated),
        other => prefix(other)?,
    };
    let (column, Target::Text) = cast(as_text)? else {
        return None;
    };
    let facts = scope.column(column)?;
    let (low, high) = of_prefix(prefix)?;
    let bucket = Bucket {
        low: moment_literal(low, facts.data_type())?,
        high: moment_literal(high, facts.data_type())?,
    };
    let op = match negated {
        true => BinaryOperator::NotEq,
        false => BinaryOperator::Eq,
    };
    Some((column, bucket, op, facts))
}

/// A whole number is equal to a text exactly where its own text is that one.
fn digits(
    column: &Expr,
    facts: ColumnFacts<'_>,
    op: &BinaryOperator,
    value: &Expr,
) -> Option<Expr> {
    let text = text(value)?;
    if facts.data_type().is_temporal() {
        return dated(column, facts, op, text);
    }
    let value: i64 = text.parse().ok()?;
    let same = value.to_string() == text && facts.data_type().is_integer();
    let equality = matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq);
    (same && equality).then(|| binary(column.clone(), op.clone(), number(value)))
}

/// The text of a moment begins with its date, and that of a date is nothing else.
fn dated(column: &Expr, facts: ColumnFacts<'_>, op: &BinaryOperator, text: &str) -> Option<Expr> {
    let (low, _) = of_prefix(text)?;
    let is_whole = text.len() == 10 && matches!(facts.data_type(), DataType::Date32);
    let op = match op {
        op if is_whole => op.clone(),
        // A text sorts before all longer ones that begin with it.
        BinaryOperator::Gt | BinaryOperator::GtEq => BinaryOperator::GtEq,
        BinaryOperator::Lt | BinaryOperator::LtEq => BinaryOperator::Lt,
        _ => return None,
    };
    let low = moment_literal(low, facts.data_type())?;
    Some(binary(column.clone(), op, low))
}
