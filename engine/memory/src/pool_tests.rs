//! The policy of the pool, request by request, and its books under random and parallel use.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use lakesh_text::consumer::JOIN_BUILD;

use super::exhausted::exhausted_by;
use super::pool::SpillingPool;

const MIB: usize = 1024 * 1024;

/// A pool of 96 MiB, of which 12 are headroom.
fn pool() -> (Arc<SpillingPool>, Arc<dyn MemoryPool>) {
    let pool = Arc::new(SpillingPool::new(96 * MIB as u64));
    let shared = Arc::clone(&pool) as Arc<dyn MemoryPool>;
    (pool, shared)
}

fn spilling(pool: &Arc<dyn MemoryPool>, name: &str) -> MemoryReservation {
    MemoryConsumer::new(name)
        .with_can_spill(true)
        .register(pool)
}

fn fixed(pool: &Arc<dyn MemoryPool>, name: &str) -> MemoryReservation {
    MemoryConsumer::new(name).register(pool)
}

/// Takes a MiB at a time until refused, and tells how many were granted.
fn fill(reservation: &MemoryReservation) -> usize {
    (0..)
        .take_while(|_| reservation.try_grow(MIB).is_ok())
        .count()
}

#[test]
fn one_spilling_operator_gets_all_but_the_headroom() {
    let (_, pool) = pool();
    assert_eq!(fill(&spilling(&pool, "FinalHashAggregateStream[0]")), 84);
}

#[test]
fn idle_operators_cost_a_floor_only() {
    let (_, pool) = pool();
    let idle: Vec<_> = (0..11)
        .map(|_| spilling(&pool, "FinalHashAggregateStream"))
        .collect();
    let active = spilling(&pool, "FinalHashAggregateStream[0]");
    // DataFusion's fair pool would give a twelfth, 8 MiB. A quarter of the limit is kept for all.
    let granted = fill(&active);
    assert!(granted >= 60, "{granted}");
    for other in &idle {
        other.try_grow(MIB).unwrap();
    }
    // Now they are active, and the first is far above its share.
    assert!(active.try_grow(MIB).is_err());
    active.free();
    let granted = fill(&active);
    assert!((6..=8).contains(&granted), "{granted}");
}

#[test]
fn active_operators_share_and_regain_what_others_leave() {
    let (_, pool) = pool();
    let first = spilling(&pool, "FinalHashAggregateStream[0]");
    assert_eq!(fill(&first), 84);
    let second = spilling(&pool, "FinalHashAggregateStream[1]");
    second.try_grow(4 * MIB).unwrap();
    assert!(
        second.try_grow(20 * MIB).is_err(),
        "there is no room before the first spills"
    );
    assert!(
        first.try_grow(MIB).is_err(),
        "by which the first learns that it must"
    );
    first.free();
    assert_eq!(fill(&second), 42 - 4);
    assert_eq!(fill(&first), 42);
    drop(second);
    assert_eq!(fill(&first), 42);
}

#[test]
fn a_refused_operator_gets_room_to_spill() {
    let (_, pool) = pool();
    let first = spilling(&pool, "GroupedHashAggregateStream[0]");
    assert_eq!(fill(&first), 84);
    let second = spilling(&pool, "GroupedHashAggregateStream[1]");
    second.try_grow(2 * MIB).unwrap();
    // Its table went into one batch, and sorting that takes as much as the table did.
    first.shrink(83 * MIB);
    first.try_grow(70 * MIB).unwrap();
    first.shrink(70 * MIB);
    assert!(first.try_grow(70 * MIB).is_err(), "but only once");
}

#[test]
fn a_sort_leaves_room_to_merge() {
    let (_, pool) = pool();
    let rows = spilling(&pool, "ExternalSorter[0]");
    let merge = fixed(&pool, "ExternalSorterMerge[0]");
    merge.try_grow(2 * MIB).unwrap();
    assert_eq!(fill(&rows), 56 - 2, "two thirds of its share");
    // It merges what it has: the reserve goes back, then rows and keys move over to the merge.
    merge.free();
    for _ in 0..40 {
        merge.try_grow(MIB).unwrap();
    }
    rows.free();
    for _ in 0..40 {
        merge.try_grow(MIB).unwrap();
    }
}

