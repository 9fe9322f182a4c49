//! The catalog between processes: shared, moved, raced for, killed.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::support::{Lake, Shell};

#[test]
fn one_process_sees_what_another_has_made() {
    let lake = Lake::project();
    lake.does("create table t as select 1 as a");
    lake.does("create view v as select a + 1 as b from t");
    lake.does("create schema s; create table s.t as select 3 as c");
    assert_eq!(lake.rows("select * from t"), "1\n");
    assert_eq!(lake.rows("select * from v"), "2\n");
    assert_eq!(lake.rows("select * from s.t"), "3\n");
    lake.does("create or replace table t as select 10 as a");
    assert_eq!(lake.rows("select * from v"), "11\n");
    lake.does("drop view v; drop table s.t; drop schema s");
    assert!(lake.refuses("select * from v").contains("`v`"));
    assert!(lake.path().join(".lakesh/catalog.db").exists());
    assert!(lake.path().join(".lakesh/.gitignore").exists());
}

#[test]
fn a_running_process_sees_the_change_of_another_in_its_next_statement() {
    let lake = Lake::project();
    lake.does("create table t as select 1 as a");
    // The two ends of a pipe put the processes into order.
    let script = "mkfifo in out
        \"$LAKESH\" --format csv < in > out & exec 3> in 4< out
        echo 'select * from t;' >&3; read -r a <&4; read -r b <&4; echo $a; echo $b
        \"$LAKESH\" -q -c 'create or replace table t as select 2 as a' > /dev/null
        echo 'select * from t;' >&3; read -r empty <&4; read -r a <&4; read -r b <&4; echo $a; echo $b
        exec 3>&-; wait";
    let run = Shell::through_sh(&lake, script).run();
    assert_eq!(run.succeeds(), "a\n1\na\n2\n", "{}", run.stderr);
}

#[test]
fn two_processes_create_two_hundred_tables_each() {
    let lake = Lake::project();
    lake.does("copy (select 1 as a) to 'one.parquet'");
    let script = |prefix: &str| -> String {
        (0..200)
            .map(|number| format!("create external table {prefix}{number} stored as parquet location 'one.parquet';\n"))
            .collect()
    };
    let running: Vec<_> = ["left", "right"]
        .map(|prefix| lake.shell(["-q"]).input(script(prefix)).start())
        .into_iter()
        .collect();
    for running in running {
        let run = running.wait();
        run.succeeds();
        assert!(!run.stderr.contains("error"), "{}", run.stderr);
    }
    let counted = "select count(*) from information_schema.tables where table_schema = 'public' or table_name like 'left%' or table_name like 'right%'";
    let rows: usize = lake.rows(counted).trim().parse().unwrap();
    assert_eq!(rows, 400);
    assert_eq!(lake.rows("select a from left199"), "1\n");
}

#[test]
fn a_killed_process_leaves_a_catalog_that_opens() {
    let lake = Lake::project();
    lake.does("create table t as select 0 as a");
    let script: String = (0..500)
        .map(|number| format!("create or replace view v{number} as select {number} as a;\ncreate or replace table t as select {number} as a;\n\\warn statement {number}\n"))
        .collect();
    lake.write("busy.sql", script);
    for round in 0..10 {
        // Killed after so many statements, each time a different number.
        let mut running = lake.shell(["-q", "busy.sql"]).start();
        running.says(&format!("statement {round}"));
        running.signal("KILL");
        assert_eq!(running.wait().status.signal(), Some(9));
        let number: usize = lake.rows("select a from t").trim().parse().unwrap();
        assert!(number < 500);
        lake.does(&format!("create table after{round} as select {round} as a"));
        assert_eq!(lake.rows("select count(*) from v0"), "1\n");
    }
    assert_eq!(lake.rows("select a from after9"), "9\n");
}

#[test]
fn a_catalog_works_from_every_folder_below_it() {
    let lake = Lake::project();
    lake.does("copy (select 1 as a) to 'data/one.parquet'");
    lake.does("create external table one stored as parquet location 'data/one.parquet'");
    lake.does("create table managed as select 2 as b");
    lake.does("create view both as select a, b from one, managed");
    fs::create_dir_all(lake.path().join("deep/er")).unwrap();
    for folder in ["deep/er", "data"] {
        let run = lake
            .shell(["--format", "csv", "-c", "select * from both"])
            .in_folder(lake.path().join(folder))
            .run();
        assert_eq!(run.succeeds(), "a,b\n1,2\n");
    }
    let elsewhere = lake.root().to_path_buf();
    let catalog = lake.path().join(".lakesh");
    let run = lake
        .shell([
            "--format",
            "csv",
            "--catalog",
            catalog.to_str().unwrap(),
            "-c",
            "select * from both",
        ])
        .in_folder(&elsewhere)
        .run();
    assert_eq!(run.succeeds(), "a,b\n1,2\n");
    let run = lake
        .shell(["--format", "csv", "-c", "select * from both"])
        .variable("LAKESH_CATALOG", catalog.to_str().unwrap())
        .in_folder(&elsewhere)
        .run();
    assert_eq!(run.succeeds(), "a,b\n1,2\n");
}

