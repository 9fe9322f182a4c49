//! JOIN_ORDER(a, b, c): inner joins are done in this order, and of two sides the earlier one is built on.
//!
//! The joins of the FROM clause become a list of relations and their conditions part of WHERE, which is
//! the same for inner joins; DataFusion joins such a list from left to right as far as conditions allow.

use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, SelectItem,
    SelectItemQualifiedWildcardKind, TableFactor, TableWithJoins,
};

use super::super::block::{Block, visible_name};
use super::super::comment::{Argument, Hint};
use super::super::node::Effect;
use super::super::{HintWord, Refusal};
use super::is_plain;

pub(in super::super) static JOIN_ORDER: HintWord = HintWord {
    names: &["JOIN_ORDER", "LEADING"],
    usage: "JOIN_ORDER(a, b, …)",
    summary: "Does inner joins in this order; of two sides the earlier one is built on.",
    example: "SELECT /*+ JOIN_ORDER(b, a) */ count(*) FROM generate_series(1, 9) a(i) JOIN (VALUES (1), (2)) b(i) ON a.i = b.i;",
    apply,
};

/// Tells the hints of a process apart.
static GROUPS: AtomicUsize = AtomicUsize::new(0);

fn apply(block: &mut Block<'_>, hint: &Hint) -> Result<(), Refusal> {
    if hint.arguments.len() < 2 {
        return Err(Refusal::new("it names fewer than two relations"));
    }
    for argument in &hint.arguments {
        block.find(argument)?;
    }
    let list = Flattened::of(&block.select.from)?;
    let written = list.relations.clone();
    let order = list.in_order(&hint.arguments)?;
    if order != written {
        if !block.select.projection.iter().all(is_plain) {
            return Err(Refusal::new(
                "a `*` with EXCLUDE or the like stands in the SELECT",
            ));
        }
        expand_wildcards(&mut block.select.projection, &written);
    }
    block.select.from = order
        .into_iter()
        .map(|relation| TableWithJoins {
            relation,
            joins: Vec::new(),
        })
        .collect();
    for condition in list.conditions {
        let selection = block.select.selection.take();
        block.select.selection = Some(match selection {
            None => condition,
            Some(before) => Expr::BinaryOp {
                left: Box::new(Expr::Nested(Box::new(before))),
                op: BinaryOperator::And,
                right: Box::new(Expr::Nested(Box::new(condition))),
            },
        });
    }
    let group = GROUPS.fetch_add(1, Ordering::Relaxed);
    block.mark_each(hint, |rank| Effect::Order { group, rank })
}

/// A FROM clause of inner joins as a list.
struct Flattened {
    relations: Vec<TableFactor>,
    conditions: Vec<Expr>,
}

impl Flattened {
    fn of(from: &[TableWithJoins]) -> Result<Self, Refusal> {
        let mut list = Self {
            relations: Vec::new(),
            conditions: Vec::new(),
        };
        for item in from {
            list.relation(&item.relation)?;
            for join in &item.joins {
                list.join(join)?;
            }
        }
        Ok(list)
    }

    fn relation(&mut self, relation: &TableFactor) -> Result<(), Refusal> {
        match relation {
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                let inner = Self::of(std::slice::from_ref(table_with_joins))?;
                self.relations.extend(inner.relations);
                self.conditions.extend(inner.conditions);
                Ok(())
            }
            TableFactor::Derived { lateral: true, .. } | TableFactor::NestedJoin { .. } => Err(
                Refusal::new("the FROM clause has a relation that cannot be moved"),
            ),
            other if visible_name(other).is_none() => Err(Refusal::new(
                "the FROM clause has a relation without a name",
            )),
            other => {
                self.relations.push(other.clone());
                Ok(())
            }
        }
    }

    fn join(&mut self, join: &Join) -> Result<(), Refusal> {
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::CrossJoin(constraint) => constraint,
            _ => {
                return Err(Refusal::new(
                    "only inner joins may change their order, and the FROM clause has another",
                ));
            }
        };
        match constraint {
            JoinConstraint::On(condition) => self.conditions.push(condition.clone()),
            JoinConstraint::None => {}
            JoinConstraint::Using(_) | JoinConstraint::Natural => {
                return Err(Refusal::new(
                    "a join with USING or NATURAL keeps its place; write ON",
                ));
            }
        }
        self.relation(&join.relation)
    }

    /// Returns the relations in the order of a hint, those that it does not name behind.
    fn in_order(&self, wanted: &[Argument]) -> Result<Vec<TableFactor>, Refusal> {
        let mut rest = self.relations.clone();
        let mut order = Vec::with_capacity(rest.len());
        for argument in wanted {
            let last = argument.text.rsplit('.').next().unwrap_or(&argument.text);
            let place = rest.iter().position(|relation| {
                let name = visible_name(relation);
                name.as_deref() == Some(&argument.text) || name.as_deref() == Some(last)
            });
            let Some(place) = place else {
                return Err(Refusal {
                    reason: format!("`{}` is named twice", argument.text),
                    at: Some(argument.at.clone()),
                });
            };
            order.push(rest.remove(place));
        }
        order.append(&mut rest);
        Ok(order)
    }
}

/// Writes `*` as `a.*, b.*` in the order that the user wrote, which it would lose.
fn expand_wildcards(projection: &mut Vec<SelectItem>, relations: &[TableFactor]) {
    let mut items = Vec::with_capacity(projection.len());
    for item in projection.drain(..) {
        let SelectItem::Wildcard(options) = item else {
            items.push(item);
            continue;
        };
        for relation in relations {
            let name = visible_name(relation).unwrap_or_default();
            let name = ObjectName::from(vec![Ident::with_quote('"', name)]);
            let kind = SelectItemQualifiedWildcardKind::ObjectName(name);
            items.push(SelectItem::QualifiedWildcard(kind, options.clone()));
        }
    }
    *projection = items;
}
