//! The watchdog: ends a query before the process takes so much memory that the kernel ends the process.
//!
//! The pool counts what operators ask for. Decoders, functions and libraries ask for nothing, so while
//! queries run a thread looks at what the process really holds. It ends the query that holds most when
//! the process is far beyond the limits of its sessions, or the machine or cgroup is nearly full.
//!
//! It cannot end work that never lets go of its thread; such work is bounded where it is asked for.

mod resident;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use lakesh_text::quantity::format_size;

use super::runtime::Memory;
use resident::Resident;

const MIB: u64 = 1024 * 1024;

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// So much may be held beside what the pool counts: buffers of readers and writers, plans, metadata.
const BESIDE: u64 = 160 * MIB;

/// Memory that was just freed stays with the process for a tenth of a second. So long may more be held.
const PATIENCE: Duration = Duration::from_millis(160);

/// Beyond this there is no time for patience.
const FAR: u64 = 512 * MIB;

/// A query that was ended needs some time to let go before another one is looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// A query that the watchdog knows of, for as long as it lives.
#[derive(Debug)]
pub struct Watched {
    id: u64,
    ended: oneshot::Receiver<String>,
}

impl Watched {
    /// Waits until the watchdog ends the query; says why.
    pub async fn ended(&mut self) -> String {
        match (&mut self.ended).await {
            Ok(why) => why,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        kennel().queries.retain(|query| query.id != self.id);
    }
}

/// Lets the watchdog know of a query of a session.
pub fn watch(memory: &Memory) -> Watched {
    let (sender, ended) = oneshot::channel();
    let mut kennel = kennel();
    let id = kennel.next;
    kennel.next += 1;
    if kennel.queries.is_empty() {
        kennel.baseline = Resident::of_process().map(|resident| resident.bytes);
    }
    kennel.queries.push(Query {
        id,
        memory: memory.clone(),
        end: Some(sender),
    });
    if !kennel.awake {
        // Without the thread queries are bounded by the pool alone.
        let started = thread::Builder::new()
            .name("memory watchdog".to_owned())
            .spawn(look_on);
        kennel.awake = started.is_ok();
    }
    Watched { id, ended }
}

#[derive(Debug)]
struct Query {
    id: u64,
    memory: Memory,
    end: Option<oneshot::Sender<String>>,
}

/// What the watchdog knows; one for the process.
struct Kennel {
    next: u64,
    queries: Vec<Query>,
    /// Whether the thread runs.
    awake: bool,
    /// What the process held before the first of the queries began.
    baseline: Option<u64>,
}

static KENNEL: Mutex<Kennel> = Mutex::new(Kennel {
    next: 0,
    queries: Vec::new(),
    awake: false,
    baseline: None,
});

fn kennel() -> MutexGuard<'static, Kennel> {
    KENNEL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks on until no query runs.
fn look_on() {
    let mut since = None;
    loop {
        thread::sleep(INTERVAL);
        let mut kennel = kennel();
        if kennel.queries.is_empty() {
            kennel.awake = false;
            return;
        }
        let Some(resident) = Resident::of_process() else {
            continue;
        };
        let Some(excess) = kennel.excess(&resident) else {
            since = None;
            continue;
        };
        let began = *since.get_or_insert_with(Instant::now);
        if excess.bytes < FAR && began.elapsed() < PATIENCE {
            continue;
        }
        kennel.end_largest(excess.why);
        drop(kennel);
        since = None;
        thread::sleep(PAUSE);
    }
}

/// How much too much is held, and what is said of it.
struct Excess {
    bytes: u64,
    why: String,
}

impl Kennel {
    fn excess(&self, resident: &Resident) -> Option<Excess> {
        if resident.is_nearly_full() {
            let why = format!(
                "out of memory: the machine or its cgroup is nearly full, and this process holds {}",
                format_size(resident.bytes)
            );
            return Some(Excess {
                bytes: u64::MAX,
                why,
            });
        }
        let allowed = self.allowed()?;
        let bytes = resident
            .bytes
            .checked_sub(allowed)
            .filter(|more| *more > 0)?;
        let why = format!(
            "out of memory: the process holds {}, {} more than the memory limit allows",
            format_size(resident.bytes),
            format_size(bytes)
        );
        Some(Excess { bytes, why })
    }

    /// What the process may hold: what it held before, the limits of the sessions at work, and some more.
    fn allowed(&self) -> Option<u64> {
        let limits = self.queries.iter().map(|query| query.memory.usage().limit);
        let limits = limits.fold(0_u64, u64::saturating_add);
        Some(self.baseline?.saturating_add(limits).saturating_add(BESIDE))
    }

    /// Ends the query whose session holds most; of several alike the one that began last.
    fn end_largest(&mut self, why: String) {
        let running = self.queries.iter_mut().filter(|query| query.end.is_some());
        let largest = running.max_by_key(|query| (query.memory.usage().used, query.id));
        if let Some(end) = largest.and_then(|query| query.end.take()) {
            // It may have ended by itself meanwhile.
            drop(end.send(why));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::runtime::{MemorySettings, build_runtime};

    fn memory(limit: u64) -> Memory {
        let settings = MemorySettings {
            limit: Some(limit),
            ..MemorySettings::new(std::env::temp_dir())
        };
        build_runtime(&settings).unwrap().1
    }

    fn resident(bytes: u64, available: u64) -> Resident {
        Resident {
            bytes,
            available,
            total: 16 * 1024 * MIB,
        }
    }

    fn kennel_of(limits: &[u64]) -> (Kennel, Vec<oneshot::Receiver<String>>) {
        let mut ends = Vec::new();
        let queries = limits.iter().enumerate().map(|(id, limit)| {
            let (end, ended) = oneshot::channel();
            ends.push(ended);
            Query {
                id: id as u64,
                memory: memory(*limit),
                end: Some(end),
            }
        });
        let kennel = Kennel {
            next: 0,
            queries: queries.collect(),
            awake: true,
            baseline: Some(100 * MIB),
        };
        (kennel, ends)
    }

    #[test]
    fn the_limits_of_all_sessions_at_work_are_allowed_together() {
        let (kennel, _ends) = kennel_of(&[64 * MIB, 256 * MIB]);
        let much = 8 * 1024 * MIB;
        assert!(kennel.excess(&resident(500 * MIB, much)).is_none());
        let excess = kennel.excess(&resident(600 * MIB, much)).unwrap();
        assert_eq!(excess.bytes, 20 * MIB);
        assert!(excess.why.contains("600 MiB"), "{}", excess.why);
        let full = kennel.excess(&resident(5000 * MIB, 100 * MIB)).unwrap();
        assert!(full.why.contains("nearly full"), "{}", full.why);
    }

    #[test]
    fn of_queries_alike_the_last_one_is_ended_first() {
        let (mut kennel, mut ends) = kennel_of(&[64 * MIB, 64 * MIB]);
        kennel.end_largest("first".to_owned());
        kennel.end_largest("second".to_owned());
        kennel.end_largest("third".to_owned());
        assert_eq!(ends[1].try_recv().unwrap().as_deref(), Some("first"));
        assert_eq!(ends[0].try_recv().unwrap().as_deref(), Some("second"));
    }

    #[test]
    fn a_query_is_known_while_it_lives() {
        let watched = watch(&memory(64 * MIB));
        let id = watched.id;
        assert!(kennel().queries.iter().any(|query| query.id == id));
        drop(watched);
        assert!(!kennel().queries.iter().any(|query| query.id == id));
    }
}
