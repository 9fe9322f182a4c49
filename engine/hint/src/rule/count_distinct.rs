//! COUNT(DISTINCT …), alone or several of them.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Ident, Query as SqlQuery, Select, SelectItem, SetExpr,
};

use crate::ast::{bare, empty_query, integer};
use crate::finding::Severity;
use crate::rewrite;
use crate::rewrite::Change;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "count-distinct",
    summary: "Several COUNT(DISTINCT …) of different columns stand in one SELECT, or one over many rows.",
    advice: "One COUNT(DISTINCT …) is counted by grouping in parallel; several at once are collected in \
             sets, which are put together in one piece. Count each in a subquery of its own. Where an \
             estimate will do, `approx_distinct` needs next to no memory; its result differs by a few \
             per cent.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(DISTINCT id) AS ids, count(DISTINCT ts) AS moments FROM events",
    silent: "SELECT count(DISTINCT kind) AS kinds, count(*) AS n FROM events WHERE id < 100",
    inspect,
};

/// Sets of fewer values are small.
const MANY_VALUES: f64 = 10_000.0;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::selects(evidence, |select, scope| {
        match apart(select, scope, evidence) {
            None => Vec::new(),
            Some((changed, count)) => {
                *select = changed;
                vec![Change {
                    before: format!("{count} COUNT(DISTINCT …)"),
                    after: String::new(),
                    table: None,
                }]
            }
        }
    });
    if let Some(rewritten) = rewritten {
        let severity = rewritten.severity(evidence);
        let text = format!(
            "{} collect their values in sets, in one piece",
            rewritten.before()
        );
        return vec![
            Finding::new(severity, "Aggregate", text)
                .gain(2.0)
                .rewrite(rewritten.tree),
        ];
    }
    estimated(evidence).into_iter().collect()
}

/// Suggests an estimate in the place of one count over many rows.
fn estimated(evidence: &Evidence) -> Option<Finding> {
    if !evidence.reads_much() {
        return None;
    }
    let rewritten = rewrite::selects(evidence, |select, _| {
        let mut changes = Vec::new();
        for item in &mut select.projection {
            let (SelectItem::UnnamedExpr(expression)
            | SelectItem::ExprWithAlias {
                expr: expression, ..
            }) = item
            else {
                continue;
            };
            let before = expression.to_string();
            if let Expr::Function(function) = expression
                && counts_distinct(function)
            {
                function.name = Ident::new("approx_distinct").into();
                if let FunctionArguments::List(list) = &mut function.args {
                    list.duplicate_treatment = None;
                }
                changes.push(Change {
                    before,
                    after: String::new(),
                    table: None,
                });
            }
        }
        changes
    })?;
    let text = format!("`{}` keeps every value it has seen", rewritten.before());
    Some(
        Finding::new(Severity::Info, "Aggregate", text)
            .evidence("approx_distinct differs by a few per cent")
            .rewrite(rewritten.tree)
            .changing_result(),
    )
}

/// Gives each aggregate of a SELECT a subquery of its own; returns how many count distinct values.
fn apart(select: &Select, scope: &SelectScope<'_>, evidence: &Evidence) -> Option<(Select, usize)> {
    let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers)
        if keys.is_empty() && modifiers.is_empty());
    if !ungrouped || select.having.is_some() || select.distinct.is_some() {
        return None;
    }
    let mut counted: Vec<String> = Vec::new();
    let mut items = Vec::new();
    for item in &select.projection {
        let (expression, alias) = match item {
            SelectItem::ExprWithAlias { expr, alias } => (expr, alias.clone()),
            _ => return None,
        };
        let Expr::Function(function) = bare(expression) else {
            return None;
        };
        let name = function.name.to_string().to_lowercase();
        if function.over.is_some() || !evidence.aggregates.contains(&name) {
            return None;
        }
        if counts_distinct(function) && has_many_values(function, scope, evidence) {
            let arguments = function.args.to_string();
            if !counted.contains(&arguments) {
                counted.push(arguments);
            }
        }
        items.push((expression.clone(), alias));
    }
    if counted.len() < 2 {
        return None;
    }
    let mut outer = select.clone();
    outer.from.clear();
    outer.selection = None;
    // Hints name tables that stand in the subqueries.
    outer.optimizer_hints.clear();
    outer.projection = items
        .into_iter()
        .map(|(expression, alias)| {
            Some(SelectItem::ExprWithAlias {
                expr: Expr::Subquery(Box::new(alone(select, expression, &alias)?)),
                alias,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    Some((outer, counted.len()))
}

fn alone(select: &Select, expression: Expr, alias: &Ident) -> Option<SqlQuery> {
    let mut inner = select.clone();
    inner.projection = vec![SelectItem::ExprWithAlias {
        expr: expression,
        alias: alias.clone(),
    }];
    let mut query = empty_query()?;
    *query.body = SetExpr::Select(Box::new(inner));
    Some(query)
}

/// Says whether what is counted may have more values than a small set holds.
fn has_many_values(function: &Function, scope: &SelectScope<'_>, evidence: &Evidence) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return true;
    };
    list.args.iter().any(|argument| {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) = argument else {
            return true;
        };
        let values = match bare(expression) {
            Expr::BinaryOp {
                op: BinaryOperator::Modulo,
                right,
                ..
            } => integer(right).map(|values| values.unsigned_abs() as f64),
            column => scope.column(column).and_then(|column| {
                evidence.distinct_values(column.table, column.field.name(), column.data_type())
            }),
        };
        values.is_none_or(|values| values >= MANY_VALUES)
    })
}

fn counts_distinct(function: &Function) -> bool {
    let distinct = matches!(&function.args, FunctionArguments::List(list)
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct));
    let name = function.name.to_string();
    distinct && name.eq_ignore_ascii_case("count") && function.filter.is_none()
}
