//! Delta tables that the Python package `deltalake` wrote, against what its own reader finds.

use serde_json::{Value, json};

use crate::support::{Lake, python, python_lines};

fn tables() -> (Lake, Value) {
    let lake = Lake::project();
    let answer = python("write_delta.py", &[&lake.path()]);
    (lake, answer)
}

#[test]
fn tables_of_another_writer_give_its_rows() {
    let (lake, answer) = tables();
    let queries = [
        (
            "partitions",
            "select id, part, day from 'partitions' order by id",
        ),
        (
            "checkpoint",
            "select id, commit from 'checkpoint' order by id",
        ),
        (
            "many_commits",
            "select id from read_delta('many_commits') order by id",
        ),
        (
            "types",
            "select id, amount, small, at_zone, at, day, tiny, short, flag, name from 'types' order by id",
        ),
        (
            "nested",
            "select id, list[1] as first, point['x'] as x, point['inner']['y'] as y, map['l'] as l from 'nested' order by id",
        ),
        ("evolution", "select id, added from 'evolution' order by id"),
        ("overwritten", "select id from 'overwritten' order by id"),
        (
            "overwritten_first",
            "select id from 'overwritten' version as of 0 order by id",
        ),
        ("empty", "select id, name from 'empty'"),
        (
            "odd_place",
            "select id, p from 'odd place Ünï=code +😀#1' order by id",
        ),
    ];
    let mut differences = String::new();
    for (name, sql) in queries {
        let run = lake.shell(["--format", "csv", "-c", sql]).run();
        let found: String = run
            .text()
            .lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect();
        let expected = python_lines(&answer, name);
        if !run.status.success() || found != expected {
            differences.push_str(&format!(
                "-- {sql}\nexpected\n{expected}found\n{found}{}\n",
                run.stderr
            ));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn a_partition_is_found_by_its_value() {
    let (lake, answer) = tables();
    let all = python_lines(&answer, "partitions");
    for value in [
        "with space",
        "a/b",
        "50%",
        "k=v",
        "Ünïcode 😀",
        "#?&+",
        "2024-01-01 00:00:00",
    ] {
        let expected: String = all
            .lines()
            .filter(|line| line.contains(&format!(",{value},")))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(expected.lines().count(), 4, "{value}");
        assert_eq!(
            lake.rows(&format!(
                "select * from 'partitions' where part = '{value}' order by id"
            )),
            expected
        );
    }
    assert_eq!(
        lake.rows("select count(*) from 'partitions' where part is null"),
        "4\n"
    );
    assert_eq!(
        lake.rows("select count(*) from 'partitions' where day = '2024-01-02'"),
        "20\n"
    );
}

#[test]
fn a_named_table_reads_its_newest_version() {
    let (lake, _) = tables();
    lake.does("create external table kept stored as delta location 'overwritten'");
    assert_eq!(lake.rows("select * from kept order by id"), "7\n8\n9\n");
    python("append_delta.py", &[&lake.path().join("overwritten")]);
    assert_eq!(lake.rows("select count(*) from kept"), "4\n");
    assert_eq!(
        lake.rows("select count(*) from kept version as of 0"),
        "2\n"
    );
    assert_eq!(lake.rows("select (select count(*) from kept version as of 0) as a, (select count(*) from kept version as of 1) as b, count(*) as c from kept"), "2,3,4\n");
}

#[test]
fn a_version_that_is_not_there_is_an_error() {
    let (lake, _) = tables();
    for version in [
        "version as of 99",
        "timestamp as of '1999-01-01'",
        "version as of 'nonsense'",
    ] {
        let stderr = lake.refuses(&format!("select * from 'overwritten' {version}"));
        assert!(stderr.contains("overwritten"), "{version}: {stderr}");
    }
}

#[test]
fn the_other_reader_finds_the_same_rows_in_our_table() {
    let lake = Lake::project();
    lake.does(
        "create table ours using delta location 'ours' as
           select value as id, value % 3 = 0 as flag, 'part ' || (value % 2) as part from generate_series(1, 1000)",
    );
    let answer = python("read_delta.py", &[&lake.path().join("ours")]);
    assert_eq!(answer["rows"], 1000);
    assert_eq!(answer["sum"], 500_500);
    assert_eq!(answer["flags"], 333);
}

/// Puts bounds into a table's log as other writers leave them: moments cut to milliseconds, texts shortened,
/// numbers through doubles, no NaN.
fn with_loose_bounds(lake: &Lake) {
    let name = "t/_delta_log/00000000000000000001.json";
    let mut loosened = 0;
    let lines: Vec<String> = lake
        .read(name)
        .lines()
        .map(|line| {
            let mut action: Value = serde_json::from_str(line).unwrap();
            if let Some(statistics) = action.pointer_mut("/add/stats") {
                let mut known: Value = serde_json::from_str(statistics.as_str().unwrap()).unwrap();
                known["minValues"] = json!({"i": 1, "d": 1.2345, "f": 1.5, "s": "abc",
                    "at": "2024-01-01T00:00:00.123"});
                known["maxValues"] = json!({"i": 2, "d": 1.2345, "f": 1.5, "s": "abc\u{10ffff}",
                    "at": "2024-01-01T00:00:00.123"});
                *statistics = Value::String(known.to_string());
                loosened += 1;
            }
            action.to_string()
        })
        .collect();
    assert_eq!(loosened, 1);
    lake.write(name, lines.join("\n") + "\n");
}

#[test]
fn bounds_that_do_not_hold_make_no_constants() {
    let lake = Lake::project();
    lake.does(
        "create table t (i bigint, d decimal(20, 4), f double, at timestamp, s varchar)
            using delta location 't';
        insert into t values
            (1, 1.2345, 1.5, timestamp '2024-01-01 00:00:00.123456', 'abcdef'),
            (2, 1.2399, cast('NaN' as double), timestamp '2024-01-01 00:00:00.123999', 'abcxyz')",
    );
    with_loose_bounds(&lake);
    for (query, expected) in [
        (
            "where at >= timestamp '2024-01-01 00:00:00.123' order by at desc",
            "2\n1\n",
        ),
        ("where at > timestamp '2024-01-01 00:00:00.123998'", "2\n"),
        ("where at = timestamp '2024-01-01 00:00:00.123456'", "1\n"),
        ("where at > timestamp '2024-01-01 00:00:00.124'", ""),
        ("where d >= 1.2345 order by d desc", "2\n1\n"),
        ("where d = 1.2399", "2\n"),
        ("where f >= 1.5 order by f desc", "2\n1\n"),
        ("where f > 100", "2\n"),
        ("where s >= 'abc' order by s desc", "2\n1\n"),
        ("where s = 'abcxyz'", "2\n"),
        ("where i >= 2 order by i", "2\n"),
        ("where i > 2", ""),
    ] {
        let rows = lake.rows(&format!("select i from t {query}"));
        assert_eq!(rows, expected, "{query}");
    }
    lake.does(
        "update t set i = i + 10 where at >= timestamp '2024-01-01 00:00:00.123';
        delete from t where d >= 1.2399",
    );
    let rows = lake.rows("select i, d, f, at, s from t");
    assert_eq!(rows, "11,1.2345,1.5,2024-01-01 00:00:00.123456,abcdef\n");
}
