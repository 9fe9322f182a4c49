//! `x NOT IN (SELECT y …)`.

use std::ops::ControlFlow;

use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Distinct, Expr, GroupByExpr, Ident, Query as SqlQuery, Select, SelectItem,
    SetExpr, UnaryOperator, Visit, Visitor,
};
use lakesh_sql::normalized;

use crate::ast::{bare, binary, conjuncts, select_of};
use crate::evidence::Node;
use crate::finding::Severity;
use crate::rewrite;
use crate::rewrite::Change;
use crate::scope::{ColumnFacts, SelectScope};
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "not-in-nullable",
    summary: "NOT IN over a subquery has to reckon with NULL among its rows.",
    advice: "One NULL in the subquery makes NOT IN return nothing at all, and the join that knows this \
             runs in one piece. NOT EXISTS ignores NULL and runs in parallel. The two are the same where \
             neither column holds NULL; where one does, NOT IN is probably not what was meant.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer FROM orders)",
    silent: "SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.id)",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let mut may_differ = false;
    let mut is_small = true;
    let rewritten = rewrite::selects(evidence, |select, scope| {
        let mut changes = Vec::new();
        let Some(selection) = &select.selection else {
            return changes;
        };
        let mut parts: Vec<Expr> = conjuncts(selection).into_iter().cloned().collect();
        for part in &mut parts {
            let found = not_exists(part, scope, select.selection.as_ref(), evidence);
            let Some((exists, outer, inner, nullable)) = found else {
                continue;
            };
            may_differ |= nullable;
            is_small &= !evidence.is_large(inner.table);
            changes.push(Change {
                before: part.to_string(),
                after: exists.to_string(),
                table: Some(outer.table),
            });
            *part = exists;
        }
        if !changes.is_empty() {
            select.selection = crate::ast::all_of(parts);
        }
        changes
    });
    let Some(rewritten) = rewritten else {
        return Vec::new();
    };
    // Other rows are no advice, and a small subquery costs nothing either way. Nor does a join that holds
    // the smaller side anyway: one that knows NULL cannot exchange its sides.
    let is_cheap = is_small || !evidence.has_node(|node| holds_larger_side(evidence, node));
    let severity = match may_differ || is_cheap {
        true => Severity::Info,
        false => rewritten.severity(evidence),
    };
    let text = format!("`{}` has to reckon with NULL", rewritten.before());
    let mut finding = Finding::new(severity, rewritten.node(), text).gain(1.6);
    finding = match may_differ {
        true => finding
            .evidence(
                "statistics do not rule NULL out: with NULL the rewritten query gives other rows",
            )
            .changing_result(),
        false => finding.evidence("statistics say that neither column holds NULL"),
    };
    if severity == Severity::Info {
        finding.gain = 1.0;
    }
    vec![finding.rewrite(rewritten.tree)]
}

/// Says whether a join that reckons with NULL holds more rows than it looks up.
fn holds_larger_side(evidence: &Evidence, node: &Node) -> bool {
    let join = node.plan.downcast_ref::<HashJoinExec>();
    join.filter(|join| join.null_aware).is_some_and(|join| {
        let rows = |side| evidence.rows_of(side).unwrap_or(0);
        rows(join.left()) > rows(join.right())
    })
}

/// Turns `x NOT IN (SELECT y FROM …)` into NOT EXISTS; says whether NULL could make a difference.
fn not_exists<'a>(
    condition: &Expr,
    scope: &SelectScope<'a>,
    outer_filter: Option<&Expr>,
    evidence: &'a Evidence,
) -> Option<(Expr, ColumnFacts<'a>, ColumnFacts<'a>, bool)> {
    let (expr, subquery) = excluded(condition, false)?;
    let outer = scope.column(expr)?;
    let Some(select) = plain_select(subquery) else {
        return of_result(expr, outer, subquery, scope, outer_filter, evidence);
    };
    let inner_scope = SelectScope::of(select, evidence);
    let [item] = select.projection.as_slice() else {
        return None;
    };
    let wanted = projected(item)?;
    let inner = inner_scope.column(wanted)?;
    let names = (
        &scope.relations.get(outer.relation)?.visible,
        &inner_scope.relations.get(inner.relation)?.visible,
    );
    // A name that stands for two tables cannot tell them apart.
    if inner_scope.relation(names.0).is_some() {
        return None;
    }
    let equal = binary(
        qualified(names.1, wanted),
        BinaryOperator::Eq,
        qualified(names.0, expr),
    );
    let mut subquery = subquery.clone();
    subquery.order_by = None;
    let inner_select = select_mut(&mut subquery)?;
    inner_select.projection = vec![SelectItem::UnnamedExpr(crate::ast::number(1))];
    inner_select.distinct = None;
    inner_select.selection = Some(match inner_select.selection.take() {
        None => equal,
        Some(other) => binary(bracketed_or(other), BinaryOperator::And, equal),
    });
    let nullable = may_be_null(&outer, scope, outer_filter, evidence)
        || may_be_null(&inner, &inner_scope, select.selection.as_ref(), evidence);
    let exists = Expr::Exists {
        subquery: Box::new(subquery),
        negated: true,
    };
    Some((exists, outer, inner, nullable))
}

/// The name of the table that stands for what is excluded.
const EXCLUDED: &str = "excluded";

