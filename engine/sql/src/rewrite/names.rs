//! Names for columns of inner SELECTs that would have one name, and that nobody asked for.
//!
//! `SELECT * FROM (SELECT 1, 1) AS z(p, q)` and `EXISTS (SELECT 1, 1)` are refused by DataFusion, which names
//! both columns after their expression. The outermost SELECT is named by `headers`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Select, SelectItem, Value, ValueWithSpan, visit_expressions_mut,
};

use super::casts::without_casts;
use crate::normalized;

/// Gives columns names of their own where their expressions would give them one and the same.
pub(super) fn make_unique(select: &mut Select) {
    if select.projection.len() < 2 {
        return;
    }
    let labels: Vec<Option<String>> = select.projection.iter().map(label).collect();
    let mut taken: Vec<String> = select
        .projection
        .iter()
        .filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
            _ => None,
        })
        .collect();
    let written: Vec<String> = select.projection.iter().map(ToString::to_string).collect();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::UnnamedExpr(expression) = item else {
            continue;
        };
        let is_alone = labels[place].is_none()
            || labels
                .iter()
                .filter(|label| **label == labels[place])
                .count()
                < 2;
        // Columns of two tables are told apart by those; the same one twice is not.
        let is_first = labels[..place].iter().all(|label| *label != labels[place]);
        let is_told_apart = is_column(expression) && (is_first || !repeats(&written, place));
        if is_alone || is_told_apart || is_unnest(expression) {
            taken.extend(labels[place].clone());
            // `t.b` is a name, too: that of the column with its table.
            taken.push(written[place].clone());
            continue;
        }
        let mut name = expression.to_string();
        for number in 1.. {
            if !taken.contains(&name) {
                break;
            }
            name = format!("{expression}:{number}");
        }
        taken.push(name.clone());
        *item = SelectItem::ExprWithAlias {
            expr: expression.clone(),
            alias: Ident::with_quote('"', name),
        };
    }
}

/// Gives columns names of their own where a SELECT gives two of them one name that nobody can ask for: that of
/// a branch of a set operation behind the first one, which names the columns.
pub(super) fn forget_twins(select: &mut Select) {
    let mut taken: Vec<String> = Vec::new();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::ExprWithAlias { alias, .. } = item else {
            continue;
        };
        let name = normalized(alias);
        if taken.contains(&name) {
            *alias = Ident::with_quote('"', format!("{name}:{place}"));
        }
        taken.push(name);
    }
}

/// Says whether an item is written as one before it.
fn repeats(written: &[String], place: usize) -> bool {
    written[..place].contains(&written[place])
}

/// Returns what DataFusion names an item after, or something that is equal for more items.
fn label(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expression) => Some(plain(expression)),
        SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
        _ => None,
    }
}

fn plain(expression: &Expr) -> String {
    let mut plain = expression.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut plain, |node| {
        match node {
            Expr::CompoundIdentifier(words) => {
                if let Some(last) = words.last() {
                    *node = Expr::Identifier(Ident::new(normalized(last)));
                }
            }
            Expr::Identifier(word) => *word = Ident::new(normalized(word)),
            // 0.3 and 0.30 are one number.
            Expr::Value(ValueWithSpan {
                value: Value::Number(digits, _),
                ..
            }) => {
                if let Ok(number) = digits.parse::<f64>() {
                    *digits = number.to_string();
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    without_casts(&plain)
}

fn is_column(expression: &Expr) -> bool {
    match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => {
            true
        }
        Expr::Nested(inner) => is_column(inner),
        _ => false,
    }
}

fn is_unnest(expression: &Expr) -> bool {
    matches!(expression, Expr::Function(function)
        if function.name.to_string().to_ascii_lowercase().starts_with("unnest"))
}
