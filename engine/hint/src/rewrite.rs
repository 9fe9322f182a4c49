//! Writes a query anew: a function looks at each SELECT, or at each condition, and changes it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, JoinConstraint, JoinOperator, OptimizerHint, OptimizerHintStyle,
    OrderBy, Query as SqlQuery, Select, SetExpr, UnaryOperator, VisitMut, VisitorMut,
};

use super::ast::{conjuncts, for_each_select};
use super::evidence::{Evidence, TableFacts};
use super::finding::{Finding, Severity};
use super::scope::SelectScope;

/// How many conditions of a SELECT are rewritten at most.
const MOST_CHANGES: usize = 200;

/// A query that was changed, and what was changed in it.
pub(crate) struct Rewritten<'a> {
    pub(crate) tree: SqlQuery,
    pub(crate) changes: Vec<Change<'a>>,
}

/// One change.
pub(crate) struct Change<'a> {
    /// What stood there, or what is said of it.
    pub(crate) before: String,
    /// What stands there now.
    pub(crate) after: String,
    pub(crate) table: Option<&'a TableFacts>,
}

impl Rewritten<'_> {
    /// Returns advice where a changed part reads a large table, and else what is only worth knowing.
    pub(crate) fn severity(&self, evidence: &Evidence) -> Severity {
        let large = self.changes.iter().any(|change| match change.table {
            Some(table) => evidence.is_large(table),
            None => evidence.reads_much(),
        });
        match large {
            true => Severity::Advice,
            false => Severity::Info,
        }
    }

    /// Returns the name of the table or clause that was changed first.
    pub(crate) fn node(&self) -> String {
        let table = self.changes.iter().find_map(|change| change.table);
        table.map_or_else(|| "query".to_owned(), |table| table.name.clone())
    }

    /// Lists what stood there.
    pub(crate) fn before(&self) -> String {
        let texts: Vec<&str> = self
            .changes
            .iter()
            .map(|change| change.before.as_str())
            .collect();
        texts.join("`, `")
    }
}

/// Changes the SELECTs of a query; `None` if none was changed.
pub(crate) fn selects<'a>(
    evidence: &'a Evidence,
    mut change: impl FnMut(&mut Select, &SelectScope<'a>) -> Vec<Change<'a>>,
) -> Option<Rewritten<'a>> {
    ordered_selects(evidence, |select, _, scope| change(select, scope))
}

/// Changes the SELECTs of a query, each with the ORDER BY that names its columns, if there is one.
pub(crate) fn ordered_selects<'a>(
    evidence: &'a Evidence,
    change: impl FnMut(&mut Select, Option<&mut OrderBy>, &SelectScope<'a>) -> Vec<Change<'a>>,
) -> Option<Rewritten<'a>> {
    struct Selects<'a, F> {
        evidence: &'a Evidence,
        change: F,
        changes: Vec<Change<'a>>,
    }
    impl<'a, F> Selects<'a, F>
    where
        F: FnMut(&mut Select, Option<&mut OrderBy>, &SelectScope<'a>) -> Vec<Change<'a>>,
    {
        fn body(&mut self, body: &mut SetExpr, order: Option<&mut OrderBy>) {
            match body {
                SetExpr::Select(select) => {
                    let scope = SelectScope::of(select, self.evidence);
                    let changes = (self.change)(select, order, &scope);
                    self.changes.extend(changes);
                }
                SetExpr::SetOperation { left, right, .. } => {
                    self.body(left, None);
                    self.body(right, None);
                }
                _ => {}
            }
        }
    }
    impl<'a, F> VisitorMut for Selects<'a, F>
    where
        F: FnMut(&mut Select, Option<&mut OrderBy>, &SelectScope<'a>) -> Vec<Change<'a>>,
    {
        type Break = ();

        fn post_visit_query(&mut self, query: &mut SqlQuery) -> ControlFlow<()> {
            let SqlQuery { body, order_by, .. } = query;
            self.body(body, order_by.as_mut());
            ControlFlow::Continue(())
        }
    }
    let mut tree = evidence.tree.clone();
    let mut selects = Selects {
        evidence,
        change,
        changes: Vec::new(),
    };
    let _: ControlFlow<()> = tree.visit(&mut selects);
    let changes = selects.changes;
    (!changes.is_empty()).then_some(Rewritten { tree, changes })
}

/// Asks for each SELECT of a query what there is to say of it; the first finding is the one.
pub(crate) fn first_in_selects(
    evidence: &Evidence,
    look: fn(&Select, &Evidence) -> Option<Finding>,
) -> Vec<Finding> {
    let mut found = None;
    for_each_select(&evidence.tree, &mut |select| {
        if found.is_none() {
            found = look(select, evidence);
        }
    });
    found.into_iter().collect()
}

/// Puts a hint comment into a SELECT, beside those that it has.
pub(crate) fn hint(select: &mut Select, words: &str) {
    select.optimizer_hints.push(OptimizerHint {
        prefix: String::new(),
        text: format!(" {words} "),
        style: OptimizerHintStyle::MultiLine,
    });
}

/// Writes a word of a hint with what it names: `BROADCAST(a, b)`.
pub(crate) fn call(word: &str, names: &[&Ident]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    format!("{word}({})", names.join(", "))
}

/// Changes conditions in WHERE and in the ON of inner joins: each comparison that a function gives
/// another form for. The new form must hold, fail and be NULL where the old one does.
pub(crate) fn conditions<'a>(
    evidence: &'a Evidence,
    change: impl Fn(&Expr, &SelectScope<'a>) -> Option<(Expr, &'a TableFacts)>,
) -> Option<Rewritten<'a>> {
    changed_conditions(evidence, true, change)
}

