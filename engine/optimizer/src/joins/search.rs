//! Finds the cheapest order of joins: all of them for some relations, one step after the other for many.
//!
//! For up to twelve relations each connected set is made of each pair of connected sets that are connected
//! with each other, once (G. Moerkotte and T. Neumann, "Analysis of Two Existing and One New Dynamic
//! Programming Algorithm", VLDB 2006). For more, the pair whose join has the fewest rows is joined again and
//! again. No relations are joined that have no equality between them.

use std::collections::HashMap;
use std::rc::Rc;

use super::graph::{Graph, relations_of};
use super::region::Set;

/// So many relations are joined in all orders.
const MOST: usize = 12;

/// An order of joins.
pub(super) enum Order {
    Relation(usize),
    Join(Rc<Found>, Rc<Found>),
}

/// A set of relations and the cheapest order that was found for it.
pub(super) struct Found {
    pub(super) set: Set,
    pub(super) rows: f64,
    pub(super) cost: f64,
    pub(super) order: Order,
}

/// Returns the cheapest order; `None` where some relations have no equality with the others.
pub(super) fn cheapest(graph: &Graph) -> Option<Rc<Found>> {
    let count = graph.relations.len();
    let singles = (0..count).map(|relation| {
        let set = 1 << relation;
        let rows = graph.rows(set);
        Rc::new(Found {
            set,
            rows,
            cost: graph.cost_of_partners(set, [0, 0], rows),
            order: Order::Relation(relation),
        })
    });
    let singles: Vec<_> = singles.collect();
    if count <= MOST {
        let mut search = Search {
            graph,
            found: singles
                .iter()
                .map(|one| (one.set, Rc::clone(one)))
                .collect(),
        };
        search.all(count);
        return search.found.remove(&((1 << count) - 1));
    }
    greedy(graph, singles)
}

pub(super) fn joined(graph: &Graph, one: &Rc<Found>, other: &Rc<Found>, rows: f64) -> Found {
    let set = one.set | other.set;
    Found {
        set,
        rows,
        cost: one.cost
            + other.cost
            + graph.cost_of_join(one.rows, other.rows, rows)
            + graph.cost_of_partners(set, [one.set, other.set], rows),
        order: Order::Join(Rc::clone(one), Rc::clone(other)),
    }
}

fn greedy(graph: &Graph, mut parts: Vec<Rc<Found>>) -> Option<Rc<Found>> {
    while parts.len() > 1 {
        let mut best: Option<(f64, usize, usize)> = None;
        for one in 0..parts.len() {
            let neighbours = graph.neighbours(parts[one].set);
            for other in one + 1..parts.len() {
                if parts[other].set & neighbours == 0 {
                    continue;
                }
                let rows = graph.rows(parts[one].set | parts[other].set);
                // What grows is put off.
                let cost = rows + parts[one].rows.min(parts[other].rows);
                if best.is_none_or(|(least, ..)| cost < least) {
                    best = Some((cost, one, other));
                }
            }
        }
        let (_, one, other) = best?;
        let second = parts.remove(other);
        let first = parts.remove(one);
        let rows = graph.rows(first.set | second.set);
        parts.push(Rc::new(joined(graph, &first, &second, rows)));
    }
    parts.pop()
}

/// The search through all connected sets.
struct Search<'a> {
    graph: &'a Graph,
    found: HashMap<Set, Rc<Found>>,
}

impl Search<'_> {
    fn all(&mut self, count: usize) {
        for relation in (0..count).rev() {
            let start: Set = 1 << relation;
            self.partners_of(start);
            self.grow(start, start | (start - 1));
        }
    }

    /// Makes a set larger by its neighbours, but those that are excluded.
    fn grow(&mut self, set: Set, excluded: Set) {
        let neighbours = self.graph.neighbours(set) & !excluded;
        for more in subsets(neighbours) {
            self.partners_of(set | more);
        }
        for more in subsets(neighbours) {
            self.grow(set | more, excluded | neighbours);
        }
    }

    /// Joins a set with each connected set beside it that begins behind its first relation.
    fn partners_of(&mut self, set: Set) {
        let first = set & set.wrapping_neg();
        let excluded = set | first | (first - 1);
        let neighbours = self.graph.neighbours(set) & !excluded;
        let mut begins: Vec<usize> = relations_of(neighbours).collect();
        begins.reverse();
        for begin in begins {
            let start: Set = 1 << begin;
            self.join(set, start);
            self.grow_partner(set, start, excluded | ((start | (start - 1)) & neighbours));
        }
    }

    fn grow_partner(&mut self, set: Set, partner: Set, excluded: Set) {
        let neighbours = self.graph.neighbours(partner) & !excluded;
        for more in subsets(neighbours) {
            self.join(set, partner | more);
        }
        for more in subsets(neighbours) {
            self.grow_partner(set, partner | more, excluded | neighbours);
        }
    }

    fn join(&mut self, one: Set, other: Set) {
        let (Some(one), Some(other)) = (self.found.get(&one), self.found.get(&other)) else {
            return;
        };
        if self.graph.neighbours(one.set) & other.set == 0 {
            return;
        }
        let set = one.set | other.set;
        let known = self.found.get(&set);
        let rows = known.map_or_else(|| self.graph.rows(set), |known| known.rows);
        let new = joined(self.graph, one, other, rows);
        if known.is_none_or(|known| new.cost < known.cost) {
            self.found.insert(set, Rc::new(new));
        }
    }
}

/// The subsets of a set but the empty one, each after those that it contains.
fn subsets(set: Set) -> impl Iterator<Item = Set> {
    let mut last: Set = 0;
    std::iter::from_fn(move || {
        last = last.wrapping_sub(set) & set;
        (last != 0).then_some(last)
    })
}
