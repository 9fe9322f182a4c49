//! A regular expression before a comparison that would leave few rows to it.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::hint::ast::{all_of, bare, call, comparison, conjuncts, text};
use crate::hint::rewrite::{self, Change};
use crate::hint::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "expensive-filter-first",
    summary: "A regular expression or a function runs over rows that a cheap comparison would drop.",
    advice: "Conditions run in the order in which they stand, and what is on the right of an AND sees only \
             the rows that the left has kept where those are few. Put cheap comparisons first.",
    measured: false,
    setup: super::EVENTS,
    fires: "SELECT count(*) FROM events WHERE regexp_like(code, '0(0|1)+2$') AND kind = 12",
    silent: "SELECT count(*) FROM events WHERE kind = 12 AND regexp_like(code, '0(0|1)+2$')",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::selects(evidence, |select, scope| {
        let Some(selection) = &select.selection else {
            return Vec::new();
        };
        let parts = conjuncts(selection);
        let costs: Vec<u8> = parts.iter().map(|part| cost(part)).collect();
        let expensive = costs.iter().position(|cost| *cost >= 2);
        let Some(expensive) = expensive else {
            return Vec::new();
        };
        let table = |part: &Expr| scope.relations_of(part);
        let cheap_behind = (expensive + 1..parts.len()).any(|place| {
            costs[place] == 0
                && table(parts[place]).is_some_and(|of| Some(of) == table(parts[expensive]))
        });
        if !cheap_behind {
            return Vec::new();
        }
        let before = parts[expensive].to_string();
        let place = table(parts[expensive]).and_then(|places| places.first().copied());
        let mut ordered: Vec<(u8, Expr)> =
            costs.into_iter().zip(parts.into_iter().cloned()).collect();
        ordered.sort_by_key(|(cost, _)| *cost);
        select.selection = all_of(ordered.into_iter().map(|(_, part)| part).collect());
        vec![Change {
            before,
            after: String::new(),
            table: place.and_then(|place| scope.relations[place].table),
        }]
    });
    let Some(rewritten) = rewritten else {
        return Vec::new();
    };
    let severity = rewritten.severity(evidence);
    let text = format!(
        "`{}` runs before a comparison that is cheaper and would leave fewer rows to it",
        rewritten.before()
    );
    vec![
        Finding::new(severity, rewritten.node(), text)
            .gain(2.0)
            .rewrite(rewritten.tree),
    ]
}

/// Ranks what a condition costs for each row: 0 for an equality, 1 for other comparisons, 2 for
/// patterns and 3 for regular expressions.
fn cost(condition: &Expr) -> u8 {
    if let Some(found) = comparison(condition) {
        let plain = matches!(
            bare(found.left),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_)
        );
        let selective = found.op != BinaryOperator::NotEq;
        return match (plain, selective) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => computed(found.left),
        };
    }
    match bare(condition) {
        Expr::InList { expr, .. } | Expr::Between { expr, .. } => match bare(expr) {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => 0,
            other => computed(other),
        },
        Expr::IsNull(_) | Expr::IsNotNull(_) => 1,
        Expr::Like { pattern, .. } => match text(pattern) {
            Some(pattern) if !pattern.starts_with('%') => 1,
            _ => 2,
        },
        Expr::ILike { .. } => 2,
        Expr::BinaryOp {
            op:
                BinaryOperator::PGRegexMatch
                | BinaryOperator::PGRegexIMatch
                | BinaryOperator::PGRegexNotMatch
                | BinaryOperator::PGRegexNotIMatch,
            ..
        } => 3,
        other => computed(other),
    }
}

fn computed(expression: &Expr) -> u8 {
    match call(expression) {
        Some((name, _)) if name.starts_with("regexp") || name.contains("json") => 3,
        Some((name, _)) if ["levenshtein", "md5", "sha256", "sha512"].contains(&name.as_str()) => 3,
        _ => 1,
    }
}
