//! Writers that are killed in the middle of a statement, and writers that all write at once.
//!
//! `LAKESH_TEST_KILLS` and `LAKESH_TEST_APPENDS` make both longer for a run by hand.

use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::support::{Lake, Running};

/// How often each statement is killed, evenly over the time that it takes.
const KILLS: u32 = 6;

/// How many processes append, and how many commits each makes.
const APPENDERS: usize = 8;
const APPENDS: u32 = 8;

/// How often the other process merges meanwhile.
const MERGES: usize = 4;

/// Columns of files, small enough to make many and large enough to take a moment.
const TABLE: &str = "create table t (id bigint, n bigint, name varchar) location 't';
    insert into t select value, value % 7, 'first ' || value from generate_series(1, 30000);
    insert into t select value, value % 5, 'second ' || value from generate_series(30001, 60000);
    delete from t where id % 10 = 0;
    insert into t select value, value % 3, 'third ' || value from generate_series(60001, 90000);";

/// What tells one state of the table from another.
const STATE: &str =
    "select count(*), sum(id), sum(n * id), count(distinct name), min(name), max(name) from t";

fn scale(variable: &str, usual: u32) -> u32 {
    match env::var(variable) {
        Ok(number) => number.parse().expect("a number of rounds"),
        Err(_) => usual,
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

/// Kills a statement at moments that lie evenly over the time it takes; each time the table must be
/// readable and hold what it held before, or what the whole statement leaves.
fn survives_kills(statement: &str) {
    let lake = Lake::project();
    lake.does(TABLE);
    let (table, untouched) = (lake.path().join("t"), lake.path().join("untouched"));
    fs::rename(&table, &untouched).unwrap();
    let start = || -> Running {
        drop(fs::remove_dir_all(&table));
        copy_folder(&untouched, &table);
        lake.shell(["-c", statement]).start()
    };
    let begin = Instant::now();
    start().wait().succeeds();
    let takes = begin.elapsed();
    let after = lake.rows(STATE);
    drop(fs::remove_dir_all(&table));
    copy_folder(&untouched, &table);
    let before = lake.rows(STATE);

    let kills = scale("LAKESH_TEST_KILLS", KILLS);
    let mut killed = 0;
    for round in 0..kills {
        let running = start();
        // The moment is what is tested here; nothing waits for it to be late enough.
        thread::sleep(takes * (2 * round + 1) / (2 * kills));
        running.signal("KILL");
        killed += u32::from(running.wait().status.code().is_none());
        let state = lake.rows(STATE);
        assert!(
            state == before || state == after,
            "{statement}\nkilled at {round} of {kills}\nbefore {before}after  {after}found  {state}"
        );
        // What was left behind is in nobody's way.
        lake.does("insert into t values (0, 0, 'more'); delete from t where id = 0;");
    }
    assert!(killed > 0, "no kill came before the end of {statement}");
}

#[test]
fn a_killed_merge_leaves_the_old_or_the_new_version() {
    survives_kills(
        "merge into t using (select value as id from generate_series(50000, 100000, 3)) s \
         on t.id = s.id when matched then update set n = t.n + 1000 \
         when not matched then insert (id, n, name) values (s.id, 1, 'merged')",
    );
}

#[test]
fn a_killed_optimize_leaves_the_old_or_the_new_version() {
    survives_kills("optimize t zorder by (n)");
}

#[test]
fn a_killed_restore_leaves_the_old_or_the_new_version() {
    survives_kills("restore table t to version as of 1");
}

#[test]
fn a_killed_vacuum_leaves_the_old_or_the_new_version() {
    survives_kills("set lakesh.vacuum_retention_check = false; vacuum t retain 0 hours");
}

#[test]
fn commits_of_many_writers_all_land_once() {
    let appends = scale("LAKESH_TEST_APPENDS", APPENDS);
    let lake = Lake::project();
    lake.does("create table t (id bigint, n bigint) location 't'; insert into t values (1, 0), (2, 0), (3, 0)");
    let appenders = (1..=APPENDERS).map(|writer| {
        let script: String = (0..appends)
            .map(|number| {
                format!(
                    "insert into t values ({}, -1);\n",
                    writer * 1000 + number as usize
                )
            })
            .collect();
        let name = format!("append{writer}.sql");
        lake.write(&name, script);
        lake.shell([name.as_str()]).start()
    });
    let appenders: Vec<Running> = appenders.collect();
    let merge = "merge into t using (values (1), (2), (9)) s(id) on t.id = s.id \
                 when matched then update set n = t.n + 1 \
                 when not matched then insert (id, n) values (s.id, 0);\n";
    lake.write("merge.sql", merge.repeat(MERGES));
    let merger = lake.shell(["merge.sql"]).start();
    let optimizer = lake.shell(["-c", "optimize t"]).start();
    for writer in appenders {
        writer.wait().succeeds();
    }
    merger.wait().succeeds();
    optimizer.wait().succeeds();

    let appended = lake.rows("select count(*), count(distinct id) from t where n = -1");
    let expected = APPENDERS * appends as usize;
    assert_eq!(appended, format!("{expected},{expected}\n"));
    let merged = lake.rows("select id, n from t where n >= 0 order by id");
    assert_eq!(
        merged,
        format!("1,{MERGES}\n2,{MERGES}\n3,0\n9,{}\n", MERGES - 1)
    );
    // One for the table, one for its first rows.
    let versions =
        lake.rows("select count(*) from table_history('t') where operation <> 'OPTIMIZE'");
    assert_eq!(versions, format!("{}\n", 2 + expected + MERGES));
}
