//! `a JOIN b ON a.x = b.x OR a.y = b.y`.

mod exists;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, OrderBy, OrderByKind,
    Query as SqlQuery, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};
use lakesh_sql::normalized;

use crate::ast::{all_of, bare, binary, bracketed, conjuncts, disjuncts, for_each_select, number};
use crate::finding::Severity;
use crate::rewrite;
use crate::rewrite::Change;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "or-in-join",
    summary: "A join's condition is an OR of equalities.",
    advice: "No hash table serves two keys, so every row is compared with every other. One join for each \
             equality, put together by UNION ALL, finds the same pairs; each later one leaves out what \
             an earlier one has found.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT count(*) FROM orders o JOIN customers c ON o.customer = c.id OR o.payer = c.id",
    silent: "SELECT count(*) FROM orders o JOIN customers c ON o.customer = c.id AND (o.payer = c.id OR c.region = 3)",
    inspect,
};

/// The name of the table that stands for the join.
const MATCHED: &str = "matched";

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    // A hash join with a filter is not what this is about.
    if !evidence.has_node(|node| node.plan.name() == "NestedLoopJoinExec") {
        return Vec::new();
    }
    let mut found: Option<String> = None;
    let rewritten = rewrite::ordered_selects(evidence, |select, order, scope| {
        let Some((alternatives, rest)) = alternatives(select, scope) else {
            let Some(condition) = exists::split(select, scope, evidence) else {
                return Vec::new();
            };
            found.get_or_insert_with(|| condition.clone());
            return vec![Change {
                before: condition,
                after: String::new(),
                table: None,
            }];
        };
        let condition: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
        let condition = condition.join(" OR ");
        found.get_or_insert_with(|| condition.clone());
        match union(select, order, scope, &alternatives, rest) {
            None => Vec::new(),
            Some(changed) => {
                *select = changed;
                vec![Change {
                    before: condition,
                    after: String::new(),
                    table: None,
                }]
            }
        }
    });
    let Some(condition) = found.or_else(|| elsewhere(evidence)) else {
        return Vec::new();
    };
    let severity = match evidence.reads_much() || pairs(evidence) >= 1e8 {
        true => Severity::Warning,
        false => Severity::Info,
    };
    let finding = Finding::new(
        severity,
        "NestedLoopJoinExec",
        format!("`{condition}` compares every row of one side with every row of the other"),
    )
    .evidence(format!("about {:.0} pairs of rows", pairs(evidence)))
    .gain(20.0);
    vec![match rewritten {
        Some(rewritten) => finding.rewrite(rewritten.tree),
        None => finding,
    }]
}

/// Finds an OR of equalities in joins that no union can take the place of: outer ones, or several.
fn elsewhere(evidence: &Evidence) -> Option<String> {
    let mut found = None;
    for_each_select(&evidence.tree, &mut |select| {
        let scope = SelectScope::of(select, evidence);
        let joins = select.from.iter().flat_map(|table| &table.joins);
        let conditions = joins.filter_map(|join| condition_of(&join.join_operator));
        let parts = conditions
            .chain(select.selection.as_ref())
            .flat_map(conjuncts);
        for part in parts {
            if found.is_none() && equalities(part, &scope).is_some() {
                found = Some(part.to_string());
            }
        }
    });
    found
}

fn condition_of(operator: &JoinOperator) -> Option<&Expr> {
    match operator {
        JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on))
        | JoinOperator::Left(JoinConstraint::On(on))
        | JoinOperator::LeftOuter(JoinConstraint::On(on))
        | JoinOperator::Right(JoinConstraint::On(on))
        | JoinOperator::RightOuter(JoinConstraint::On(on))
        | JoinOperator::FullOuter(JoinConstraint::On(on)) => Some(on),
        _ => None,
    }
}

fn pairs(evidence: &Evidence) -> f64 {
    let join = evidence
        .nodes
        .iter()
        .find(|node| node.plan.name() == "NestedLoopJoinExec");
    let Some(join) = join else {
        return 0.0;
    };
    let sides = ["0", "1"].map(|side| {
        let path = format!("{}.{side}", join.path);
        let node = evidence.nodes.iter().find(|node| node.path == path);
        node.and_then(|node| node.rows).unwrap_or(1000) as f64
    });
    sides[0] * sides[1]
}

