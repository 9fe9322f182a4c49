//! Tables of the warehouse that are dropped and replaced while others read them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::Lake;

/// A debug build on a busy machine is slow.
const DEADLINE: Duration = Duration::from_secs(120);

/// The folders of tables in the warehouse.
fn folders(lake: &Lake) -> Vec<PathBuf> {
    std::fs::read_dir(lake.path().join(".lakesh/warehouse/main"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn readers_beside_replacements_read_one_version_or_the_other() {
    let lake = Lake::project();
    let replace = "create or replace table t as select value as n from generate_series(1, 1000);";
    lake.does(replace);
    let writer = lake
        .shell(["--format", "none", "-c", &replace.repeat(30)])
        .start();
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let queries = "select sum(n) from t;".repeat(60);
            lake.shell(["--format", "csv", "--keep-going", "-c", &queries])
                .start()
        })
        .collect();
    for reader in readers {
        let text = reader.wait().succeeds();
        let sums = text.lines().filter(|line| line.parse::<u64>().is_ok());
        assert_eq!(sums.clone().count(), 60, "{text}");
        assert!(sums.clone().all(|sum| sum == "500500"), "{text}");
    }
    writer.wait().succeeds();
    lake.does("create table other as select 1 as n");
    assert_eq!(folders(&lake).len(), 2);
}

#[test]
fn readers_beside_drops_say_that_the_table_is_not_there() {
    let lake = Lake::project();
    let again = "drop table t; create table t as select value as n from generate_series(1, 1000);";
    lake.does("create table t as select value as n from generate_series(1, 1000)");
    let writer = lake
        .shell(["--format", "none", "-c", &again.repeat(30)])
        .start();
    let queries = "select sum(n) from t;".repeat(100);
    let run = lake
        .shell(["--format", "csv", "--keep-going", "-c", &queries])
        .start()
        .wait();
    writer.wait().succeeds();
    for line in run.stderr.lines().filter(|line| line.starts_with("error")) {
        let expected = [
            "table `t` not found",
            "table `t` was dropped",
            "table `t` was replaced",
        ];
        assert!(expected.iter().any(|text| line.contains(text)), "{line}");
    }
}

#[test]
fn a_query_that_runs_reads_a_dropped_table_to_its_end() {
    let lake = Lake::project();
    lake.does("create table t as select value as n from generate_series(1, 3000000)");
    let reader = lake
        .shell([
            "--format",
            "csv",
            "--threads",
            "1",
            "-c",
            "select n from t where n % 7 <> 1",
        ])
        .start();
    std::thread::sleep(Duration::from_millis(1500));
    lake.does("drop table t");
    let text = reader.wait().succeeds();
    assert_eq!(text.lines().count(), 1 + 3_000_000 - 428_572);
    lake.does("create table other as select 1 as n");
    assert_eq!(folders(&lake).len(), 1);
}

#[test]
fn a_create_that_fails_or_is_killed_leaves_no_folder() {
    let lake = Lake::project();
    lake.does("create table other as select 1 as n");
    lake.refuses("create table t as select 1 / (n - 1) as x from other");
    assert_eq!(folders(&lake).len(), 1);
    let rows =
        "select value as n, repeat(md5(value::varchar), 4) as x from generate_series(1, 100000000)";
    let running = lake
        .shell(["-c", &format!("create table t as {rows}")])
        .start();
    let begin = Instant::now();
    while folders(&lake).len() < 2 {
        assert!(begin.elapsed() < DEADLINE, "nothing is written");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal("KILL");
    running.wait();
    assert_eq!(folders(&lake).len(), 2);
    lake.does("create table third as select 1 as n");
    assert_eq!(folders(&lake).len(), 2);
    assert_eq!(lake.rows("select * from other join third using (n)"), "1\n");
}

#[test]
fn a_table_that_replaces_itself_leaves_one_folder() {
    let lake = Lake::project();
    lake.does("create table t as select 1 as n");
    lake.does("create or replace table t as select n + 1 as n from t");
    assert_eq!(lake.rows("select n from t"), "2\n");
    assert_eq!(folders(&lake).len(), 1);
}
