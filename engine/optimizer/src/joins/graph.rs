//! How many rows sets of relations have once they are joined, whatever the order.
//!
//! Columns that are equal form a class. Of the relations of a class that are joined each but the one with the
//! fewest values divides the rows by the number of its values: what is rarer is contained in what is not.

use std::rc::Rc;

use crate::estimate::{Estimate, Estimator, selectivity};

use super::region::{Place, Region, Set, Shape};

/// The share of pairs that pass a condition beside the keys of a semi join.
const OF_PARTNER_FILTER: f64 = 0.5;
/// What an anti join leaves at least.
const LEAST_WITHOUT: f64 = 0.1;

/// What is known of the relations of a region.
pub(super) struct Graph {
    pub(super) relations: Vec<Rc<Estimate>>,
    /// Columns that are equal.
    pub(super) classes: Vec<Vec<Place>>,
    /// The share of rows that pass each condition, and what it needs.
    conditions: Vec<(f64, Set)>,
    /// The same of each semi or anti join.
    partners: Vec<(f64, Set)>,
    /// The relations that each one shares a class with.
    neighbours: Vec<Set>,
    /// Pairs of relations with several classes in common, and by how much these are one.
    overlaps: Vec<(Set, f64)>,
    pub(super) is_known: bool,
}

impl Graph {
    pub(super) fn new(region: &Region, estimator: &Estimator) -> Self {
        let relations: Vec<_> = region
            .relations
            .iter()
            .map(|plan| estimator.of(plan))
            .collect();
        let classes = classes(&region.equalities);
        let mut neighbours = vec![0; relations.len()];
        for class in &classes {
            let all = class.iter().fold(0, |set, place| set | place.set());
            for place in class {
                neighbours[place.relation] |= all & !place.set();
            }
        }
        let of_partners = region
            .partners
            .iter()
            .map(|partner| estimator.of(&partner.plan));
        let of_partners: Vec<_> = of_partners.collect();
        let is_known = relations.iter().chain(&of_partners).all(|one| one.is_known);
        let mut graph = Self {
            conditions: Vec::new(),
            partners: Vec::new(),
            overlaps: Vec::new(),
            relations,
            classes,
            neighbours,
            is_known,
        };
        graph.conditions = region
            .conditions
            .iter()
            .map(|condition| {
                let columns = condition.places.iter().map(|place| {
                    let columns = &graph.relations[place.relation].columns;
                    columns.get(place.column).cloned().unwrap_or_default()
                });
                let relations = condition.places.iter();
                let rows = relations.map(|place| graph.relations[place.relation].rows);
                let joined = Estimate {
                    rows: rows.fold(1.0, f64::max),
                    columns: columns.collect(),
                    is_known: true,
                };
                let share = selectivity(&condition.expression, &joined);
                (share.max(1e-6), condition.needs)
            })
            .collect();
        graph.partners = region
            .partners
            .iter()
            .zip(&of_partners)
            .map(|(partner, other)| {
                let share = graph.share_of_partner(&partner.keys, other, partner.filter.is_some());
                let share = match partner.stays {
                    true => share.max(1e-6),
                    false => (1.0 - share).max(LEAST_WITHOUT),
                };
                (share, partner.needs)
            })
            .collect();
        graph.overlaps = graph.overlaps();
        graph
    }

    /// The share of rows that have a partner.
    fn share_of_partner(&self, keys: &[(Place, usize)], other: &Estimate, filtered: bool) -> f64 {
        let (mut own, mut others) = (1.0, 1.0);
        let mut rows = f64::MAX;
        for (place, column) in keys {
            let relation = &self.relations[place.relation];
            own *= relation.distinct(place.column);
            others *= other.distinct(*column);
            rows = rows.min(relation.rows);
        }
        if keys.len() > 1 {
            own = own.min(rows.max(1.0));
        }
        // Values are contained in the larger set of them, of which a filter above groups has left some.
        let share = (others.min(other.rows) / own.max(others).max(1.0)).min(1.0);
        share * if filtered { OF_PARTNER_FILTER } else { 1.0 }
    }

