//! Who gets memory: the books of one pool, and the rules by which a request is granted.
//!
//! Nothing here blocks or waits. A refusal is how DataFusion's operators learn that they must spill,
//! so the rules see to it that an operator is refused only when it has something to spill, or when
//! nothing is left at all:
//!
//! - Operators that spill share what the others leave, by weight, and only those that hold memory or
//!   asked lately count. An idle one has no share, but a small floor is kept for its first request.
//! - They leave an eighth of the limit free, from which an operator that holds nothing yet, or that
//!   needs room to spill, is served: it would fail the query otherwise.
//! - A sort and the merge of its runs are one unit; the sort fills two thirds of the unit's share,
//!   because merging needs room for sort keys beside the rows.
//! - While a hash join is registered, a quarter of the limit is kept for build sides.
//! - An operator that hands its rows over to another has no share from then on.
//! - Everything else gets what is free.
//! - Where a refusal would fail the query, the limit may be exceeded a little, see `fits_in_need`.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::thread::{self, ThreadId};

use datafusion::execution::memory_pool::MemoryConsumer;

use super::consumer::{Kind, describe};

/// An operator that asked within so many requests of all operators counts as active.
const RECENT_REQUESTS: u64 = 1024;

/// At most so much is kept for the first request of an operator that never asked.
const LARGEST_FLOOR: usize = 8 * 1024 * 1024;

/// So much of the headroom is for each active operator, as far as a third of the limit allows.
const SMALL_HEADROOM: usize = 2 * 1024 * 1024;

/// An operator that cannot spill at the moment may exceed the limit by an eighth, within these bounds.
const SMALLEST_OVERDRAFT: usize = 8 * 1024 * 1024;
const LARGEST_OVERDRAFT: usize = 64 * 1024 * 1024;

/// What one registered consumer holds.
#[derive(Debug)]
struct Consumer {
    kind: Kind,
    /// What messages call it.
    shown: String,
    /// The unit that it belongs to, if it is part of one.
    unit: Option<usize>,
    held: usize,
}

/// One operator that gives memory back when asked to: a sort with its merge, an aggregation, ….
#[derive(Debug)]
struct Unit {
    kind: Kind,
    /// How many registered consumers it has; the merge of a sort outlives the sort.
    members: usize,
    /// Held by the part that can be spilled.
    spillable: usize,
    /// Held by the merge of a sort.
    merge: usize,
    /// What the operator wanted to hold when it was refused.
    refused: usize,
    /// How much it may take once more in order to spill, when it gave memory back after a refusal.
    credit: usize,
    /// When it last asked, counted in requests of all units.
    asked: Option<u64>,
    /// What the merge of a sort asks for before rows are collected, known from its first request.
    reserve: Option<usize>,
    /// Whether a sort is merging what it has in memory, which fails when it is refused.
    merging: bool,
}

impl Unit {
    fn held(&self) -> usize {
        self.spillable + self.merge
    }

    /// Operators that only pass batches on need less than those that collect them.
    fn weight(&self) -> usize {
        match self.kind {
            Kind::Yielding => 1,
            // What it still holds is on its way to another one.
            Kind::HandsOver if self.refused > 0 => 0,
            _ => 4,
        }
    }

    /// Whether a refusal may fail the query, so that something has to be kept for it.
    fn can_fail(&self) -> bool {
        !matches!(self.kind, Kind::Yielding | Kind::HandsOver)
    }

    fn is_active(&self, clock: u64) -> bool {
        self.held() > 0
            || self
                .asked
                .is_some_and(|asked| clock - asked < RECENT_REQUESTS)
    }

    /// Whether it never asked, and would fail the query if its first request were refused.
    fn waits_for_its_floor(&self) -> bool {
        self.can_fail() && self.asked.is_none() && self.held() == 0
    }
}

/// The books of a pool.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) limit: usize,
    pub(crate) used: usize,
    pub(crate) peak: usize,
    clock: u64,
    consumers: HashMap<usize, Consumer>,
    units: HashMap<usize, Unit>,
    /// Sorts whose merge is yet to register: DataFusion registers the two one after the other.
    forming: HashMap<ThreadId, usize>,
    joins: usize,
    held_by_joins: usize,
    held_by_units: usize,
}

