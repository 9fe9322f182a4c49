//! Judges what a feature depends on: whether it can see rows at or after the label's time, or the target.

use datafusion::arrow::datatypes::DataType;

use super::facts::{Fact, Origin, Term, chain};
use super::label::Label;
use super::leak::{Leak, LeakKind};
use super::lineage::{Dependency, Level, Reach, Relation, Value};
use super::walk::{CauseKind, Walker};

/// What is known when the features are judged.
pub(super) struct Judge<'a> {
    pub(super) walker: &'a Walker<'a>,
    pub(super) label: &'a Label,
    pub(super) facts: &'a [Fact],
    /// Which applications of encoders see the rows that they encode.
    pub(super) fitted_here: &'a [usize],
}

/// How far the rows that a dependency sees are known to be before the label.
struct Distance {
    level: Level,
    cause: Option<usize>,
}

/// The rows that a window or an aggregate sees.
struct Seen {
    scan: usize,
    /// Whether they are of the label's own table, read as its own row.
    is_label: bool,
    /// Whether it is the target that is seen.
    is_target: bool,
    /// Whether anything bounds them.
    is_bounded: bool,
}

impl Judge<'_> {
    /// Lists what is wrong with a feature. Of an expression that sees the target, that is enough to say.
    pub(super) fn leaks(&self, feature: &str, value: &Value, used_at: usize) -> Vec<Leak> {
        if self.is_labels_own(value) {
            return Vec::new();
        }
        let mut leaks: Vec<Leak> = Vec::new();
        for dependency in &value.dependencies {
            for (kind, of, cause) in self.wrong(dependency, used_at) {
                let known = leaks
                    .iter()
                    .any(|leak| leak.kind == kind && leak.cause == cause);
                if !known {
                    leaks.push(Leak {
                        feature: feature.to_owned(),
                        kind,
                        of,
                        cause,
                        used_at,
                    });
                }
            }
        }
        let is_target = |leak: &&Leak| leak.kind == LeakKind::Target;
        let targets: Vec<usize> = leaks
            .iter()
            .filter(is_target)
            .map(|leak| leak.cause)
            .collect();
        leaks.retain(|leak| leak.kind == LeakKind::Target || !targets.contains(&leak.cause));
        leaks
    }

    /// Says whether a column is one that the label's row has itself, such as the key of a join.
    fn is_labels_own(&self, value: &Value) -> bool {
        let facts: Vec<&Fact> = self.facts.iter().collect();
        let linear = value.linear.iter();
        let mut origins = linear.flat_map(|linear| linear.exact()).peekable();
        origins.peek().is_some()
            && origins.all(|origin| {
                !self.is_label(origin.scan)
                    && self
                        .columns_of_label()
                        .any(|own| !self.is_target(own) && self.are_equal(&facts, origin, own))
            })
    }

    fn columns_of_label(&self) -> impl Iterator<Item = Origin> {
        let mut scans: Vec<usize> = self.label.times.iter().map(|time| time.scan).collect();
        scans.dedup();
        scans.into_iter().flat_map(move |scan| {
            let columns = self
                .walker
                .scans
                .get(scan)
                .map_or(0, |scan| scan.columns.len());
            (0..columns).map(move |column| Origin { scan, column })
        })
    }

    fn are_equal(&self, facts: &[&Fact], one: Origin, other: Origin) -> bool {
        let (one, other) = (Term::Column(one), Term::Column(other));
        chain(facts, &one, &|term| *term == other).is_some()
            && chain(facts, &other, &|term| *term == one).is_some()
    }

    fn is_label(&self, scan: usize) -> bool {
        self.label.times.iter().any(|time| time.scan == scan)
    }

    /// Says whether a column is the target, or the same column of the same table.
    fn is_target(&self, origin: Origin) -> bool {
        self.label.targets.iter().any(|target| {
            self.same_table(target.scan, origin.scan) && self.name(*target) == self.name(origin)
        })
    }

    fn same_table(&self, one: usize, other: usize) -> bool {
        let identity = |scan: usize| self.walker.scans.get(scan).map(|scan| &scan.identity);
        identity(one) == identity(other)
    }

    fn name(&self, origin: Origin) -> Option<&str> {
        let columns = self.walker.scans.get(origin.scan).map(|scan| &scan.columns);
        let column = columns.and_then(|columns| columns.get(origin.column));
        column.map(|(name, _)| name.as_str())
    }

    /// Says what is wrong with one thing that a feature depends on.
    fn wrong(&self, dependency: &Dependency, used_at: usize) -> Vec<(LeakKind, String, usize)> {
        let cause = dependency.cause.unwrap_or(used_at);
        let is_target = dependency.column.is_some_and(|column| {
            self.is_target(Origin {
                scan: dependency.scan,
                column,
            })
        });
        let scan = self.walker.scans.get(dependency.scan);
        let name = scan.map_or_else(String::new, |scan| scan.name.clone());
        if dependency.decides && !is_target && dependency.reach != Reach::Unknown {
            return Vec::new();
        }
        let facts: Vec<&Fact> = self.facts.iter().chain(&dependency.guards).collect();
        match &dependency.reach {
            Reach::Folds => Vec::new(),
            // Also where it only selects rows: that matters if it is the target, which it may be.
            Reach::Unknown => vec![(LeakKind::Unknown, name, cause)],
            Reach::Fitted {
                encoder,
                learns_target,
                name,
            } => match self.fitted_here.contains(encoder) {
                true if *learns_target => vec![(LeakKind::TargetEncoding, name.clone(), cause)],
                true => vec![(LeakKind::Encoder, name.clone(), cause)],
                false => Vec::new(),
            },
            Reach::Own => self
                .own(dependency.scan, is_target, &facts, cause)
                .map(|(kind, cause)| (kind, name, cause))
                .into_iter()
                .collect(),
            Reach::Rows { own, bounds } => {
                let is_label =
                    self.is_label(dependency.scan) || self.is_twin(dependency.scan, &facts);
                let mut wrong = Vec::new();
                if *own && is_label && is_target {
                    return vec![(LeakKind::Target, name, cause)];
                }
                if *own && !is_label {
                    let own = self.own(dependency.scan, is_target, &facts, cause);
                    wrong.extend(own.map(|(kind, cause)| (kind, name.clone(), cause)));
                }
                let distance = bounds.iter().filter_map(|bound| {
                    let way = chain(&facts, &bound.anchor, &|term| self.is_time(term))?;
                    let is_strict = way.strict || bound.level == Level::Strict;
                    Some(Distance {
                        level: if is_strict {
                            Level::Strict
                        } else {
                            bound.level
                        },
                        cause: way.cause,
                    })
                });
                let best = distance.min_by_key(|distance| distance.level);
                if wrong.is_empty() {
                    let seen = Seen {
                        scan: dependency.scan,
                        is_label,
                        is_target,
                        is_bounded: !bounds.is_empty(),
                    };
                    let of_rows = self.rows(&seen, best, cause);
                    wrong.extend(of_rows.map(|(kind, cause)| (kind, name, cause)));
                }
                wrong
            }
        }
    }

    fn is_time(&self, term: &Term) -> bool {
        matches!(term, Term::Column(origin) if self.label.times.contains(origin))
    }

    /// Judges the row of a table that the label's row is joined to.
    fn own(
        &self,
        scan: usize,
        is_target: bool,
        facts: &[&Fact],
        cause: usize,
    ) -> Option<(LeakKind, usize)> {
        if self.is_label(scan) || self.is_twin(scan, facts) {
            return is_target.then_some((LeakKind::Target, cause));
        }
        let distance = self.distance(scan, facts);
        match distance {
            Some(distance) if distance.level == Level::Strict => None,
            _ if is_target => Some((LeakKind::Target, cause)),
            Some(distance) => Some((LeakKind::EqualTime, distance.cause.unwrap_or(cause))),
            None if self.has_time(scan) => {
                Some((LeakKind::UnboundedJoin, self.meeting(scan).unwrap_or(cause)))
            }
            None => None,
        }
    }

    /// Says how well the row of a table is known to be before the label, by any of its columns.
    fn distance(&self, scan: usize, facts: &[&Fact]) -> Option<Distance> {
        let mut origins: Vec<Origin> = Vec::new();
        for fact in facts {
            if let Term::Column(origin) = fact.before
                && origin.scan == scan
                && !origins.contains(&origin)
            {
                origins.push(origin);
            }
        }
        let ways = origins.into_iter().filter_map(|origin| {
            let way = chain(facts, &Term::Column(origin), &|term| self.is_time(term))?;
            Some(Distance {
                level: if way.strict {
                    Level::Strict
                } else {
                    Level::Equal
                },
                cause: way.cause,
            })
        });
        ways.min_by_key(|distance| distance.level)
    }

    /// Judges the rows that a window or an aggregate sees.
    fn rows(&self, seen: &Seen, best: Option<Distance>, cause: usize) -> Option<(LeakKind, usize)> {
        let Seen {
            is_label,
            is_target,
            ..
        } = *seen;
        match best.as_ref().map(|distance| distance.level) {
            Some(Level::Strict | Level::Ordered) => None,
            Some(Level::Grouped) if is_label && !is_target => None,
            _ if is_target => Some((LeakKind::Target, cause)),
            Some(_) => {
                let between = best.and_then(|distance| distance.cause);
                match self.kind(cause) {
                    CauseKind::Order if is_label => Some((LeakKind::Ties, cause)),
                    _ => Some((LeakKind::EqualTime, between.unwrap_or(cause))),
                }
            }
            None if !self.has_time(seen.scan) => None,
            None => Some(match self.kind(cause) {
                CauseKind::Frame | CauseKind::Ahead => (LeakKind::FutureRows, cause),
                CauseKind::Partition => (LeakKind::WholePartition, cause),
                CauseKind::Order if is_label => (LeakKind::OtherOrder, cause),
                CauseKind::Order if seen.is_bounded => {
                    let meeting = self.meeting(seen.scan);
                    meeting.map_or((LeakKind::OtherOrder, cause), |meeting| {
                        (LeakKind::UnboundedJoin, meeting)
                    })
                }
                CauseKind::Order => (LeakKind::OtherOrder, cause),
                _ => (LeakKind::WholeTable, cause),
            }),
        }
    }

    fn kind(&self, cause: usize) -> CauseKind {
        self.walker
            .causes
            .get(cause)
            .map_or(CauseKind::Use, |cause| cause.kind)
    }

    /// Says whether rows of a table have a time at all: a column of times, or one that is compared as one.
    fn has_time(&self, scan: usize) -> bool {
        let Some(columns) = self.walker.scans.get(scan).map(|scan| &scan.columns) else {
            return false;
        };
        let label_type = self
            .label
            .times
            .first()
            .map(|time| self.walker.type_of(*time));
        let is_like_label = |origin: &Origin| {
            origin.scan == scan && Some(self.walker.type_of(*origin)) == label_type
        };
        // Where times are numbers, those that are compared or ordered by are times.
        let is_number = label_type
            .as_ref()
            .is_some_and(|found| !found.is_temporal());
        let is_ordered = is_number && self.walker.ordered.iter().any(is_like_label);
        let times = self.label.times.iter();
        let times: Vec<Option<&str>> = times.map(|time| self.name(*time)).collect();
        is_ordered
            || columns.iter().any(|(name, data_type)| {
                matches!(
                    data_type,
                    DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
                ) || times.contains(&Some(name.as_str()))
            })
    }

    /// Finds the join, or the subquery, by which a table's rows meet the label's.
    fn meeting(&self, scan: usize) -> Option<usize> {
        let meetings = self.walker.meetings.iter().rev();
        let mut found = meetings.filter(|meeting| {
            let times = &self.label.times;
            let holds_label = |side: &std::collections::BTreeSet<usize>| {
                times.iter().any(|time| side.contains(&time.scan))
            };
            (holds_label(&meeting.left) && meeting.right.contains(&scan))
                || (holds_label(&meeting.right) && meeting.left.contains(&scan))
        });
        found.next().map(|meeting| meeting.cause)
    }

    /// Says whether a row is the label's own, read a second time: the same table, joined by its time and
    /// another column.
    fn is_twin(&self, scan: usize, facts: &[&Fact]) -> bool {
        self.label.times.iter().any(|time| {
            let width = self
                .walker
                .scans
                .get(scan)
                .map_or(0, |scan| scan.columns.len());
            let same = |column: usize| {
                let (one, other) = (
                    Origin { scan, column },
                    Origin {
                        scan: time.scan,
                        column,
                    },
                );
                self.are_equal(facts, one, other)
            };
            self.same_table(time.scan, scan)
                && same(time.column)
                && (0..width).any(|column| column != time.column && same(column))
        })
    }
}

/// The columns of a result that are features: all but the label and its time.
pub(super) fn features(relation: &Relation, label: &Label) -> Vec<usize> {
    let all = 0..relation.columns.len();
    all.filter(|place| !label.outputs.contains(place)).collect()
}
