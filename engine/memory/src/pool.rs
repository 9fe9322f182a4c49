//! The memory pool of a session: DataFusion's interface to the books in `policy`.
//!
//! It counts what operators ask for; it does not allocate, and it never waits.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use lakesh_text::consumer::NESTED_LOOP_JOIN;
use lakesh_text::quantity::format_size;

use super::exhausted::Exhausted;
use super::policy::Ledger;

/// So many operators are named when memory runs out.
const NAMED_USERS: usize = 4;

/// What a pool has given out, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// The limit.
    pub limit: u64,
    /// What operators hold now.
    pub used: u64,
    /// The most that they held since the peak was last reset.
    pub peak: u64,
}

/// A bounded pool that makes operators spill before any of them has to fail.
#[derive(Debug)]
pub struct SpillingPool {
    ledger: Mutex<Ledger>,
    /// The last refusal of a nested loop join, whose own way out is barred, see [`SpillFolder`].
    ///
    /// [`SpillFolder`]: super::spill::SpillFolder
    nested_loop_join: Mutex<Option<Exhausted>>,
}

impl SpillingPool {
    /// Makes a pool of so many bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            ledger: Mutex::new(Ledger::new(to_size(limit))),
            nested_loop_join: Mutex::new(None),
        }
    }

    /// Changes the limit; running queries meet it at their next request.
    pub fn set_limit(&self, limit: u64) {
        self.ledger().limit = to_size(limit);
    }

    /// Tells how much is in use.
    pub fn usage(&self) -> MemoryUse {
        let ledger = self.ledger();
        MemoryUse {
            limit: ledger.limit as u64,
            used: ledger.used as u64,
            peak: ledger.peak as u64,
        }
    }

    /// Begins a new measurement of the peak, from what is in use now.
    pub fn reset_peak(&self) {
        let mut ledger = self.ledger();
        ledger.peak = ledger.used;
    }

    /// Names the operators that hold most, with their bytes, largest first.
    pub fn largest(&self, count: usize) -> Vec<(String, u64)> {
        self.ledger().largest(count)
    }

    /// Tells what a nested loop join was refused last.
    pub(crate) fn refused_nested_loop_join(&self) -> Option<Exhausted> {
        let refused = self.nested_loop_join.lock();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The books stay consistent whatever panics around them: each change is one call.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for SpillingPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MemoryUse { limit, used, .. } = self.usage();
        write!(
            formatter,
            "{} of {} in use",
            format_size(used),
            format_size(limit)
        )
    }
}

impl MemoryPool for SpillingPool {
    fn name(&self) -> &str {
        "lakesh"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.ledger().register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.ledger().unregister(consumer.id());
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.ledger().grow(reservation.consumer().id(), additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.ledger().shrink(reservation.consumer().id(), shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let id = reservation.consumer().id();
        let mut ledger = self.ledger();
        if ledger.try_grow(id, reservation.size(), additional) {
            return Ok(());
        }
        let exhausted = exhausted(&ledger, id, additional);
        drop(ledger);
        let message = exhausted.to_string();
        if exhausted.consumer == NESTED_LOOP_JOIN {
            let refused = self.nested_loop_join.lock();
            *refused.unwrap_or_else(PoisonError::into_inner) = Some(exhausted);
        }
        // The kind of error by which operators know that they should spill.
        Err(DataFusionError::ResourcesExhausted(message))
    }

    fn reserved(&self) -> usize {
        self.ledger().used
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.ledger().limit)
    }
}

fn exhausted(ledger: &Ledger, id: usize, requested: usize) -> Exhausted {
    let (consumer, held) = ledger.account(id);
    let largest = ledger.largest(NAMED_USERS);
    let limit = ledger.limit as u64;
    Exhausted {
        was_join: Exhausted::joins_matter(&consumer, &largest, limit),
        consumer,
        requested: requested as u64,
        held: held as u64,
        used: ledger.used as u64,
        limit,
        largest,
    }
}

fn to_size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
