//! `substr(s, 1, 3) = 'abc'`, `left(s, 3) = 'abc'`, `starts_with(s, 'abc')`.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::ast::{bare, binary, call, comparison, integer, string, text};
use crate::range::{each_comparison, finding};
use crate::rewrite;
use crate::{Evidence, Finding, Rule};

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
        let table = std::cell::Cell::new(None);
        let after = each_comparison(found, &|left, op, right| {
            let (column, wanted) = begins(left, op, right)?;
            let facts = scope.column(column)?;
            table.set(Some(facts.table));
            let is_text = facts.data_type().is_string() && !wanted.is_empty();
            is_text.then(|| beginning(column, op, wanted))?
        })?;
        Some((after, table.get()?))
    });
    let why =
        "cuts a piece off every text, so that nothing can be skipped by the column's own values";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

/// Compares the whole text instead of as many letters of it as the value has: the beginning is below the
/// value exactly where the whole is.
fn beginning(column: &Expr, op: &BinaryOperator, wanted: &str) -> Option<Expr> {
    let at = |op, value: &str| binary(column.clone(), op, string(value));
    let plain = !wanted.contains(['%', '_', '\\']);
    Some(match op {
        BinaryOperator::Eq | BinaryOperator::NotEq if plain => Expr::Like {
            negated: *op == BinaryOperator::NotEq,
            any: false,
            expr: Box::new(column.clone()),
            pattern: Box::new(string(format!("{wanted}%"))),
            escape_char: None,
        },
        BinaryOperator::Eq => binary(
            at(BinaryOperator::GtEq, wanted),
            BinaryOperator::And,
            at(BinaryOperator::Lt, &behind(wanted)?),
        ),
        BinaryOperator::GtEq | BinaryOperator::Lt => at(op.clone(), wanted),
        BinaryOperator::Gt => at(BinaryOperator::GtEq, &behind(wanted)?),
        BinaryOperator::LtEq => at(BinaryOperator::Lt, &behind(wanted)?),
        _ => return None,
    })
}

/// Returns the least text above all that begin with a text.
fn behind(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    let last = letters.last_mut().filter(|last| last.is_ascii_graphic())?;
    *last = char::from_u32(u32::from(*last) + 1)?;
    Some(letters.into_iter().collect())
}

/// Reads a comparison of the beginning of a column with a text of the same length.
fn begins<'e>(left: &'e Expr, op: &BinaryOperator, right: &'e Expr) -> Option<(&'e Expr, &'e str)> {
    if let Some((column, wanted)) = found_first(left) {
        let first = *op == BinaryOperator::Eq && integer(right)? == 1;
        return first.then_some((column, wanted));
    }
    let wanted = text(right)?;
    let (column, length) = piece(left)?;
    let whole = usize::try_from(length).ok()? == wanted.chars().count();
    whole.then_some((column, wanted))
}

/// Reads `strpos(column, 'abc')`, which is 1 where the text begins so.
fn found_first(expression: &Expr) -> Option<(&Expr, &str)> {
    if let Expr::Position { expr, r#in } = expression {
        return Some((bare(r#in), text(expr)?));
    }
    let (name, arguments) = call(expression)?;
    match (name.as_str(), arguments.as_slice()) {
        ("strpos" | "instr" | "position", [column, wanted]) => Some((bare(column), text(wanted)?)),
        _ => None,
    }
}

/// Returns the column, what it has to begin with, and whether it must not.
pub(super) fn prefix(condition: &Expr) -> Option<(&Expr, &str, bool)> {
    let found = comparison(condition)?;
    let negated = match found.op {
        BinaryOperator::Eq => false,
        BinaryOperator::NotEq => true,
        _ => return None,
    };
    let (column, wanted) = begins(found.left, &found.op, found.right)?;
    Some((column, wanted, negated))
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
