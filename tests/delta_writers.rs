//! Writers that move rows beside each other: OPTIMIZE, Z-order, and changes of the same files, from
//! several processes and from the Python package `deltalake`. No row is lost and none is doubled.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Lake, Running, python};

/// How long the other writer may take to begin.
const DEADLINE: Duration = Duration::from_secs(120);

/// Small files, so that there is something to pack.
const FILES: usize = 8;

/// A table of `FILES` files with ten rows each; `id` runs from 0, `n` is 0.
fn scattered(lake: &Lake, name: &str) {
    let mut script = format!("create table {name} (id bigint, n bigint) location '{name}';");
    for file in 0..FILES {
        let first = file * 10;
        script += &format!(
            "insert into {name} select value, 0 from generate_series({first}, {}) as s (value);",
            first + 9
        );
    }
    lake.does(&script);
}

fn started(lake: &Lake, sql: &str) -> Running {
    lake.shell(["-c", sql]).start()
}

/// Starts all statements at once and waits for them; every one must succeed.
#[track_caller]
fn at_once(lake: &Lake, statements: &[&str]) {
    let running: Vec<Running> = statements.iter().map(|sql| started(lake, sql)).collect();
    for (sql, run) in statements.iter().zip(running) {
        let run = run.wait();
        assert!(run.status.success(), "{sql}: {}", run.stderr);
    }
}

#[track_caller]
fn holds(lake: &Lake, name: &str, rows: &str) {
    let sql = format!("select count(*), count(distinct id), sum(n) from {name}");
    assert_eq!(lake.rows(&sql), rows);
}

#[test]
fn processes_that_optimize_at_once_keep_each_row_once() {
    let lake = Lake::project();
    for round in 0..3 {
        let name = format!("t{round}");
        scattered(&lake, &name);
        let pack = format!("optimize {name}");
        let order = format!("optimize {name} zorder by (id)");
        at_once(&lake, &[&pack, &pack, &order, &order]);
        holds(&lake, &name, "80,80,0\n");
    }
}

#[test]
fn processes_that_change_rows_while_others_optimize_change_each_once() {
    let lake = Lake::project();
    for round in 0..3 {
        let name = format!("t{round}");
        scattered(&lake, &name);
        at_once(
            &lake,
            &[
                &format!("optimize {name}"),
                &format!("update {name} set n = n + 1 where id % 10 < 5"),
                &format!("delete from {name} where id % 10 = 9"),
                &format!(
                    "merge into {name} t using (select 1005 as id, 7 as n union all select 5, 7) s on t.id = s.id
                     when matched then update set n = t.n + s.n when not matched then insert *"
                ),
                &format!("optimize {name} zorder by (id)"),
            ],
        );
        // 72 rows are left and one is new, which neither UPDATE nor DELETE means, whoever comes first; 40 were
        // raised by one, and one of each kind by seven.
        holds(&lake, &name, "73,73,54\n");
    }
}

/// Tells the other writer to end, also when a statement beside it fails: nobody would wait for it in vain.
struct Stop<'a>(&'a Path);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        let written = std::fs::write(self.0, "");
        assert!(
            written.is_ok() || std::thread::panicking(),
            "the other writer goes on"
        );
    }
}

#[test]
fn what_the_other_writer_appends_meanwhile_is_kept() {
    let lake = Lake::project();
    scattered(&lake, "t");
    let table = lake.path().join("t");
    let (begun, stop) = (lake.path().join("begun"), lake.path().join("stop"));
    let appended = std::thread::scope(|scope| {
        let files = [table.as_path(), begun.as_path(), stop.as_path()];
        let other = scope.spawn(move || python("append_until.py", &files));
        let started = Instant::now();
        while !begun.exists() {
            assert!(
                started.elapsed() < DEADLINE,
                "the other writer has not begun"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let ends = Stop(&stop);
        for value in 0..4 {
            at_once(
                &lake,
                &[
                    &format!("insert into t values ({}, 0)", 100 + value),
                    "update t set n = n + 1 where id < 10",
                    "optimize t",
                ],
            );
        }
        drop(ends);
        other.join().unwrap()["rows"].as_u64().unwrap()
    });
    assert!(appended > 0, "the other writer did something");
    let rows = 84 + appended;
    holds(&lake, "t", &format!("{rows},{rows},40\n"));
}