/// As `not_exists`, where the subquery groups its rows or puts some together: its result is looked up in.
fn of_result<'a>(
    expr: &Expr,
    outer: ColumnFacts<'a>,
    subquery: &SqlQuery,
    scope: &SelectScope<'a>,
    outer_filter: Option<&Expr>,
    evidence: &'a Evidence,
) -> Option<(Expr, ColumnFacts<'a>, ColumnFacts<'a>, bool)> {
    let outer_name = &scope.relations.get(outer.relation)?.visible;
    if normalized(outer_name) == EXCLUDED || subquery.with.is_some() {
        return None;
    }
    let mut nullable = may_be_null(&outer, scope, outer_filter, evidence);
    let mut first = None;
    let mut name = None;
    for select in branches(&subquery.body)? {
        let inner_scope = SelectScope::of(select, evidence);
        let [item] = select.projection.as_slice() else {
            return None;
        };
        if !is_grouped_plainly(select) || !stands_alone(select, &inner_scope) {
            return None;
        }
        let wanted = projected(item)?;
        let inner = inner_scope.column(wanted)?;
        nullable |= may_be_null(&inner, &inner_scope, select.selection.as_ref(), evidence);
        let shown = match item {
            SelectItem::ExprWithAlias { alias, .. } => alias.clone(),
            _ => Ident::with_quote('"', inner.field.name()),
        };
        first.get_or_insert(inner);
        name.get_or_insert(shown);
    }
    let excluded = Expr::CompoundIdentifier(vec![Ident::new(EXCLUDED), name?]);
    let equal = binary(excluded, BinaryOperator::Eq, qualified(outer_name, expr));
    let text = format!("NOT EXISTS (SELECT 1 FROM ({subquery}) AS {EXCLUDED} WHERE {equal})");
    Some((crate::ast::parsed(&text)?, outer, first?, nullable))
}

/// Says whether grouping, if there is any, makes no NULL of its own.
fn is_grouped_plainly(select: &Select) -> bool {
    match &select.group_by {
        GroupByExpr::Expressions(keys, modifiers) => {
            let several =
                |key: &Expr| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
            modifiers.is_empty() && !keys.iter().any(several)
        }
        GroupByExpr::All(_) => false,
    }
}

/// Says whether all columns that a SELECT names are those of its own tables.
fn stands_alone(select: &Select, scope: &SelectScope<'_>) -> bool {
    struct Foreign<'s, 'a>(&'s SelectScope<'a>);
    impl Visitor for Foreign<'_, '_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            let is_name = matches!(
                expression,
                Expr::Identifier(_) | Expr::CompoundIdentifier(_)
            );
            match is_name && self.0.column(expression).is_none() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    select.visit(&mut Foreign(scope)).is_continue()
}

/// Lists the SELECTs whose rows a query puts together.
fn branches(body: &SetExpr) -> Option<Vec<&Select>> {
    match body {
        SetExpr::Select(select) => Some(vec![select]),
        SetExpr::SetOperation { left, right, .. } => {
            let mut all = branches(left)?;
            all.extend(branches(right)?);
            Some(all)
        }
        _ => None,
    }
}

/// Reads `x NOT IN (…)`, `NOT (x IN (…))` and `x <> ALL (…)`.
fn excluded(condition: &Expr, turned: bool) -> Option<(&Expr, &SqlQuery)> {
    match bare(condition) {
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => excluded(expr, !turned),
        Expr::InSubquery {
            expr,
            subquery,
            negated,
        } => (*negated != turned).then_some((expr, subquery)),
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => match bare(right) {
            Expr::Subquery(subquery) => (!turned).then_some((left, subquery)),
            _ => None,
        },
        _ => None,
    }
}

/// Says whether a column may hold NULL where the condition is looked at.
fn may_be_null(
    column: &ColumnFacts<'_>,
    scope: &SelectScope<'_>,
    filter: Option<&Expr>,
    evidence: &Evidence,
) -> bool {
    let is_same = |expression: &Expr| {
        scope.column(expression).is_some_and(|other| {
            other.relation == column.relation && other.field.name() == column.field.name()
        })
    };
    // A filter that demands a value settles it, also for what an outer join has filled.
    let demanded = filter
        .into_iter()
        .flat_map(conjuncts)
        .any(|part| matches!(bare(part), Expr::IsNotNull(inner) if is_same(inner)));
    let optional = scope
        .relations
        .get(column.relation)
        .is_none_or(|relation| relation.is_optional);
    let counted = evidence.null_count(column.table, column.field.name());
    !demanded && (optional || counted != Some(0))
}

fn bracketed_or(condition: Expr) -> Expr {
    match condition {
        Expr::BinaryOp {
            op: BinaryOperator::Or,
            ..
        } => Expr::Nested(Box::new(condition)),
        other => other,
    }
}

fn plain_select(query: &SqlQuery) -> Option<&Select> {
    let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let select = select_of(query).filter(|_| plain)?;
    let ungrouped = matches!(
        &select.group_by,
        GroupByExpr::Expressions(keys, modifiers)
            if keys.is_empty() && modifiers.is_empty()
    );
    let chosen = matches!(select.distinct, Some(Distinct::On(_)));
    (ungrouped && !chosen && select.having.is_none() && select.qualify.is_none()).then_some(select)
}

fn select_mut(query: &mut SqlQuery) -> Option<&mut Select> {
    match query.body.as_mut() {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

fn projected(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expression) => Some(expression),
        SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

fn qualified(relation: &Ident, column: &Expr) -> Expr {
    match crate::ast::bare(column) {
        Expr::Identifier(name) => Expr::CompoundIdentifier(vec![relation.clone(), name.clone()]),
        other => other.clone(),
    }
}
