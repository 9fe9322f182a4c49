//! What a column of a plan depends on: which columns of which tables, and which of their rows.

use std::collections::BTreeSet;

use super::facts::{Fact, Linear, Origin, Term, chain};

/// How well a seen row is known to be before an anchor; the first is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// At an earlier time.
    Strict,
    /// Earlier in an order of rows, though perhaps at the same time.
    Ordered,
    /// In the same group, which has the anchor's time as a key.
    Grouped,
    /// At an earlier time or at the same.
    Equal,
}

/// Says that the column `time` of the rows that are seen is before an anchor of the current row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) time: Origin,
    pub(super) anchor: Term,
    pub(super) level: Level,
}

/// Which rows of a table a value depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reach {
    /// The one that the current row was made of.
    Own,
    /// Those of other folds.
    Folds,
    /// Those that an encoder was fitted on, by the number of its application.
    Fitted {
        encoder: usize,
        learns_target: bool,
        name: String,
    },
    /// Those within all the bounds; without a bound, any. `own` says that the current one is among them.
    Rows { own: bool, bounds: Vec<Bound> },
    /// It cannot be told: perhaps the target, perhaps rows of any time.
    Unknown,
}

/// One thing that a value depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dependency {
    pub(super) scan: usize,
    /// `None` where it only counts whether the row is there.
    pub(super) column: Option<usize>,
    pub(super) reach: Reach,
    /// What holds of the rows beyond what holds of all rows of the relation.
    pub(super) guards: Vec<Fact>,
    /// The expression that made it see other rows.
    pub(super) cause: Option<usize>,
    /// Whether it only decides which rows are there. That matters if it is the target; the times of the
    /// rows are those of what is read of them.
    pub(super) decides: bool,
}

/// A column of a relation, or an expression over columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    pub(super) linear: Option<Linear>,
    pub(super) dependencies: Vec<Dependency>,
}

/// The rows that a node of a plan returns.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    pub(super) columns: Vec<Value>,
    pub(super) facts: Vec<Fact>,
    /// Which rows of which tables each row was made of.
    pub(super) rows: Vec<Dependency>,
    /// What decided that the rows are there.
    pub(super) conditions: Vec<Dependency>,
}

/// A step from rows that are seen to the current row: what was before `from` in the one is before `to`
/// in the other.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) from: Term,
    pub(super) to: Term,
    pub(super) level: Level,
}

impl Value {
    pub(super) fn of(dependencies: Vec<Dependency>) -> Self {
        Self {
            linear: None,
            dependencies,
        }
    }
}

impl Dependency {
    pub(super) fn own(scan: usize, column: Option<usize>) -> Self {
        Self {
            scan,
            column,
            reach: Reach::Own,
            guards: Vec::new(),
            cause: None,
            decides: false,
        }
    }

    /// Returns the dependency of a row that sees this one's rows over links, such as those of a window.
    pub(super) fn across(&self, facts: &[Fact], links: &[Link], own: bool, cause: usize) -> Self {
        let all: Vec<&Fact> = facts.iter().chain(&self.guards).collect();
        let was_own = self.reach == Reach::Own;
        let (bases, had_own) = match &self.reach {
            Reach::Folds | Reach::Fitted { .. } | Reach::Unknown => return self.clone(),
            Reach::Own => (self.identities(&all, links), true),
            Reach::Rows { own, bounds } => (bounds.clone(), *own),
        };
        let mut bounds: Vec<Bound> = Vec::new();
        for base in &bases {
            for link in links {
                let Some(way) = chain(&all, &base.anchor, &|term| *term == link.from) else {
                    continue;
                };
                let is_strict = way.strict || [base.level, link.level].contains(&Level::Strict);
                let level = match (is_strict, was_own) {
                    (true, _) => Level::Strict,
                    (false, true) => link.level,
                    (false, false) => base.level.max(link.level),
                };
                let bound = Bound {
                    time: base.time,
                    anchor: link.to.clone(),
                    level,
                };
                if !bounds.contains(&bound) {
                    bounds.push(bound);
                }
            }
        }
        // The cause of what is unbounded is what made it so.
        let was_unbounded = !was_own && bases.is_empty();
        Self {
            cause: match was_unbounded {
                true => self.cause,
                false => Some(cause),
            },
            reach: Reach::Rows {
                own: own && had_own,
                bounds,
            },
            ..self.clone()
        }
    }

    /// The bounds of a row by itself.
    fn identities(&self, facts: &[&Fact], links: &[Link]) -> Vec<Bound> {
        let terms = facts
            .iter()
            .map(|fact| &fact.before)
            .chain(links.iter().map(|link| &link.from));
        let own: BTreeSet<Origin> = terms
            .filter_map(|term| match term {
                Term::Column(origin) => Some(*origin),
                Term::Constant(_) => None,
            })
            .filter(|origin| origin.scan == self.scan)
            .collect();
        own.into_iter()
            .map(|time| Bound {
                time,
                anchor: Term::Column(time),
                level: Level::Ordered,
            })
            .collect()
    }
}

impl Relation {
    /// Puts the columns of two relations beside each other.
    pub(super) fn beside(mut self, other: Self) -> Self {
        self.columns.extend(other.columns);
        self.facts.extend(other.facts);
        self.rows.extend(other.rows);
        self.conditions.extend(other.conditions);
        self
    }

    /// Returns the uses of tables that its rows are made of.
    pub(super) fn scans(&self) -> BTreeSet<usize> {
        let values = self.columns.iter().flat_map(|value| &value.dependencies);
        let all = values.chain(&self.rows);
        all.map(|dependency| dependency.scan).collect()
    }
}

/// Adds dependencies, each once.
pub(super) fn merge(into: &mut Vec<Dependency>, more: impl IntoIterator<Item = Dependency>) {
    for dependency in more {
        if !into.contains(&dependency) {
            into.push(dependency);
        }
    }
}