#[test]
fn a_project_that_was_moved_still_works() {
    let lake = Lake::project();
    lake.does("copy (select 1 as a) to 'data/one.parquet'");
    lake.does("create external table one stored as parquet location 'data/one.parquet'");
    lake.does("create table managed as select 2 as b");
    let moved = lake.root().join("moved");
    fs::rename(lake.path(), &moved).unwrap();
    fs::create_dir(lake.path()).unwrap();
    let run = lake
        .shell(["--format", "csv", "-c", "select a, b from one, managed"])
        .in_folder(&moved)
        .run();
    assert_eq!(run.succeeds(), "a,b\n1,2\n");
}

#[test]
fn without_a_project_the_catalog_is_the_users_own() {
    let lake = Lake::new();
    lake.does("create table t as select 1 as a");
    assert_eq!(
        fs::read_dir(lake.path()).unwrap().count(),
        0,
        "the working directory was written to"
    );
    let elsewhere = lake.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let run = lake
        .shell(["--format", "csv", "-c", "select * from t"])
        .in_folder(&elsewhere)
        .run();
    assert_eq!(run.succeeds(), "a\n1\n");
}

#[test]
fn attach_finds_every_table_below_a_folder() {
    let lake = Lake::project();
    lake.does(
        "copy (select 1 as a) to 'lake/single.parquet';
         copy (select 2 as a) to 'lake/plain/part-0.parquet'; copy (select 3 as a) to 'lake/plain/part-1.parquet';
         copy (select value as a, value % 2 as part from generate_series(1, 4)) to 'lake/hive/' stored as parquet partitioned by (part);
         copy (select 4 as a) to 'lake/text.csv';
         create table d using delta location 'lake/delta' as select 5 as a;
         attach 'lake' as lake",
    );
    for (table, rows) in [
        ("single", "1\n"),
        ("plain", "5\n"),
        ("hive", "10\n"),
        ("text", "4\n"),
        ("delta", "5\n"),
    ] {
        assert_eq!(
            lake.rows(&format!("select sum(a) from lake.{table}")),
            rows,
            "{table}"
        );
    }
    // What is put there later is found in the next statement.
    lake.does("copy (select 6 as a) to 'lake/later.parquet'");
    assert_eq!(lake.rows("select a from lake.later"), "6\n");
    lake.does("detach lake");
    lake.refuses("select * from lake.single");
    assert_eq!(lake.rows("select a from 'lake/single.parquet'"), "1\n");
}

#[test]
fn a_broken_catalog_or_folder_is_a_clear_error() {
    let lake = Lake::project();
    lake.write(
        ".lakesh/catalog.db",
        "this is not a database, however long the text that stands here may be",
    );
    let stderr = lake.shell(["-c", "select * from t"]).run().fails(1);
    assert!(stderr.contains("catalog.db"), "{stderr}");
    // What needs no catalog works on.
    assert_eq!(lake.rows("select 1"), "1\n");
    let stderr = lake
        .shell([
            "--catalog",
            "work.sql/none",
            "-c",
            "create table t as select 1 as a",
        ])
        .run()
        .stderr;
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_managed_table_that_is_dropped_leaves_nothing() {
    let lake = Lake::project();
    lake.does("create table t as select value as a from generate_series(1, 10)");
    assert!(files_below(&lake) > 0, "the managed table has no file");
    lake.does("drop table t");
    assert_eq!(files_below(&lake), 0);
    lake.does("copy (select 1 as a) to 'kept.parquet'; create external table e stored as parquet location 'kept.parquet'; drop table e");
    assert!(
        lake.path().join("kept.parquet").exists(),
        "an external table's data was deleted"
    );
}

fn files_below(lake: &Lake) -> usize {
    let mut waiting = vec![lake.path().join(".lakesh/warehouse")];
    let mut files = 0;
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => files += 1,
            }
        }
    }
    files
}

#[test]
fn what_needs_no_catalog_makes_none() {
    let lake = Lake::new();
    assert_eq!(lake.rows("select 1"), "1\n");
    assert_eq!(
        lake.rows("select count(*) > 100 from system.settings"),
        "true\n"
    );
    assert!(!lake.home().join("data").exists());
    lake.does("show tables");
    assert!(!lake.path().join(".lakesh").exists());
}

#[test]
fn a_listing_opens_no_table_that_it_does_not_name() {
    let lake = Lake::project();
    lake.does("copy (select 1 as a) to 'gone.parquet'; copy (select 1 as b) to 'there.parquet'");
    lake.does("create external table gone stored as parquet location 'gone.parquet'");
    lake.does("create external table there stored as parquet location 'there.parquet'");
    fs::remove_file(lake.path().join("gone.parquet")).unwrap();
    for sql in [
        "show tables",
        "show schemas",
        "show create table gone",
        "describe there",
        "show columns from there",
        "select * from information_schema.tables",
        "select * from information_schema.columns where table_name = 'there'",
        "\\d",
        "\\d there",
        "select * from there",
    ] {
        lake.does(sql);
    }
    assert!(lake.refuses("select * from gone").contains("gone"));
}