    /// The number of values that two relations have of the columns that they have in common is that of the
    /// smaller one's rows at most, where the values of each column alone would say more.
    fn overlaps(&self) -> Vec<(Set, f64)> {
        let mut found = Vec::new();
        for one in 0..self.relations.len() {
            for other in one + 1..self.relations.len() {
                let common = self.classes.iter().filter_map(|class| {
                    let of_one = class.iter().find(|place| place.relation == one)?;
                    let of_other = class.iter().find(|place| place.relation == other)?;
                    Some((self.values(*of_one), self.values(*of_other)))
                });
                let common: Vec<_> = common.collect();
                if common.len() < 2 {
                    continue;
                }
                let product = |of: fn(&(f64, f64)) -> f64| common.iter().map(of).product::<f64>();
                let counted: f64 = product(|(one, other)| one.max(*other));
                let of_one = product(|pair| pair.0).min(self.relations[one].rows.max(1.0));
                let of_other = product(|pair| pair.1).min(self.relations[other].rows.max(1.0));
                let real = of_one.min(of_other).max(1.0);
                if counted > real {
                    found.push(((1 << one) | (1 << other), counted / real));
                }
            }
        }
        found
    }

    fn values(&self, place: Place) -> f64 {
        self.relations[place.relation].distinct(place.column)
    }

    /// Asks semi and anti joins at other places.
    pub(super) fn ask_partners_at(&mut self, needs: impl Iterator<Item = Set>) {
        for (partner, needs) in self.partners.iter_mut().zip(needs) {
            partner.1 = needs;
        }
    }

    /// The relations that share a class with one of a set, and are not in it.
    pub(super) fn neighbours(&self, set: Set) -> Set {
        let all = relations_of(set).fold(0, |all, relation| all | self.neighbours[relation]);
        all & !set
    }

    /// The rows that a set of relations has once they are joined.
    pub(super) fn rows(&self, set: Set) -> f64 {
        let mut rows: f64 = relations_of(set)
            .map(|relation| self.relations[relation].rows.max(1.0))
            .product();
        for class in &self.classes {
            let mut values: Vec<f64> = class
                .iter()
                .filter(|place| place.set() & set != 0)
                .map(|place| self.values(*place))
                .collect();
            if values.len() > 1 {
                values.sort_by(f64::total_cmp);
                rows /= values[1..].iter().product::<f64>();
            }
        }
        for (pair, factor) in &self.overlaps {
            if pair & !set == 0 {
                rows *= factor;
            }
        }
        let asked = self.conditions.iter().chain(&self.partners);
        for (share, needs) in asked {
            if needs & !set == 0 {
                rows *= share;
            }
        }
        rows.max(1.0)
    }

    /// The bytes of a row of a set of relations; columns that are not needed above are counted too.
    pub(super) fn width(&self, set: Set) -> f64 {
        let widths = relations_of(set).map(|relation| self.relations[relation].width());
        widths.sum::<f64>() + 8.0
    }

    /// What semi and anti joins cost that are asked when a set is complete, made of two parts.
    pub(super) fn cost_of_partners(&self, set: Set, parts: [Set; 2], rows: f64) -> f64 {
        let asked = self.partners.iter().filter(|(_, needs)| {
            needs & !set == 0 && parts.iter().all(|part| *part == 0 || needs & !part != 0)
        });
        // Each is asked of the rows that the ones before have left.
        let mut cost = 0.0;
        let mut rows = rows;
        for (share, _) in asked {
            rows /= share;
            cost += rows;
        }
        cost
    }

    /// What a join costs: rows that are looked up, twice those that are built on, and what comes out.
    pub(super) fn cost_of_join(&self, one: f64, other: f64, joined: f64) -> f64 {
        one.max(other) + 2.0 * one.min(other) + joined
    }

    /// What the joins cost as they were written.
    pub(super) fn cost_as_written(&self, shape: &Shape) -> f64 {
        match shape {
            Shape::Relation(number) => {
                let set = 1 << number;
                self.cost_of_partners(set, [0, 0], self.rows(set))
            }
            Shape::Above(_, input) | Shape::Partner(_, _, input) => self.cost_as_written(input),
            Shape::Join(_, left, right) => {
                let (one, other) = (left.relations(), right.relations());
                let rows = self.rows(one | other);
                self.cost_as_written(left)
                    + self.cost_as_written(right)
                    + self.cost_of_join(self.rows(one), self.rows(other), rows)
                    + self.cost_of_partners(one | other, [one, other], rows)
            }
        }
    }
}

/// The relations of a set.
pub(super) fn relations_of(set: Set) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let relation = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            relation
        })
    })
}

/// Puts columns that are equal, directly or by way of others, together.
pub(super) fn classes(equalities: &[(Place, Place)]) -> Vec<Vec<Place>> {
    let mut classes: Vec<Vec<Place>> = Vec::new();
    for (one, other) in equalities {
        let mut joined = vec![*one, *other];
        classes.retain_mut(|class| {
            let touches = class.contains(one) || class.contains(other);
            if touches {
                joined.append(class);
            }
            !touches
        });
        joined.sort_unstable();
        joined.dedup();
        classes.push(joined);
    }
    classes.sort_unstable();
    classes
}
