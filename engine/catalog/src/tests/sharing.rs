//! Several connections at one catalog: contention, first creation, visibility, sudden ends.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::{Home, table};
use crate::database::Store;
use crate::{Access, Catalog, CatalogError, Created, EntryKind, OnConflict, locate};

#[test]
fn handles_are_cheap_to_share() {
    fn check<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    check::<Catalog>();
}

/// Two writers also race for the first creation.
#[test]
fn writers_do_not_lose_each_others_tables() {
    let home = Home::new();
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for writer in 0..2 {
            let (home, start) = (&home, &start);
            scope.spawn(move || {
                let catalog = home.catalog();
                start.wait();
                for number in 0..200 {
                    let name = format!("t_{writer}_{number}");
                    let created = catalog.create("main", &name, &table("/a"), OnConflict::Fail);
                    assert_eq!(created.unwrap(), Created::New);
                }
            });
        }
    });
    assert_eq!(home.catalog().list(None).unwrap().len(), 400);
}

#[test]
fn many_first_writers_make_one_catalog() {
    for _ in 0..5 {
        let home = Home::new();
        let start = Barrier::new(8);
        let count = thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let catalog = home.catalog();
                        start.wait();
                        catalog
                            .create("main", "t", &table("/a"), OnConflict::Skip)
                            .unwrap()
                    })
                })
                .collect();
            let created = writers.into_iter().map(|writer| writer.join().unwrap());
            created.filter(|created| *created == Created::New).count()
        });
        assert_eq!(count, 1);
    }
}

#[test]
fn anothers_change_shows_in_the_next_call() {
    let home = Home::new();
    let (one, other) = (home.catalog(), home.catalog());
    assert_eq!(other.get("main", "t").unwrap(), None);
    for location in ["/a", "/b", "/c"] {
        one.create("main", "t", &table(location), OnConflict::Replace)
            .unwrap();
        assert_eq!(other.get("main", "t").unwrap(), Some(table(location)));
    }
    other.drop("main", "t", EntryKind::Table).unwrap();
    assert_eq!(one.get("main", "t").unwrap(), None);
}

#[cfg(unix)]
#[test]
fn a_catalog_that_was_removed_or_replaced_is_found_anew() {
    let home = Home::new();
    let one = home.catalog();
    one.create("main", "old", &table("/a"), OnConflict::Fail)
        .unwrap();
    fs::remove_dir_all(home.project().join(".lakesh")).unwrap();
    assert_eq!(one.list(None).unwrap(), []);
    fs::create_dir(home.project().join(".lakesh")).unwrap();
    let other = home.catalog();
    other
        .create("main", "new", &table("/b"), OnConflict::Fail)
        .unwrap();
    assert_eq!(one.list(None).unwrap()[0].name, "new");
    one.create("main", "newer", &table("/b"), OnConflict::Fail)
        .unwrap();
    assert_eq!(other.list(None).unwrap().len(), 2);
}

#[test]
fn a_lock_that_stays_is_reported_and_reads_go_on() {
    let home = Home::new();
    home.catalog()
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let mut other = Connection::open(home.database()).unwrap();
    let held = other
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    let location = locate(&home.project(), None, &home.user_data());
    let store = Store::new(location, Access::ReadWrite).with_patience(Duration::from_millis(20));
    let refused = store.write(|transaction| Ok(transaction.execute("DELETE FROM entries", [])?));
    assert!(matches!(refused, Err(CatalogError::Busy { .. })));
    assert_eq!(home.catalog().get("main", "t").unwrap(), Some(table("/a")));
    drop(held);
    let deleted = store.write(|transaction| Ok(transaction.execute("DELETE FROM entries", [])?));
    assert_eq!(deleted.unwrap(), 1);
}

/// What a killed process leaves is what the files hold at that moment: file and log are copied between
/// and during writes, and each copy must open, be whole and hold everything committed before it.
#[test]
fn a_sudden_end_leaves_a_sound_catalog() {
    let home = Home::new();
    let catalog = home.catalog();
    let rounds = 25;
    for round in 0..rounds {
        let name = format!("t{round}");
        // Big enough that the log is merged into the file now and then.
        let location = format!("/{}", "x".repeat(100_000));
        catalog
            .create("main", &name, &table(&location), OnConflict::Fail)
            .unwrap();
        // Whole frames of a commit that never came, and half a frame, are what a kill adds at worst.
        for torn in [0, 5000] {
            let copy = Home::new();
            fs::copy(home.database(), copy.database()).unwrap();
            let log = |home: &Home| home.project().join(".lakesh/catalog.db-wal");
            let mut bytes = fs::read(log(&home)).unwrap();
            bytes.extend(std::iter::repeat_n(0x5a, torn));
            fs::write(log(&copy), bytes).unwrap();
            let survivor = copy.catalog();
            assert_eq!(survivor.list(None).unwrap().len(), round + 1);
            survivor.create_schema("s", false).unwrap();
            let check: String = Connection::open(copy.database())
                .unwrap()
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .unwrap();
            assert_eq!(check, "ok");
        }
    }
}

/// A transaction that panics or is cut off leaves nothing behind.
#[test]
fn an_unfinished_write_leaves_nothing() {
    let home = Home::new();
    let catalog = home.catalog();
    catalog
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        catalog.alter("main", "t", EntryKind::Table, |_| panic!("cut off"))
    }));
    assert!(cut.is_err());
    assert_eq!(catalog.get("main", "t").unwrap(), Some(table("/a")));
    home.catalog()
        .create("main", "u", &table("/a"), OnConflict::Fail)
        .unwrap();
}

/// Readers that open and close all the time, as many short processes do, never fail beside a writer.
#[test]
fn short_lived_readers_never_fail() {
    let home = Home::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Acquire) {
                let count = home.catalog().list(None).unwrap().len();
                assert!(count >= seen);
                seen = count;
            }
        });
        for number in 0..100 {
            let name = format!("t{number}");
            home.catalog()
                .create("main", &name, &table("/a"), OnConflict::Fail)
                .unwrap();
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
}