/// Returns the equalities of which one has to hold, and the other conditions of WHERE.
fn alternatives(select: &Select, scope: &SelectScope<'_>) -> Option<(Vec<Expr>, Vec<Expr>)> {
    if scope.relations.len() != 2 {
        return None;
    }
    let on = on_of(select)?;
    let of_where = select.selection.iter().flat_map(conjuncts);
    let all: Vec<&Expr> = on.into_iter().flat_map(conjuncts).chain(of_where).collect();
    let place = all
        .iter()
        .position(|part| equalities(part, scope).is_some())?;
    let chosen = equalities(all[place], scope)?;
    let rest = all
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != place)
        .map(|(_, part)| (*part).clone());
    Some((chosen, rest.collect()))
}

/// Returns the condition of the one join there is; `Some(None)` for a comma.
fn on_of(select: &Select) -> Option<Option<&Expr>> {
    match select.from.as_slice() {
        [table] => match table.joins.as_slice() {
            [
                Join {
                    join_operator:
                        JoinOperator::Join(JoinConstraint::On(on))
                        | JoinOperator::Inner(JoinConstraint::On(on)),
                    ..
                },
            ] => Some(Some(on)),
            [
                Join {
                    join_operator: JoinOperator::CrossJoin(_),
                    ..
                },
            ] => Some(None),
            _ => None,
        },
        [first, second] if first.joins.is_empty() && second.joins.is_empty() => Some(None),
        _ => None,
    }
}

/// Reads an OR, or an IN over columns, each part of which has an equality between the two sides.
fn equalities(condition: &Expr, scope: &SelectScope<'_>) -> Option<Vec<Expr>> {
    let parts: Vec<Expr> = match bare(condition) {
        Expr::InList {
            expr,
            list,
            negated: false,
        } => list
            .iter()
            .map(|value| binary((**expr).clone(), BinaryOperator::Eq, value.clone()))
            .collect(),
        other => disjuncts(other).into_iter().cloned().collect(),
    };
    let joins = |part: &Expr| {
        conjuncts(part).into_iter().any(|part| {
            let Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } = bare(part)
            else {
                return false;
            };
            let sides = (scope.relations_of(left), scope.relations_of(right));
            matches!(sides, (Some(left), Some(right))
                if left.len() == 1 && right.len() == 1 && left != right)
        })
    };
    ((2..=4).contains(&parts.len()) && parts.iter().all(joins)).then_some(parts)
}

/// Puts a union of joins in the place of the join.
fn union(
    select: &Select,
    order: Option<&mut OrderBy>,
    scope: &SelectScope<'_>,
    alternatives: &[Expr],
    rest: Vec<Expr>,
) -> Option<Select> {
    let mut changed = select.clone();
    changed.selection = all_of(rest);
    // Hints name tables that stand in the branches.
    changed.optimizer_hints.clear();
    let factors: Vec<TableFactor> = crate::scope::factors(&select.from)
        .into_iter()
        .cloned()
        .collect();
    changed.from.clear();
    let mut names = Names {
        scope,
        columns: Vec::new(),
        failed: false,
    };
    names.keep_projected_names(&mut changed)?;
    let _: ControlFlow<()> = changed.visit(&mut names);
    let mut renamed = order.as_deref().cloned();
    if let Some(renamed) = &mut renamed {
        names.rename_order(renamed, &changed)?;
    }
    if names.failed {
        return None;
    }
    if names.columns.is_empty() {
        // `count(*)` asks for rows, not for columns.
        names.columns.push((number(1), Ident::new("one")));
    }
    let mut earlier: Vec<Expr> = Vec::new();
    let mut body: Option<SetExpr> = None;
    for alternative in alternatives {
        let mut conditions = vec![bracketed(alternative.clone())];
        conditions.extend(earlier.iter().cloned());
        earlier.push(Expr::IsNotTrue(Box::new(bracketed(alternative.clone()))));
        let branch = branch(select, &factors, &names.columns, all_of(conditions)?);
        body = Some(match body {
            None => branch,
            Some(left) => SetExpr::SetOperation {
                left: Box::new(left),
                op: SetOperator::Union,
                set_quantifier: SetQuantifier::All,
                right: Box::new(branch),
            },
        });
    }
    let mut subquery: SqlQuery = crate::ast::empty_query()?;
    *subquery.body = body?;
    changed.from = vec![TableWithJoins {
        relation: TableFactor::Derived {
            lateral: false,
            subquery: Box::new(subquery),
            alias: Some(TableAlias {
                explicit: true,
                name: Ident::new(MATCHED),
                columns: Vec::new(),
                at: None,
            }),
            sample: None,
        },
        joins: Vec::new(),
    }];
    if let (Some(order), Some(renamed)) = (order, renamed) {
        *order = renamed;
    }
    Some(changed)
}

