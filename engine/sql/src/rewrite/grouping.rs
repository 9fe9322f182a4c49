//! GROUP BY as other databases write it, by grouping sets.
//!
//! `GROUP BY a, b WITH ROLLUP`, WITH CUBE and `GROUP BY a, b GROUPING SETS (…)` are MySQL's and Spark's;
//! DataFusion's planner drops what stands behind the list.

use datafusion::sql::sqlparser::ast::{Expr, GroupByExpr, GroupByWithModifier, Select, Spanned};

use super::Rewritten;
use crate::complete::Refusal;

/// Rewrites the GROUP BY of a SELECT.
pub(super) fn rewrite(select: &mut Select) -> Rewritten {
    let GroupByExpr::Expressions(keys, modifiers) = &mut select.group_by else {
        return Ok(());
    };
    *keys = std::mem::take(keys).into_iter().flat_map(spread).collect();
    match modifiers.pop() {
        None | Some(GroupByWithModifier::Totals) => {}
        Some(GroupByWithModifier::Rollup) => *keys = vec![Expr::Rollup(each_alone(keys)?)],
        Some(GroupByWithModifier::Cube) => *keys = vec![Expr::Cube(each_alone(keys)?)],
        Some(GroupByWithModifier::GroupingSets(sets)) => {
            check_sets(keys, &sets)?;
            *keys = vec![sets];
        }
    }
    Ok(())
}

/// Returns the keys that one item stands for: those of `(a, b)`, the set of no key for `()`.
fn spread(key: Expr) -> Vec<Expr> {
    match key {
        Expr::Tuple(keys) if keys.is_empty() => vec![Expr::GroupingSets(vec![Vec::new()])],
        Expr::Tuple(keys) => keys.into_iter().flat_map(spread).collect(),
        // DataFusion rolls up single keys only.
        Expr::Rollup(steps) if steps.iter().any(|step| step.len() != 1) => {
            let sets = (0..=steps.len()).rev().map(|count| steps[..count].concat());
            vec![Expr::GroupingSets(sets.collect())]
        }
        Expr::Cube(steps) if steps.len() <= 12 && steps.iter().any(|step| step.len() != 1) => {
            let sets = (0..1_usize << steps.len()).rev().map(|chosen| {
                let steps = steps.iter().rev().enumerate();
                let kept = steps.filter(|(bit, _)| chosen & (1 << bit) != 0);
                let mut kept: Vec<&Vec<Expr>> = kept.map(|(_, step)| step).collect();
                kept.reverse();
                kept.into_iter().flatten().cloned().collect()
            });
            vec![Expr::GroupingSets(sets.collect())]
        }
        other => vec![other],
    }
}

fn each_alone(keys: &[Expr]) -> Result<Vec<Vec<Expr>>, Refusal> {
    let nested =
        |key: &&Expr| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
    if let Some(set) = keys.iter().find(nested) {
        return Err(Refusal::at(
            set.span().start,
            "WITH ROLLUP and WITH CUBE take columns, not grouping sets",
        ));
    }
    Ok(keys.iter().map(|key| vec![key.clone()]).collect())
}

/// Refuses sets of what the list in front of them does not hold.
fn check_sets(keys: &[Expr], sets: &Expr) -> Rewritten {
    let Expr::GroupingSets(sets) = sets else {
        return Ok(());
    };
    let is_listed = |key: &&Expr| {
        keys.iter()
            .any(|listed| listed.to_string() == key.to_string())
    };
    match sets.iter().flatten().find(|key| !is_listed(key)) {
        None => Ok(()),
        Some(key) => Err(Refusal::at(
            key.span().start,
            format!("`{key}` is not in the list before GROUPING SETS"),
        )),
    }
}