#[test]
fn a_sort_that_takes_over_gets_the_share_of_the_one_before() {
    let (_, pool) = pool();
    let keys = spilling(&pool, "KeySort[0]");
    assert_eq!(fill(&keys), 84, "all but the headroom");
    let rows = spilling(&pool, "ExternalSorter[0]");
    let merge = fixed(&pool, "ExternalSorterMerge[0]");
    merge.try_grow(2 * MIB).unwrap();
    rows.try_grow(2 * MIB).unwrap();
    keys.shrink(70 * MIB);
    assert_eq!(2 + fill(&rows), 56 - 2, "as if it had been alone");
}

#[test]
fn merging_spilled_runs_stays_within_a_share() {
    let (_, pool) = pool();
    let sorts: Vec<_> = (0..4)
        .map(|partition| {
            let rows = spilling(&pool, &format!("ExternalSorter[{partition}]"));
            let merge = fixed(&pool, &format!("ExternalSorterMerge[{partition}]"));
            (rows, merge)
        })
        .collect();
    let (_, greedy) = &sorts[0];
    greedy.try_grow(MIB).unwrap();
    // A quarter of half the limit, though the others did not begin.
    assert_eq!(1 + fill(greedy), 12);
    for (rows, merge) in &sorts[1..] {
        merge.try_grow(MIB).unwrap();
        assert!(fill(rows) >= 12);
    }
}

#[test]
fn a_merge_that_outlives_its_sort_stays_within_its_share() {
    let (_, pool) = pool();
    let rows = spilling(&pool, "ExternalSorter[0]");
    let merge = fixed(&pool, "ExternalSorterMerge[0]");
    merge.try_grow(MIB).unwrap();
    rows.try_grow(MIB).unwrap();
    drop(rows);
    assert_eq!(1 + fill(&merge), 48);
    drop(merge);
    assert_eq!(fill(&spilling(&pool, "FinalHashAggregateStream[0]")), 84);
}

#[test]
fn a_sort_that_spilled_may_ask_for_its_reserve_and_then_merges_within_its_share() {
    let (_, pool) = pool();
    let rows = spilling(&pool, "ExternalSorter[0]");
    let merge = fixed(&pool, "ExternalSorterMerge[0]");
    merge.try_grow(2 * MIB + 1).unwrap();
    rows.try_grow(40 * MIB).unwrap();
    merge.free();
    rows.free();
    // Everything was handed over before the merge asked, and still it is merging in memory.
    assert_eq!(
        fill(&merge),
        108,
        "in need the limit is exceeded by an eighth"
    );
    merge.free();
    merge.try_grow(2 * MIB + 1).unwrap();
    assert_eq!(fill(&merge), 45, "now it merges runs on disk");
}

#[test]
fn groups_rebuilt_from_spilled_runs_are_not_refused() {
    let (_, pool) = pool();
    let merge = spilling(&pool, "FinalHashAggregateStream[0]");
    let groups = merge.new_empty();
    assert_eq!(fill(&merge), 84);
    groups.try_grow(10 * MIB).unwrap();
    groups.try_grow(14 * MIB).unwrap();
    assert!(
        groups.try_grow(MIB).is_err(),
        "an eighth above the limit, and no more"
    );
}

#[test]
fn joins_are_not_starved_and_do_not_starve() {
    let (_, pool) = pool();
    let build = fixed(&pool, "HashJoinInput[0]");
    let neighbour = spilling(&pool, "FinalHashAggregateStream[0]");
    assert_eq!(fill(&neighbour), 84 - 24);
    assert_eq!(fill(&build), 24);
    let error = build.try_grow(MIB).unwrap_err();
    let exhausted = exhausted_by(&error).unwrap();
    assert!(exhausted.was_join);
    assert_eq!(exhausted.consumer, JOIN_BUILD);
    assert_eq!(exhausted.limit, 96 * MIB as u64);
    assert_eq!(exhausted.held, 24 * MIB as u64);
    neighbour.free();
    fill(&build);
    neighbour.try_grow(8 * MIB).unwrap();
    drop(build);
    assert_eq!(8 + fill(&neighbour), 84);
}