/// Makes `SELECT columns FROM a JOIN b ON condition`.
fn branch(
    like: &Select,
    factors: &[TableFactor],
    columns: &[(Expr, Ident)],
    condition: Expr,
) -> SetExpr {
    let mut select = like.clone();
    select.distinct = None;
    select.selection = None;
    select.having = None;
    select.qualify = None;
    select.named_window.clear();
    select.group_by =
        datafusion::sql::sqlparser::ast::GroupByExpr::Expressions(Vec::new(), Vec::new());
    select.projection = columns
        .iter()
        .map(|(column, name)| SelectItem::ExprWithAlias {
            expr: column.clone(),
            alias: name.clone(),
        })
        .collect();
    let mut factors = factors.iter().cloned();
    select.from = factors
        .next()
        .map(|relation| TableWithJoins {
            relation,
            joins: factors
                .map(|relation| Join {
                    relation,
                    global: false,
                    join_operator: JoinOperator::Join(JoinConstraint::On(condition.clone())),
                })
                .collect(),
        })
        .into_iter()
        .collect();
    SetExpr::Select(Box::new(select))
}

/// Gives the columns that a SELECT uses names in the table that stands for the join.
struct Names<'s, 'a> {
    scope: &'s SelectScope<'a>,
    /// Columns of the join, and what they are called outside it.
    columns: Vec<(Expr, Ident)>,
    failed: bool,
}

impl Names<'_, '_> {
    /// Gives columns without an alias their own names as one, since they may be called otherwise inside.
    fn keep_projected_names(&self, select: &mut Select) -> Option<()> {
        for item in &mut select.projection {
            match item {
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
                    let alias = parts.last()?.clone();
                    *item = SelectItem::ExprWithAlias {
                        expr: Expr::CompoundIdentifier(parts.clone()),
                        alias,
                    };
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => return None,
                _ => {}
            }
        }
        Some(())
    }

    /// Lets ORDER BY go by the columns of the table that stands for the join; names of the result stay.
    fn rename_order(&mut self, order: &mut OrderBy, select: &Select) -> Option<()> {
        let OrderByKind::Expressions(expressions) = &mut order.kind else {
            return None;
        };
        let of_result = |name: &Ident| {
            select.projection.iter().any(|item| {
                matches!(item, SelectItem::ExprWithAlias { alias, .. }
                    if normalized(alias) == normalized(name))
            })
        };
        for order in expressions {
            if !matches!(&order.expr, Expr::Identifier(name) if of_result(name)) {
                let _: ControlFlow<()> = order.expr.visit(self);
            }
        }
        Some(())
    }

    fn name(&mut self, column: &Expr) -> Option<Ident> {
        let (place, name) = match column {
            Expr::CompoundIdentifier(parts) => {
                let [relation, name] = parts.as_slice() else {
                    return None;
                };
                (self.scope.relation(relation)?, name)
            }
            Expr::Identifier(name) => (self.scope.column(column)?.relation, name),
            _ => return None,
        };
        let relation = &self.scope.relations.get(place)?.visible;
        let inside = Expr::CompoundIdentifier(vec![relation.clone(), name.clone()]);
        if let Some((_, known)) = self.columns.iter().find(|(known, _)| *known == inside) {
            return Some(known.clone());
        }
        let text = format!("{}_{}", normalized(relation), normalized(name));
        let plain = text
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
        let outside = match plain {
            true => Ident::new(text),
            false => Ident::with_quote('"', text),
        };
        self.columns.push((inside, outside.clone()));
        Some(outside)
    }
}

impl VisitorMut for Names<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut SqlQuery) -> ControlFlow<()> {
        // A subquery may name columns of the join; leave it alone.
        self.failed = true;
        ControlFlow::Break(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if !matches!(
            expression,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_)
        ) {
            return ControlFlow::Continue(());
        }
        match self.name(expression) {
            Some(name) => {
                *expression = Expr::CompoundIdentifier(vec![Ident::new(MATCHED), name]);
                ControlFlow::Continue(())
            }
            None => {
                self.failed = true;
                ControlFlow::Break(())
            }
        }
    }
}
