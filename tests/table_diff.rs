//! DIFF TABLE, DIFF SUMMARY TABLE and `table_changes`: what changed between versions.

use crate::support::{Lake, python, python_lines};

/// Versions: 0 empty, 1 three rows, 2 one more, 3 rewritten with an update and a delete, 4 packed.
fn changed() -> Lake {
    let lake = Lake::project();
    lake.does(
        "create table t (id bigint, name varchar) using delta location 't';
         insert into t values (1, 'a'), (2, 'b'), (3, 'c');
         insert into t values (4, 'd');
         create or replace table t using delta location 't' as
            select id, nullif(name, '') as name
            from (values (1, 'a'), (2, 'B'), (4, 'd'), (4, 'd')) v(id, name);
         insert into t values (5, null);
         optimize t;",
    );
    lake
}

#[track_caller]
fn check(lake: &Lake, sql: &str, expected: &str) {
    let found = lake.rows(sql);
    let mut found: Vec<_> = found.lines().collect();
    let mut expected: Vec<_> = expected.split_whitespace().collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{sql}");
}

#[test]
fn rows_that_differ_are_shown_and_no_others() {
    let lake = changed();
    for (sql, expected) in [
        ("diff table t version 1 to 2", "insert,4,d"),
        ("diff table t version 2 to 1", "delete,4,d"),
        ("diff table t version 2 to 2", ""),
        ("diff table t version 4 to 5", ""),
        (
            "diff table t version 2 to 3",
            "delete,2,b insert,2,B delete,3,c insert,4,d",
        ),
        (
            "diff table t version 2 to 5 on (id)",
            "update_preimage,2,b update_postimage,2,B delete,3,c insert,4,d insert,5,",
        ),
        ("diff table 't' version 3 to 4 on id", "insert,5,"),
        (
            "select * from table_diff('t', 2, 3, keys => ['id'])",
            "update_preimage,2,b update_postimage,2,B delete,3,c insert,4,d",
        ),
        (
            "select _change_type, count(*) from table_diff('t', 0, 5) group by 1",
            "insert,5",
        ),
        (
            "select name from table_diff('t', from => 2, to => 3, keys => 'id') where _change_type = 'delete'",
            "c",
        ),
    ] {
        check(&lake, sql, expected);
    }
    let times = lake
        .rows("select timestamp from table_history('t') where version in (1, 2) order by version");
    let [first, second] = [0, 1].map(|line| times.lines().nth(line).unwrap());
    check(
        &lake,
        &format!("diff table t timestamp '{first}' to '{second}'"),
        "insert,4,d",
    );
    let lines = "\\diff t 1 2\n\\diff t 2 3 id\n\\versions t\n";
    lake.write("commands.sql", lines);
    let text = lake
        .shell(["--format", "csv", "commands.sql"])
        .run()
        .succeeds();
    assert!(text.contains("update_postimage,2,B"), "{text}");
    assert!(text.contains("\n0,"), "{text}");
}

#[test]
fn only_files_that_differ_are_read() {
    let lake = changed();
    let folder = lake.path().join("t");
    // The file of version 1 is in both versions: it is not looked at.
    let commit = lake.read("t/_delta_log/00000000000000000001.json");
    let name = commit
        .split("\"path\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    std::fs::write(folder.join(name), "no Parquet at all").unwrap();
    check(&lake, "diff table t version 1 to 2", "insert,4,d");
    let run = lake.shell(["-c", "diff table t version 0 to 1"]).run();
    assert!(!run.status.success());
}

#[test]
fn columns_that_come_and_go_are_counted_and_compared() {
    let lake = Lake::project();
    lake.does(
        "create table t using delta location 't' as select 1 as id, 2 as gone, 'x' as kept;
         create or replace table t using delta location 't' as select 1 as id, 'x' as kept, 1.5 as come;",
    );
    check(
        &lake,
        "diff table t version 0 to 1 on (id)",
        "update_preimage,1,x,,2 update_postimage,1,x,1.5,",
    );
    let summary =
        lake.rows("select item, name, count from table_diff_summary('t', 0, 1, keys => ['id'])");
    for line in [
        "column_dropped,gone,",
        "column_added,come,",
        "files_removed,,1",
        "files_added,,1",
        "files_unchanged,,0",
        "rows_inserted,,0",
        "rows_deleted,,0",
        "rows_updated,,1",
    ] {
        assert!(
            summary.lines().any(|found| found == line),
            "{line}: {summary}"
        );
    }
    assert_eq!(
        lake.rows("diff summary table t version 0 to 0")
            .lines()
            .count(),
        6
    );
}

#[test]
fn nested_values_are_compared_too() {
    let lake = Lake::project();
    lake.does(
        "create table t using delta location 't' as
            select 1 as id, [1, 2] as list, {'a': 1} as record, MAP {'k': 1} as map;
         create or replace table t using delta location 't' as
            select 1 as id, [1, 3] as list, {'a': 1} as record, MAP {'k': 1} as map;",
    );
    let types = lake.rows(
        "select _change_type, id, list[2] from table_diff('t', 0, 1, keys => ['id']) order by 3",
    );
    assert_eq!(types, "update_preimage,1,2\nupdate_postimage,1,3\n");
}

#[test]
fn what_cannot_be_compared_says_why() {
    let lake = changed();
    lake.does("create view v as select 1 as n");
    for (sql, reason) in [
        (
            "diff table t version 0 to 99",
            "its log holds versions 0 to 5",
        ),
        (
            "diff table t version -1 to 2",
            "a version is a whole number from 0",
        ),
        ("diff table t version 0", "expected to"),
        ("diff table t version 1 to 2 on (idd)", "did you mean `id`?"),
        ("diff table v version 0 to 1", "is a view"),
        (
            "diff table t timestamp 'x' to 'y'",
            "is not a moment in time",
        ),
        ("select * from table_diff('t', 0)", "needs `to`"),
        (
            "select * from table_diff('t', 0, 1, key => 'id')",
            "has no argument `key`",
        ),
        (
            "select * from table_changes('t', 0)",
            "has no change data feed",
        ),
        (
            "select * from table_changes('t', 0)",
            "delta.enableChangeDataFeed",
        ),
    ] {
        let stderr = lake.refuses(sql);
        assert!(stderr.contains(reason), "{sql}: {stderr}");
    }
}

#[test]
fn the_change_data_feed_is_the_other_readers() {
    let lake = Lake::project();
    let fed = lake.path().join("fed");
    let answer = python("past_delta.py", &[&fed, &fed]);
    let sql = "select _commit_version, _change_type, id, name from table_changes('./fed', 0)";
    let mut found: Vec<_> = lake
        .rows(sql)
        .lines()
        .map(|line| format!("{line}\n"))
        .collect();
    found.sort();
    assert_eq!(found.concat(), python_lines(&answer, "feed"));
    for (range, expected) in [
        ("1, 1", "2"),
        ("2, 3", "2"),
        ("from => 3", "1"),
        ("'1999-01-01', '2999-01-01'", "7"),
    ] {
        let range = range.replace("from => 3", "3");
        assert_eq!(
            lake.rows(&format!(
                "select count(*) from table_changes('./fed', {range})"
            )),
            format!("{expected}\n"),
            "{range}"
        );
    }
    let stderr = lake.refuses("select * from table_changes('./fed', 3, 1)");
    assert!(stderr.contains("no version of"), "{stderr}");
}
