//! `substr(s, 1, 3) = 'abc'`, `left(s, 3) = 'abc'`, `starts_with(s, 'abc')`.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::hint::ast::{bare, binary, call, comparison, integer, string, text};
use crate::hint::evidence::TableFacts;
use crate::hint::range::{each_comparison, finding};
use crate::hint::rewrite;
use crate::hint::scope::SelectScope;
use crate::hint::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "prefix-function-on-column",
    summary: "A filter cuts the beginning off a text before it compares it.",
    advice: "Write `LIKE 'abc%'`: row groups are skipped by the least and largest text, and nothing is \
             copied row by row.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(*) FROM events WHERE substr(code, 1, 4) = 'c001'",
    silent: "SELECT count(*) FROM events WHERE code LIKE 'c001%'",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::conditions(evidence, |found, scope| {
        if let Some(listed) = listed(found, scope) {
            return Some(listed);
        }
        if let Some(compared) = compared(found, scope) {
            return Some(compared);
        }
        let (column, prefix, negated) = prefix(found)?;
        let facts = scope.column(column)?;
        let plain = !prefix.is_empty() && !prefix.contains(['%', '_', '\\']);
        let is_text = facts.data_type().is_string();
        (plain && is_text).then(|| {
            let like = Expr::Like {
                negated,
                any: false,
                expr: Box::new(column.clone()),
                pattern: Box::new(string(format!("{prefix}%"))),
                escape_char: None,
            };
            (like, facts.table)
        })
    });
    let why =
        "cuts a piece off every text, so that nothing can be skipped by the column's own values";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

/// Returns the column, what it has to begin with, and whether it must not.
pub(super) fn prefix(condition: &Expr) -> Option<(&Expr, &str, bool)> {
    let found = comparison(condition)?;
    let negated = match found.op {
        BinaryOperator::Eq => false,
        BinaryOperator::NotEq => true,
        _ => return None,
    };
    let wanted = text(found.right)?;
    let (column, length) = piece(found.left)?;
    let whole = usize::try_from(length).ok()? == wanted.chars().count();
    whole.then_some((column, wanted, negated))
}

/// Returns the column that a function takes the first letters of, and their number.
fn piece(expression: &Expr) -> Option<(&Expr, i64)> {
    if let Expr::Substring {
        expr,
        substring_from: Some(from),
        substring_for: Some(length),
        ..
    } = expression
    {
        return (integer(from)? == 1).then_some((bare(expr), integer(length)?));
    }
    let (name, arguments) = call(expression)?;
    match (name.as_str(), arguments.as_slice()) {
        ("substr" | "substring", [column, from, length]) if integer(from)? == 1 => {
            Some((column, integer(length)?))
        }
        ("left", [column, length]) => Some((column, integer(length)?)),
        _ => None,
    }
}

/// Turns `left(x, 2) >= 'ab'` into a comparison of the whole text: as long as the value, the beginning is
/// below it exactly where the whole is.
fn compared<'a>(condition: &Expr, scope: &SelectScope<'a>) -> Option<(Expr, &'a TableFacts)> {
    let found = comparison(condition)?;
    let monotonic = matches!(found.op, BinaryOperator::GtEq | BinaryOperator::Lt);
    let value = text(found.right).filter(|_| monotonic)?;
    let (column, length) = piece(found.left)?;
    let facts = scope.column(column)?;
    let whole = usize::try_from(length).ok()? == value.chars().count();
    (whole && facts.data_type().is_string())
        .then(|| (binary(column.clone(), found.op, string(value)), facts.table))
}

/// Turns `left(x, 2) IN ('ab', 'cd')` into a pattern for each of them.
fn listed<'a>(found: &Expr, scope: &SelectScope<'a>) -> Option<(Expr, &'a TableFacts)> {
    if !matches!(bare(found), Expr::InList { .. }) {
        return None;
    }
    let table = std::cell::Cell::new(None);
    let after = each_comparison(found, &|left, op, right| {
        let one = binary(left.clone(), op.clone(), right.clone());
        let (column, prefix, _) = prefix(&one)?;
        let facts = scope.column(column)?;
        table.set(Some(facts.table));
        let plain = !prefix.is_empty() && !prefix.contains(['%', '_', '\\']);
        (plain && facts.data_type().is_string()).then(|| Expr::Like {
            negated: false,
            any: false,
            expr: Box::new(column.clone()),
            pattern: Box::new(string(format!("{prefix}%"))),
            escape_char: None,
        })
    })?;
    Some((after, table.get()?))
}
