//! Tables in FROM in an order that makes large intermediate results.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Join, JoinConstraint, JoinOperator, ObjectNamePart, OrderBy, Select,
    SelectItem, TableFactor, TableWithJoins, Visit, Visitor,
};
use lakesh_sql::normalized;

use crate::ast::{all_of, bare, binary, conjuncts};
use crate::finding::Severity;
use crate::rewrite;
use crate::rewrite::Change;
use crate::scans::{ranges, span};
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "join-order",
    summary: "Tables are joined in an order that makes large intermediate results.",
    advice: "Tables are joined in the order of FROM. Begin with the table of which the filters leave \
             least, and join next what makes fewest rows of it.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT count(*) AS n FROM orders a JOIN orders b ON a.customer = b.customer JOIN customers c ON c.id = a.id WHERE c.region = 3",
    silent: "SELECT count(*) AS n FROM customers c JOIN orders a ON c.id = a.id JOIN orders b ON a.customer = b.customer WHERE c.region = 3",
    inspect,
};

/// A new order has to make so many times fewer rows to be worth a word.
const WORTHWHILE: f64 = 1.4;

/// Estimates are rough: a smaller difference is only worth knowing.
const SURE: f64 = 4.0;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let mut costs: Option<(f64, f64, String)> = None;
    let rewritten = rewrite::ordered_selects(evidence, |select, order, scope| {
        let Some(graph) = Graph::of(select, order.as_deref(), scope, evidence) else {
            return Vec::new();
        };
        let written: Vec<usize> = (0..graph.tables.len()).collect();
        let (Some(best), before) = (graph.best(), graph.cost(&written)) else {
            return Vec::new();
        };
        let after = graph.cost(&best);
        if best == written || before < WORTHWHILE * after {
            return Vec::new();
        }
        let names: Vec<String> = best
            .iter()
            .map(|place| scope.relations[*place].visible.to_string())
            .collect();
        costs = Some((before, after, names.join(", ")));
        graph.write(select, &best);
        vec![Change {
            before: String::new(),
            after: String::new(),
            table: None,
        }]
    });
    let (Some(rewritten), Some((before, after, order))) = (rewritten, costs) else {
        return Vec::new();
    };
    let severity = match before >= evidence.thresholds.rows as f64 && before >= SURE * after {
        true => Severity::Advice,
        false => Severity::Info,
    };
    vec![
        Finding::new(
            severity,
            "FROM",
            format!("joining in the order {order} makes fewer rows on the way"),
        )
        .evidence(format!(
            "about {before:.0} rows as written, {after:.0} in that order"
        ))
        .gain((before / after).clamp(1.0, 5.0))
        .rewrite(rewritten.tree),
    ]
}

/// The inner joins of a SELECT: tables, and the equalities between them.
struct Graph {
    tables: Vec<Size>,
    factors: Vec<TableFactor>,
    /// Conditions with the places of the tables that they name.
    conditions: Vec<(Vec<usize>, Expr)>,
    /// The pairs of tables that an equality joins, and how many values its columns have.
    edges: Vec<(usize, usize, f64)>,
}

struct Size {
    /// Rows that the table's own filters leave.
    left: f64,
}

impl Graph {
    fn of(
        select: &Select,
        order: Option<&OrderBy>,
        scope: &SelectScope<'_>,
        evidence: &Evidence,
    ) -> Option<Self> {
        let factors: Vec<TableFactor> = flat(&select.from)?;
        let wildcard = select.projection.iter().any(|item| {
            matches!(
                item,
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
            )
        });
        if !(3..=10).contains(&factors.len()) || wildcard || factors.len() != scope.relations.len()
        {
            return None;
        }
        let mut conditions = merged(select, order, scope)?;
        let on = select
            .from
            .iter()
            .flat_map(|table| &table.joins)
            .filter_map(on_of);
        for part in on.chain(select.selection.as_ref()).flat_map(conjuncts) {
            // A condition with a subquery is left where it is: in WHERE.
            let places = scope.relations_of(part).unwrap_or_default();
            conditions.push((places, part.clone()));
        }
        let tables = (0..factors.len())
            .map(|place| size(place, scope, evidence, &conditions))
            .collect::<Option<Vec<_>>>()?;
        let edges = conditions
            .iter()
            .filter(|(places, condition)| places.len() == 2 && is_equality(condition))
            .map(|(places, condition)| {
                let keys = keys(condition, scope, evidence);
                (places[0], places[1], keys)
            })
            .collect();
        Some(Self {
            tables,
            factors,
            conditions,
            edges,
        })
    }

