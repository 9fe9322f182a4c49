//! `a.x - b.x = 0`, `a.x = b.x OR (a.x IS NULL AND b.x IS NULL)`.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::ast::{all_of, bare, binary, call, conjuncts, disjuncts, integer, number};
use crate::finding::Severity;
use crate::rewrite;
use crate::rewrite::Change;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "hidden-join-condition",
    summary: "A join's condition is an equality that does not look like one.",
    advice: "Write the equality plainly: `a.x = b.x` for `a.x - b.x = 0`, `a.x IS NOT DISTINCT FROM b.x` \
             where NULL is to match NULL. Only a plain equality lets a hash table find the partners.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT count(*) FROM orders o JOIN customers c ON o.customer - c.id = 0",
    silent: "SELECT count(*) FROM orders o JOIN customers c ON o.customer = c.id",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    if !evidence.has_node(|node| node.plan.name() == "NestedLoopJoinExec") {
        return Vec::new();
    }
    let rewritten = rewrite::selects(evidence, |select, scope| {
        let mut changes = Vec::new();
        for condition in rewrite::conditions_of(select) {
            let mut parts: Vec<Expr> = conjuncts(condition).into_iter().cloned().collect();
            let before = changes.len();
            for part in &mut parts {
                if let Some(plain) = plain(part, scope) {
                    changes.push(Change {
                        before: part.to_string(),
                        after: plain.to_string(),
                        table: None,
                    });
                    *part = plain;
                }
            }
            if changes.len() > before
                && let Some(all) = all_of(parts)
            {
                *condition = all;
            }
        }
        changes
    });
    let Some(rewritten) = rewritten else {
        return Vec::new();
    };
    let severity = match evidence.reads_much() {
        true => Severity::Warning,
        false => Severity::Info,
    };
    let text = format!(
        "`{}` is an equality in disguise: every row is compared with every other",
        rewritten.before()
    );
    vec![
        Finding::new(severity, "NestedLoopJoinExec", text)
            .evidence("no hash table can be used for the condition as it is")
            .gain(20.0)
            .rewrite(rewritten.tree),
    ]
}

/// Writes a condition between two relations as an equality.
fn plain(condition: &Expr, scope: &SelectScope<'_>) -> Option<Expr> {
    let (left, op, right) = difference(condition, scope).or_else(|| null_safe(condition))?;
    let sides = (scope.relations_of(&left)?, scope.relations_of(&right)?);
    let between = sides.0.len() == 1 && sides.1.len() == 1 && sides.0 != sides.1;
    between.then(|| match op {
        Equality::Plain => binary(left, BinaryOperator::Eq, right),
        // The parser takes a following AND for a part of it.
        Equality::NullSafe => Expr::Nested(Box::new(Expr::IsNotDistinctFrom(
            Box::new(left),
            Box::new(right),
        ))),
    })
}

enum Equality {
    Plain,
    NullSafe,
}

/// Reads `x - y = 5`, `x - y = 0` and `abs(x - y) = 0` over whole numbers.
fn difference(condition: &Expr, scope: &SelectScope<'_>) -> Option<(Expr, Equality, Expr)> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Eq,
        right,
    } = bare(condition)
    else {
        return None;
    };
    let (computed, apart) = match (integer(left), integer(right)) {
        (None, Some(apart)) => (bare(left), apart),
        (Some(apart), None) => (bare(right), apart),
        _ => return None,
    };
    let inner = match call(computed) {
        Some((name, arguments)) if name == "abs" && apart == 0 => bare(arguments.first()?),
        _ => computed,
    };
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Minus,
        right,
    } = inner
    else {
        return None;
    };
    let whole = |side: &Expr| {
        scope
            .column(side)
            .is_some_and(|column| column.data_type().is_integer())
    };
    let other = match apart {
        0 => (**right).clone(),
        apart => binary((**right).clone(), BinaryOperator::Plus, number(apart)),
    };
    (whole(left) && whole(right)).then(|| ((**left).clone(), Equality::Plain, other))
}

/// Reads `x = y OR (x IS NULL AND y IS NULL)`.
fn null_safe(condition: &Expr) -> Option<(Expr, Equality, Expr)> {
    let parts = disjuncts(condition);
    let [first, second] = parts.as_slice() else {
        return None;
    };
    [(first, second), (second, first)]
        .into_iter()
        .find_map(|(equal, nulls)| {
            let Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } = bare(equal)
            else {
                return None;
            };
            let nulls: Option<Vec<&Expr>> = conjuncts(nulls)
                .into_iter()
                .map(|part| match bare(part) {
                    Expr::IsNull(inner) => Some(bare(inner)),
                    _ => None,
                })
                .collect();
            let nulls = nulls.filter(|nulls| nulls.len() == 2)?;
            let both = nulls.contains(&bare(left)) && nulls.contains(&bare(right));
            both.then(|| ((**left).clone(), Equality::NullSafe, (**right).clone()))
        })
}
