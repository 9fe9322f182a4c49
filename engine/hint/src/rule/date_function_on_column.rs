//! `date_trunc('month', ts) = …` and its kin.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::arrow::datatypes::{DataType as ArrowType, TimeUnit};
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType, Expr};

use crate::ast::{bare, binary, call, integer, text};
use crate::range::{
    Bucket, condition, each_comparison, finding, fixed_length, moment, moment_literal,
};
use crate::rewrite;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "date-function-on-column",
    summary: "A filter compares what a date function makes of a column.",
    advice: "Files and row groups are skipped by the least and largest value of the column itself. \
             Compare the column with the ends of the month, day or year instead.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(*) FROM events WHERE date_trunc('month', ts) = '2024-03-01'",
    silent: "SELECT count(*) FROM events WHERE ts >= TIMESTAMP '2024-03-01T00:00:00' AND ts < TIMESTAMP '2024-04-01T00:00:00'",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::conditions(evidence, |found, scope| {
        let table = std::cell::Cell::new(None);
        let after = each_comparison(found, &|left, op, right| {
            let cut = whole_day(left);
            // A text that is compared with a DATE is one.
            if !std::ptr::eq(cut, left) && moment(right)?.time() != NaiveTime::MIN {
                return None;
            }
            let left = cut;
            let column = argument(left)?;
            let facts = scope.column(column)?;
            table.set(Some(facts.table));
            if is_epoch(left) {
                return seconds(column, facts.data_type(), op, right);
            }
            let (low, high) = bucket(left, op, right)?;
            // A value in the middle of a unit is none that the function gives: what is at least that is
            // beyond the unit, and what is below it is the unit or before.
            let is_inside = is_inside(left, right, low);
            let op = &match op {
                BinaryOperator::GtEq if is_inside => BinaryOperator::Gt,
                BinaryOperator::Lt if is_inside => BinaryOperator::LtEq,
                BinaryOperator::Eq | BinaryOperator::NotEq if is_inside => return None,
                other => other.clone(),
            };
            let bucket = Bucket {
                low: moment_literal(low, facts.data_type())?,
                high: moment_literal(high, facts.data_type())?,
            };
            condition(column, op, bucket)
        })?;
        Some((after, table.get()?))
    });
    let why = "compares what a function makes of the column, so that nothing can be skipped by the column's own values";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

/// Returns the column that a date function is applied to.
fn argument(expression: &Expr) -> Option<&Expr> {
    if let Expr::Extract { expr, .. } = expression {
        return Some(expr);
    }
    let (name, arguments) = call(expression)?;
    match (name.as_str(), arguments.as_slice()) {
        ("date_trunc" | "datetrunc" | "date_part" | "datepart" | "date_bin", [_, column])
        | ("to_char" | "date_format", [column, _])
        | ("year" | "to_unixtime", [column]) => Some(column),
        _ => None,
    }
}

/// Takes a cast to DATE away from what begins at midnight anyway.
fn whole_day(expression: &Expr) -> &Expr {
    let inner = match bare(expression) {
        Expr::Cast {
            expr,
            data_type: DataType::Date,
            ..
        } => bare(expr),
        other => return other,
    };
    let cut = call(inner).filter(|(name, _)| name.ends_with("trunc"));
    let unit = cut.and_then(|(_, arguments)| text(arguments.first()?).map(str::to_lowercase));
    match unit.as_deref() {
        Some("day" | "week" | "month" | "quarter" | "year") => inner,
        _ => expression,
    }
}

/// Says whether a function gives the seconds since 1970, with their fraction.
fn is_epoch(expression: &Expr) -> bool {
    if let Expr::Extract { field, .. } = expression {
        return field.to_string().eq_ignore_ascii_case("epoch");
    }
    let unit = call(expression).and_then(|(name, arguments)| {
        let unit = text(arguments.first()?)?;
        name.replace('_', "").eq("datepart").then_some(unit)
    });
    unit.is_some_and(|unit| unit.eq_ignore_ascii_case("epoch"))
}

/// Compares a moment instead of its seconds. A float of them tells microseconds apart, but no nanoseconds.
fn seconds(
    column: &Expr,
    data_type: &ArrowType,
    op: &BinaryOperator,
    value: &Expr,
) -> Option<Expr> {
    if matches!(data_type, ArrowType::Timestamp(TimeUnit::Nanosecond, _)) {
        return None;
    }
    let moment = DateTime::from_timestamp(integer(value)?, 0)?.naive_utc();
    let moment = moment_literal(moment, data_type)?;
    Some(binary(column.clone(), op.clone(), moment))
}

/// Says whether date_trunc is compared with a moment inside of a unit.
fn is_inside(function: &Expr, value: &Expr, low: NaiveDateTime) -> bool {
    let truncates =
        call(function).is_some_and(|(name, _)| name.ends_with("trunc") || name == "date_bin");
    truncates && moment(value) != Some(low)
}