    /// Estimates the rows that all joins make in an order; a join without a condition makes them all.
    fn cost(&self, order: &[usize]) -> f64 {
        let Some((first, rest)) = order.split_first() else {
            return 0.0;
        };
        let mut joined = vec![*first];
        let mut rows = self.tables[*first].left;
        let mut cost = rows;
        for next in rest {
            rows = self.step(rows, &joined, *next);
            // What is read to be joined counts, too.
            cost += rows + self.tables[*next].left;
            joined.push(*next);
        }
        cost
    }

    fn step(&self, rows: f64, joined: &[usize], next: usize) -> f64 {
        let table = &self.tables[next];
        let edges = self.edges.iter().filter(|(one, other, _)| {
            (*one == next && joined.contains(other)) || (*other == next && joined.contains(one))
        });
        let keys = edges
            .map(|(_, _, keys)| *keys)
            .reduce(|most, keys| most.max(keys));
        match keys {
            // Each value is taken to stand in the other table equally often.
            Some(keys) => (rows * table.left / keys.max(1.0)).max(1.0),
            None => rows * table.left,
        }
    }

    /// Finds the cheapest order: from each table on, always the next that makes fewest rows.
    fn best(&self) -> Option<Vec<usize>> {
        (0..self.tables.len())
            .map(|first| self.from(first))
            .min_by(|left, right| self.cost(left).total_cmp(&self.cost(right)))
    }

    fn from(&self, first: usize) -> Vec<usize> {
        let mut order = vec![first];
        let mut rows = self.tables[first].left;
        while order.len() < self.tables.len() {
            let open = (0..self.tables.len()).filter(|place| !order.contains(place));
            let next = open.min_by(|left, right| {
                let after = |place: usize| self.step(rows, &order, place);
                after(*left).total_cmp(&after(*right))
            });
            let Some(next) = next else { break };
            rows = self.step(rows, &order, next);
            order.push(next);
        }
        order
    }

    /// Writes FROM in an order, each condition at the first join that knows its tables.
    fn write(&self, select: &mut Select, order: &[usize]) {
        let mut open = self.conditions.clone();
        let mut known: Vec<usize> = Vec::new();
        let mut from: Option<TableWithJoins> = None;
        for place in order {
            known.push(*place);
            let relation = self.factors[*place].clone();
            let Some(table) = &mut from else {
                from = Some(TableWithJoins {
                    relation,
                    joins: Vec::new(),
                });
                continue;
            };
            let (here, later): (Vec<_>, Vec<_>) = open.into_iter().partition(|(places, _)| {
                places.len() > 1 && places.iter().all(|place| known.contains(place))
            });
            open = later;
            let condition = all_of(here.into_iter().map(|(_, condition)| condition).collect());
            table.joins.push(Join {
                relation,
                global: false,
                join_operator: match condition {
                    Some(condition) => JoinOperator::Join(JoinConstraint::On(condition)),
                    None => JoinOperator::CrossJoin(JoinConstraint::None),
                },
            });
        }
        select.from = from.into_iter().collect();
        select.selection = all_of(open.into_iter().map(|(_, condition)| condition).collect());
    }
}