#[test]
fn exchanges_never_take_the_headroom() {
    let (_, pool) = pool();
    let exchange = spilling(&pool, "RepartitionExec[0]");
    let sort = spilling(&pool, "FinalHashAggregateStream[0]");
    assert!(fill(&exchange) <= 84);
    sort.try_grow(MIB).unwrap();
    assert!(exchange.try_grow(MIB).is_err());
    drop(sort);
    let other = fixed(&pool, "TopK[0]");
    assert!(
        fill(&other) >= 11,
        "what is free goes to those that cannot spill"
    );
}

#[test]
fn the_message_names_who_holds_most() {
    let (counters, pool) = pool();
    let sort = spilling(&pool, "ExternalSorter[0]");
    let top = fixed(&pool, "TopK[0]");
    sort.try_grow(20 * MIB).unwrap();
    top.try_grow(30 * MIB).unwrap();
    let error = top.try_grow(50 * MIB).unwrap_err();
    let exhausted = exhausted_by(&error).unwrap();
    assert!(!exhausted.was_join);
    assert_eq!(exhausted.requested, 50 * MIB as u64);
    let mib = MIB as u64;
    let expected = [
        ("top rows".to_owned(), 30 * mib),
        ("sort".to_owned(), 20 * mib),
    ];
    assert_eq!(exhausted.largest, expected);
    assert_eq!(counters.largest(1), expected[..1]);
}

/// A small deterministic generator (xorshift), so that every run sees the same sequence.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound).unwrap()
    }
}

const NAMES: [(&str, bool); 8] = [
    ("ExternalSorter[0]", true),
    ("ExternalSorterMerge[0]", false),
    ("HashJoinInput", false),
    ("RepartitionExec[0]", true),
    ("FinalHashAggregateStream[0]", true),
    ("SMJStream[0]", false),
    ("TopK[0]", false),
    ("ExternalSorterMerge[1]", false),
];

/// Does random things to random reservations and checks the books after each.
fn use_randomly(pool: &Arc<dyn MemoryPool>, seed: u64, steps: usize, check: impl Fn(usize)) {
    let mut numbers = Numbers(seed);
    let mut held: Vec<MemoryReservation> = Vec::new();
    for _ in 0..steps {
        let size = numbers.below(4 * MIB as u64);
        let at = numbers.below(held.len().max(1) as u64);
        match numbers.below(10) {
            0 | 1 => {
                let (name, spills) = NAMES[numbers.below(NAMES.len() as u64)];
                held.push(
                    MemoryConsumer::new(name)
                        .with_can_spill(spills)
                        .register(pool),
                );
            }
            2 if !held.is_empty() => drop(held.swap_remove(at)),
            _ if held.is_empty() => {}
            3 => {
                let part = held[at].size() / 2;
                let split = held[at].split(part);
                held.push(split);
            }
            4 => {
                held[at].free();
            }
            5 => held[at].shrink(size.min(held[at].size())),
            6 if held.len() < 4 => held[at].grow(size / 8),
            _ => {
                let _ = held[at].try_grow(size);
            }
        }
        check(held.iter().map(MemoryReservation::size).sum());
    }
}

#[test]
fn no_byte_is_lost_whatever_happens() {
    for seed in 1..40 {
        let (counters, pool) = pool();
        use_randomly(&pool, seed * 7919, 600, |sum| {
            assert_eq!(counters.usage().used, sum as u64);
            assert!(counters.usage().peak >= sum as u64);
        });
        assert_eq!(counters.usage().used, 0, "seed {seed}");
        // Nothing is left behind that would narrow the next query.
        assert_eq!(fill(&spilling(&pool, "FinalHashAggregateStream[0]")), 84);
    }
}

#[test]
fn no_byte_is_lost_between_threads() {
    let (counters, pool) = pool();
    std::thread::scope(|scope| {
        for seed in 1..9 {
            let pool = &pool;
            scope.spawn(move || use_randomly(pool, seed * 104_729, 2_000, |_| {}));
        }
    });
    assert_eq!(counters.usage().used, 0);
    assert!(counters.largest(9).is_empty());
    assert_eq!(fill(&spilling(&pool, "ExternalSorter[0]")), 84 / 3 * 2);
}