/// Returns the moments that a text gives which is the beginning of dates as text: `2024-03`.
pub(super) fn of_prefix(prefix: &str) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let format = match prefix.len() {
        4 => "%Y",
        7 => "%Y-%m",
        10 => "%Y-%m-%d",
        _ => return None,
    };
    formatted(format, prefix, &BinaryOperator::Eq)
}

/// Returns the moments that give the value: from the first on, before the second.
fn bucket(
    function: &Expr,
    op: &BinaryOperator,
    value: &Expr,
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    if let Expr::Extract { field, .. } = function {
        return year_of(&field.to_string(), value);
    }
    let (name, arguments) = call(function)?;
    match name.as_str() {
        "date_trunc" | "datetrunc" => {
            let unit = text(arguments.first()?)?;
            let value = moment(value)?;
            let low = truncated(unit, value)?;
            Some((low, next(unit, low)?))
        }
        "date_part" | "datepart" => year_of(text(arguments.first()?)?, value),
        "date_bin" => {
            let unit = fixed_length(arguments.first()?).filter(|unit| *unit > TimeDelta::zero())?;
            let low = duration(moment(value)?, unit)?;
            Some((low, low.checked_add_signed(unit)?))
        }
        // Moments before 1970 are rounded up.
        "to_unixtime" => {
            let second = integer(value).filter(|second| *second > 0)?;
            let low = DateTime::from_timestamp(second, 0)?.naive_utc();
            Some((low, low.checked_add_signed(TimeDelta::seconds(1))?))
        }
        "year" => year_of("year", value),
        _ => formatted(text(arguments.get(1)?)?, text(value)?, op),
    }
}

fn year_of(field: &str, value: &Expr) -> Option<(NaiveDateTime, NaiveDateTime)> {
    if !field.eq_ignore_ascii_case("year") {
        return None;
    }
    let year = i32::try_from(integer(value)?).ok()?;
    let first = |year| Some(NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN));
    Some((first(year)?, first(year + 1)?))
}

/// Reads the text of a date that was written in a format whose order is that of time.
fn formatted(
    format: &str,
    value: &str,
    op: &BinaryOperator,
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let (whole, unit) = match format {
        "%Y" => (format!("{value}-01-01"), "year"),
        "%Y-%m" => (format!("{value}-01"), "month"),
        "%Y%m" => (
            format!("{}-{}-01", value.get(..4)?, value.get(4..)?),
            "month",
        ),
        "%Y-%m-%d" | "%F" => (value.to_owned(), "day"),
        "%Y%m%d" => {
            let (year, month, day) = (value.get(..4)?, value.get(4..6)?, value.get(6..)?);
            (format!("{year}-{month}-{day}"), "day")
        }
        _ => return None,
    };
    let day = NaiveDate::parse_from_str(&whole, "%Y-%m-%d").ok()?;
    // `2024-3` is another text than `2024-03`.
    let same = day.format(format).to_string() == value;
    let low = day.and_time(NaiveTime::MIN);
    let plain = (0..=9999).contains(&day.year()) && *op != BinaryOperator::NotEq;
    (same && plain).then_some((low, next(unit, low)?))
}

fn truncated(unit: &str, value: NaiveDateTime) -> Option<NaiveDateTime> {
    let day = value.date();
    let first = match unit.to_lowercase().as_str() {
        "year" => NaiveDate::from_ymd_opt(day.year(), 1, 1)?,
        "quarter" => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)?,
        "month" => NaiveDate::from_ymd_opt(day.year(), day.month(), 1)?,
        "week" => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
        "day" => day,
        "hour" => return duration(value, TimeDelta::hours(1)),
        "minute" => return duration(value, TimeDelta::minutes(1)),
        _ => return None,
    };
    Some(first.and_time(NaiveTime::MIN))
}

fn duration(value: NaiveDateTime, unit: TimeDelta) -> Option<NaiveDateTime> {
    let seconds = value.and_utc().timestamp();
    let start = seconds.div_euclid(unit.num_seconds()) * unit.num_seconds();
    Some(DateTime::from_timestamp(start, 0)?.naive_utc())
}

fn next(unit: &str, low: NaiveDateTime) -> Option<NaiveDateTime> {
    match unit.to_lowercase().as_str() {
        "year" => low.checked_add_months(Months::new(12)),
        "quarter" => low.checked_add_months(Months::new(3)),
        "month" => low.checked_add_months(Months::new(1)),
        "week" => low.checked_add_days(Days::new(7)),
        "day" => low.checked_add_days(Days::new(1)),
        "hour" => low.checked_add_signed(TimeDelta::hours(1)),
        "minute" => low.checked_add_signed(TimeDelta::minutes(1)),
        _ => None,
    }
}