/// Writes the columns of USING as equalities; `None` where one is named without its table, since only
/// USING makes such a name clear.
fn merged(
    select: &Select,
    order: Option<&OrderBy>,
    scope: &SelectScope<'_>,
) -> Option<Vec<(Vec<usize>, Expr)>> {
    let mut conditions = Vec::new();
    let mut names = Vec::new();
    let mut place = 0;
    for table in &select.from {
        for join in &table.joins {
            place += 1;
            let (JoinOperator::Join(JoinConstraint::Using(columns))
            | JoinOperator::Inner(JoinConstraint::Using(columns))) = &join.join_operator
            else {
                continue;
            };
            for column in columns {
                let [ObjectNamePart::Identifier(column)] = column.0.as_slice() else {
                    return None;
                };
                let name = normalized(column);
                let has = |earlier: &usize| {
                    let table = scope.relations[*earlier].table;
                    table.is_some_and(|table| table.field(&name).is_some())
                };
                let [left] = (0..place).filter(has).collect::<Vec<_>>().try_into().ok()?;
                let of = |place: usize| {
                    let relation = scope.relations[place].visible.clone();
                    Expr::CompoundIdentifier(vec![relation, column.clone()])
                };
                let equal = binary(of(left), BinaryOperator::Eq, of(place));
                conditions.push((vec![left, place], equal));
                names.push(name);
            }
        }
        place += 1;
    }
    let clear = names.is_empty()
        || !names_any(select, &names) && order.is_none_or(|order| !names_any(order, &names));
    clear.then_some(conditions)
}

/// Says whether a part of a query has one of some names without a table before it.
fn names_any(part: &impl Visit, names: &[String]) -> bool {
    struct Unqualified<'a>(&'a [String]);
    impl Visitor for Unqualified<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Identifier(name) if self.0.contains(&normalized(name)) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    part.visit(&mut Unqualified(names)).is_break()
}

/// Lists the tables of FROM, if all joins are inner joins, or commas.
fn flat(from: &[TableWithJoins]) -> Option<Vec<TableFactor>> {
    let mut factors = Vec::new();
    for table in from {
        factors.push(table.relation.clone());
        for join in &table.joins {
            match &join.join_operator {
                JoinOperator::Join(JoinConstraint::On(_) | JoinConstraint::Using(_))
                | JoinOperator::Inner(JoinConstraint::On(_) | JoinConstraint::Using(_))
                | JoinOperator::CrossJoin(JoinConstraint::None) => {}
                _ => return None,
            }
            factors.push(join.relation.clone());
        }
    }
    let plain = |factor: &TableFactor| match factor {
        TableFactor::Table { args, .. } => args.is_none(),
        TableFactor::Derived { lateral, .. } => !lateral,
        _ => false,
    };
    factors.iter().all(plain).then_some(factors)
}

fn on_of(join: &Join) -> Option<&Expr> {
    match &join.join_operator {
        JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on)) => Some(on),
        _ => None,
    }
}

fn is_equality(condition: &Expr) -> bool {
    matches!(
        bare(condition),
        Expr::BinaryOp {
            op: BinaryOperator::Eq,
            ..
        }
    )
}

/// Returns the larger number of values that the two columns of an equality have.
fn keys(condition: &Expr, scope: &SelectScope<'_>, evidence: &Evidence) -> f64 {
    let Expr::BinaryOp { left, right, .. } = bare(condition) else {
        return 1.0;
    };
    let values = |side: &Expr| {
        let column = scope.column(side)?;
        let rows = column.table.estimated_rows().max(1) as f64;
        let (low, high) = span(&ranges(column.table, &evidence.scans, column.field.name()))?;
        match column.data_type().is_integer() {
            true => Some(rows.min(high - low + 1.0)),
            false => Some(rows),
        }
    };
    let known = [left, right].into_iter().filter_map(|side| values(side));
    known.reduce(f64::max).unwrap_or(1000.0)
}

fn size(
    place: usize,
    scope: &SelectScope<'_>,
    evidence: &Evidence,
    conditions: &[(Vec<usize>, Expr)],
) -> Option<Size> {
    let table = scope.relations[place].table?;
    let all = table.estimated_rows().max(1) as f64;
    let own = conditions.iter().filter(|(places, _)| places == &[place]);
    let mut left = all;
    for (_, condition) in own {
        left *= evidence.selectivity(table, condition, scope);
    }
    Some(Size {
        left: left.max(1.0),
    })
}