impl Ledger {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            peak: 0,
            clock: 0,
            consumers: HashMap::new(),
            units: HashMap::new(),
            forming: HashMap::new(),
            joins: 0,
            held_by_joins: 0,
            held_by_units: 0,
        }
    }

    pub(crate) fn register(&mut self, consumer: &MemoryConsumer) {
        let (kind, shown) = describe(consumer);
        let id = consumer.id();
        let unit = match kind {
            Kind::Sorter | Kind::Spilling | Kind::HandsOver | Kind::Yielding => {
                self.units.insert(
                    id,
                    Unit {
                        kind,
                        members: 1,
                        spillable: 0,
                        merge: 0,
                        refused: 0,
                        credit: 0,
                        asked: None,
                        reserve: None,
                        merging: false,
                    },
                );
                Some(id)
            }
            Kind::SortMerge => self.join_sort(),
            Kind::JoinBuild | Kind::Unspillable => None,
        };
        match kind {
            Kind::Sorter => {
                self.forming.insert(thread::current().id(), id);
            }
            Kind::JoinBuild => self.joins += 1,
            _ => {}
        }
        self.consumers.insert(
            id,
            Consumer {
                kind,
                shown,
                unit,
                held: 0,
            },
        );
    }

    pub(crate) fn unregister(&mut self, id: usize) {
        let Some(held) = self.consumers.get(&id).map(|consumer| consumer.held) else {
            return;
        };
        self.shrink(id, held);
        let Some(consumer) = self.consumers.remove(&id) else {
            return;
        };
        if consumer.kind == Kind::JoinBuild {
            self.joins -= 1;
        }
        let Some(unit) = consumer.unit.and_then(|unit| self.units.get_mut(&unit)) else {
            return;
        };
        unit.members -= 1;
        if unit.members == 0 {
            self.units.retain(|_, unit| unit.members > 0);
            self.forming.retain(|_, forming| *forming != id);
        }
    }

    /// Makes the merge that registers now a member of the sort that registered just before it.
    fn join_sort(&mut self) -> Option<usize> {
        let sort = self.forming.remove(&thread::current().id())?;
        self.units.get_mut(&sort)?.members += 1;
        Some(sort)
    }

    /// Grants what was taken already.
    pub(crate) fn grow(&mut self, id: usize, additional: usize) {
        self.used += additional;
        self.peak = self.peak.max(self.used);
        let Some(consumer) = self.consumers.get_mut(&id) else {
            return;
        };
        consumer.held += additional;
        if consumer.kind == Kind::JoinBuild {
            self.held_by_joins += additional;
        }
        if let Some(unit) = consumer.unit.and_then(|unit| self.units.get_mut(&unit)) {
            self.held_by_units += additional;
            match consumer.kind {
                Kind::SortMerge => unit.merge += additional,
                _ => unit.spillable += additional,
            }
        }
    }

    pub(crate) fn shrink(&mut self, id: usize, size: usize) {
        self.used = self.used.saturating_sub(size);
        let Some(consumer) = self.consumers.get_mut(&id) else {
            return;
        };
        let size = size.min(consumer.held);
        consumer.held -= size;
        if consumer.kind == Kind::JoinBuild {
            self.held_by_joins -= size;
        }
        if let Some(unit) = consumer.unit.and_then(|unit| self.units.get_mut(&unit)) {
            self.held_by_units -= size;
            match consumer.kind {
                Kind::SortMerge => {
                    unit.merge -= size;
                    // A sort gives its reserve back just before it merges what it has in memory.
                    unit.merging |= unit.merge == 0 && unit.spillable > 0;
                }
                _ => {
                    unit.spillable -= size;
                    if unit.kind == Kind::HandsOver {
                        return;
                    }
                    unit.credit = unit.credit.max(mem::take(&mut unit.refused));
                }
            }
        }
    }

    /// Grants or refuses a request by a reservation of a consumer that holds `own` bytes itself.
    pub(crate) fn try_grow(&mut self, id: usize, own: usize, additional: usize) -> bool {
        let Some(consumer) = self.consumers.get(&id) else {
            return false;
        };
        let granted = match (consumer.kind, consumer.unit) {
            (Kind::JoinBuild, _) => self.fits(additional, self.kept_from_joins()),
            (Kind::SortMerge, Some(unit)) => self.may_merge(unit, additional),
            (_, Some(unit)) => self.may_collect(unit, consumer.held > own, additional),
            (_, None) => self.fits(additional, 0),
        };
        if granted {
            self.grow(id, additional);
        }
        granted
    }

    /// Says what a consumer is called and holds, for a message.
    pub(crate) fn account(&self, id: usize) -> (String, usize) {
        self.consumers.get(&id).map_or_else(
            || ("operator".to_owned(), 0),
            |consumer| (consumer.shown.clone(), consumer.held),
        )
    }

    /// The operators that hold most, by name, largest first.
    pub(crate) fn largest(&self, count: usize) -> Vec<(String, u64)> {
        let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
        for consumer in self.consumers.values().filter(|consumer| consumer.held > 0) {
            *by_name.entry(&consumer.shown).or_default() += consumer.held as u64;
        }
        let mut users: Vec<(String, u64)> = by_name
            .into_iter()
            .map(|(name, held)| (name.to_owned(), held))
            .collect();
        users.sort_by_key(|(_, held)| std::cmp::Reverse(*held));
        users.truncate(count);
        users
    }

    /// The part of a unit that can be spilled asks.
    ///
    /// An aggregation that spilled merges its runs and rebuilds groups from them, with a reservation
    /// for each. The merge took what it could get, and the groups (`has_sibling`) cannot be refused.
    fn may_collect(&mut self, id: usize, has_sibling: bool, additional: usize) -> bool {
        let floor = self.floor();
        let clock = self.tick(id);
        let (share, kept) = self.share(id, clock);
        let fits = self.fits_in_need(additional);
        let fits_softly = self.fits(additional, kept);
        let Some(unit) = self.units.get_mut(&id) else {
            return false;
        };
        let wanted = unit.held().saturating_add(additional);
        let must_not_fail = unit.can_fail()
            && (unit.spillable == 0
                || wanted <= floor
                || wanted <= unit.credit
                || (has_sibling && unit.kind == Kind::Spilling));
        if must_not_fail && fits {
            unit.credit = 0;
            return true;
        }
        let share = if unit.kind == Kind::Sorter {
            share / 3 * 2
        } else {
            share
        };
        if wanted <= share && fits_softly {
            return true;
        }
        if matches!(unit.kind, Kind::Spilling | Kind::HandsOver) {
            unit.refused = wanted;
        }
        false
    }

    /// The merge of a sort asks.
    ///
    /// A merge of spilled runs takes as many runs at once as it gets memory for, so it is kept within
    /// a share of half the budget that counts the sorts that have not begun as well; otherwise the
    /// first input of a sort-merge join would leave nothing for the second, nor for what comes above.
    fn may_merge(&mut self, id: usize, additional: usize) -> bool {
        let floor = self.floor();
        let clock = self.tick(id);
        let kept = self.kept_for_idle(Some(id));
        let weights: usize = self
            .units
            .iter()
            .filter(|(other, unit)| {
                **other == id || unit.kind == Kind::Sorter || unit.is_active(clock)
            })
            .map(|(_, unit)| unit.weight())
            .sum();
        let budget = self.limit / 2;
        let fits = self.fits_in_need(additional);
        let fits_softly = self.fits(additional, kept);
        let Some(unit) = self.units.get_mut(&id) else {
            return false;
        };
        let reserve = *unit.reserve.get_or_insert(additional);
        // The reserve is asked for again when the runs in memory are merged and written.
        unit.merging &= unit.merge > 0 || additional != reserve;
        let wanted = unit.held().saturating_add(additional);
        if unit.merging || unit.merge == 0 || wanted <= floor {
            return fits;
        }
        wanted <= budget / weights.max(1) * unit.weight() && fits_softly
    }

    /// What this unit may hold in all, and what must stay free for others.
    fn share(&self, id: usize, clock: u64) -> (usize, usize) {
        let mut weights = 0;
        let mut active = 0;
        for (other, unit) in &self.units {
            if *other == id || unit.is_active(clock) {
                weights += unit.weight();
                active += usize::from(unit.can_fail());
            }
        }
        // In a small pool an eighth is less than what every active operator may need at once.
        let headroom = (SMALL_HEADROOM * active)
            .min(self.limit / 3)
            .max(self.headroom());
        let kept = self
            .kept_for_idle(Some(id))
            .saturating_add(self.join_reserve())
            .saturating_add(headroom);
        let budget = self
            .limit
            .saturating_sub(self.held_outside_units())
            .saturating_sub(kept);
        let own = self.units.get(&id).map_or(1, Unit::weight);
        (budget / weights.max(1) * own, kept)
    }

    fn tick(&mut self, id: usize) -> u64 {
        self.clock += 1;
        if let Some(unit) = self.units.get_mut(&id) {
            unit.asked = Some(self.clock);
        }
        self.clock
    }

    fn fits(&self, additional: usize, kept: usize) -> bool {
        self.used
            .checked_add(additional)
            .and_then(|wanted| wanted.checked_add(kept))
            .is_some_and(|wanted| wanted <= self.limit)
    }

    /// Whether a request fits that would fail the query if it were refused.
    ///
    /// Others may have filled the headroom in the same way just before; at their next requests they
    /// spill. Until then the limit is exceeded by a small bounded amount, where the alternative is a
    /// query that fails in one run of a hundred.
    fn fits_in_need(&self, additional: usize) -> bool {
        let overdraft = self.headroom().clamp(SMALLEST_OVERDRAFT, LARGEST_OVERDRAFT);
        self.used
            .checked_add(additional)
            .is_some_and(|wanted| wanted <= self.limit.saturating_add(overdraft))
    }

    fn held_outside_units(&self) -> usize {
        self.used.saturating_sub(self.held_by_units)
    }

    fn headroom(&self) -> usize {
        self.limit / 8
    }

    /// What is kept for each unit that never asked.
    fn floor(&self) -> usize {
        let units = self.units.values().filter(|unit| unit.can_fail());
        (self.limit / 4 / units.count().max(1)).min(LARGEST_FLOOR)
    }

    fn kept_for_idle(&self, except: Option<usize>) -> usize {
        let idle = self
            .units
            .iter()
            .filter(|(id, unit)| Some(**id) != except && unit.waits_for_its_floor())
            .count();
        self.floor() * idle
    }

    /// What build sides have not yet taken of the quarter that is kept for them.
    fn join_reserve(&self) -> usize {
        if self.joins == 0 {
            return 0;
        }
        (self.limit / 4).saturating_sub(self.held_by_joins)
    }

    /// A build side leaves room for the operators around it, which have no second way.
    fn kept_from_joins(&self) -> usize {
        if self.units.is_empty() {
            return 0;
        }
        self.headroom().saturating_add(self.kept_for_idle(None))
    }
}
