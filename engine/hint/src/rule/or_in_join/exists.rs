//! `EXISTS (… WHERE b.x = a.x OR b.y = a.x)`: the same as an EXISTS for each equality.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query as SqlQuery, Select, SetExpr};

use crate::Evidence;
use crate::ast::{all_of, bare, binary, conjuncts, disjuncts, select_of};
use crate::scope::SelectScope;

/// More equalities than this make too many joins.
const MOST: usize = 4;

/// Changes the conditions of WHERE that ask for rows by one of several equalities; returns what they were.
pub(super) fn split(
    select: &mut Select,
    scope: &SelectScope<'_>,
    evidence: &Evidence,
) -> Option<String> {
    let parts = conjuncts(select.selection.as_ref()?);
    let mut before = None;
    let mut after = Vec::new();
    for part in parts {
        let changed = alternatives(part, scope, evidence);
        if let Some((condition, _)) = &changed {
            before.get_or_insert_with(|| condition.clone());
        }
        after.push(changed.map_or_else(|| part.clone(), |(_, changed)| changed));
    }
    before.is_some().then(|| select.selection = all_of(after))?;
    before
}

/// Returns the OR in an EXISTS, and what says the same.
fn alternatives(
    condition: &Expr,
    scope: &SelectScope<'_>,
    evidence: &Evidence,
) -> Option<(String, Expr)> {
    let Expr::Exists { subquery, negated } = bare(condition) else {
        return None;
    };
    let whole = subquery.limit_clause.is_none() && subquery.fetch.is_none();
    let inner = select_of(subquery).filter(|inner| whole && inner.having.is_none())?;
    let inner_scope = SelectScope::of(inner, evidence);
    let parts = conjuncts(inner.selection.as_ref()?);
    let correlated = |equal: &Expr| {
        let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = bare(equal)
        else {
            return false;
        };
        let sides = [(left, right), (right, left)];
        sides.into_iter().any(|(inside, outside)| {
            inner_scope.column(inside).is_some()
                && inner_scope.column(outside).is_none()
                && scope.column(outside).is_some()
        })
    };
    let place = parts.iter().position(|part| {
        let equalities = disjuncts(part);
        (2..=MOST).contains(&equalities.len())
            && equalities
                .iter()
                .all(|one| conjuncts(one).into_iter().any(correlated))
    })?;
    let exists = disjuncts(parts[place]).into_iter().map(|one| {
        let mut conditions: Vec<Expr> = parts.iter().map(|part| (*part).clone()).collect();
        conditions[place] = one.clone();
        let mut subquery = subquery.clone();
        inner_mut(&mut subquery)?.selection = all_of(conditions);
        Some(Expr::Exists {
            subquery,
            negated: *negated,
        })
    });
    // That there is no row of either sort is both.
    let op = match negated {
        true => BinaryOperator::And,
        false => BinaryOperator::Or,
    };
    let exists: Option<Vec<Expr>> = exists.collect();
    let join = |left, right| binary(left, op.clone(), right);
    Some((parts[place].to_string(), exists?.into_iter().reduce(join)?))
}

fn inner_mut(query: &mut SqlQuery) -> Option<&mut Select> {
    match query.body.as_mut() {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(inner) => inner_mut(inner),
        _ => None,
    }
}