/// As `conditions`, but not under NOT: the new form may fail where the old one is NULL, and be NULL where
/// the old one fails.
pub(crate) fn positive_conditions<'a>(
    evidence: &'a Evidence,
    change: impl Fn(&Expr, &SelectScope<'a>) -> Option<(Expr, &'a TableFacts)>,
) -> Option<Rewritten<'a>> {
    changed_conditions(evidence, false, change)
}

fn changed_conditions<'a>(
    evidence: &'a Evidence,
    negated: bool,
    change: impl Fn(&Expr, &SelectScope<'a>) -> Option<(Expr, &'a TableFacts)>,
) -> Option<Rewritten<'a>> {
    selects(evidence, |select, scope| {
        let mut changes = Vec::new();
        for condition in conditions_of(select) {
            change_condition(condition, scope, negated, &change, &mut changes);
        }
        changes
    })
}

/// Lists the conditions of a SELECT that decide over its rows, taken apart at their ANDs.
pub(crate) fn filters(select: &Select) -> Vec<&Expr> {
    let joins = select.from.iter().flat_map(|table| &table.joins);
    let inner = joins.filter_map(|join| match &join.join_operator {
        JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on)) => Some(on),
        _ => None,
    });
    inner
        .chain(select.selection.as_ref())
        .flat_map(conjuncts)
        .collect()
}

/// Lists the conditions of a SELECT that decide over its rows before they are grouped.
pub(crate) fn conditions_of(select: &mut Select) -> Vec<&mut Expr> {
    let joins = select.from.iter_mut().flat_map(|table| &mut table.joins);
    let mut found: Vec<&mut Expr> = joins
        .filter_map(|join| match &mut join.join_operator {
            JoinOperator::Join(JoinConstraint::On(on))
            | JoinOperator::Inner(JoinConstraint::On(on)) => Some(on),
            _ => None,
        })
        .collect();
    found.extend(select.selection.as_mut());
    found
}

fn change_condition<'a>(
    condition: &mut Expr,
    scope: &SelectScope<'a>,
    negated: bool,
    change: &impl Fn(&Expr, &SelectScope<'a>) -> Option<(Expr, &'a TableFacts)>,
    changes: &mut Vec<Change<'a>>,
) {
    // So many changes are a text that nobody reads; planning each costs time.
    if changes.len() >= MOST_CHANGES {
        return;
    }
    match condition {
        Expr::Nested(inner) => return change_condition(inner, scope, negated, change, changes),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => {
            if !negated {
                return;
            }
            change_condition(expr, scope, negated, change, changes);
            if matches!(expr.as_ref(), Expr::BinaryOp { .. }) {
                **expr = Expr::Nested(expr.clone());
            }
            return;
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            change_condition(left, scope, negated, change, changes);
            change_condition(right, scope, negated, change, changes);
            return;
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Or,
            right,
        } => {
            for side in [left, right] {
                change_condition(side, scope, negated, change, changes);
                if matches!(
                    side.as_ref(),
                    Expr::BinaryOp {
                        op: BinaryOperator::And,
                        ..
                    }
                ) {
                    **side = Expr::Nested(side.clone());
                }
            }
            return;
        }
        _ => {}
    }
    if let Some((after, table)) = change(condition, scope) {
        changes.push(Change {
            before: condition.to_string(),
            after: after.to_string(),
            table: Some(table),
        });
        *condition = match after {
            // An OR among ANDs needs its brackets.
            Expr::BinaryOp {
                op: BinaryOperator::Or,
                ..
            } => Expr::Nested(Box::new(after)),
            other => other,
        };
    }
}
