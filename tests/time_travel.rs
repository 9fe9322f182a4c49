//! Time travel: every version gives exactly its rows, wherever a table can stand, and none is dropped.

use crate::support::{Lake, python};

/// A table whose version `n` holds the rows 1 to `n`.
fn growing(versions: usize) -> Lake {
    let lake = Lake::project();
    let mut script = String::from("create table t (id bigint) using delta location 't';\n");
    for id in 1..=versions {
        script.push_str(&format!("insert into t values ({id});\n"));
    }
    lake.write("fill.sql", script);
    lake.shell(["--format", "none", "fill.sql"])
        .run()
        .succeeds();
    lake
}

#[test]
fn each_of_200_versions_has_exactly_the_rows_of_its_moment() {
    let lake = Lake::project();
    python("grow_delta.py", &[&lake.path().join("t")]);
    let times = lake.rows("select timestamp from table_history('./t') order by version");
    let times: Vec<&str> = times.lines().collect();
    assert_eq!(times.len(), 201);
    // A program has a deadline, and opening so many versions takes a while without optimization.
    for (part, times) in times.chunks(50).enumerate() {
        let mut script = String::new();
        let mut expected = String::new();
        for (position, time) in times.iter().enumerate() {
            let version = part * 50 + position;
            let sum = version * (version + 1) / 2;
            let mut at = vec![format!("version as of {version}")];
            if version % 8 == 0 {
                at.push(format!("timestamp as of '{time}'"));
            }
            for at in at {
                script.push_str(&format!(
                    "select count(*), coalesce(sum(id), 0), coalesce(max(id), 0) from 't' {at};\n"
                ));
                expected.push_str(&format!("{version},{sum},{version}\n"));
            }
        }
        lake.write("read.sql", script);
        let arguments = ["--format", "csv", "read.sql"];
        let run = lake.shell(arguments).run().succeeds();
        let found: String = run
            .lines()
            .filter(|line| !line.is_empty() && !line.contains("count"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn no_place_of_a_table_drops_a_version() {
    let lake = growing(3);
    lake.does(
        "create table other (id bigint) using delta;
         create view old as select * from t version as of 1;
         create view twice as select * from old union all select * from t@v2;
         create table copied as select * from t version as of 2;",
    );
    for (sql, expected) in [
        ("select count(*) from t", "3"),
        ("select count(*) from t version as of 1", "1"),
        ("select count(*) from t for version as of 1", "1"),
        ("select count(*) from t version as of (1 + 0)", "1"),
        ("select count(*) from t version as of cast('1' as int)", "1"),
        ("select count(*) from t@v1", "1"),
        ("select count(*) from main.t@v1", "1"),
        ("select count(*) from \"t\"@v1", "1"),
        ("select count(*) from t @v1", "1"),
        ("select count(*) from t @v1 as x", "1"),
        ("select count(*) from 't' version as of 1", "1"),
        ("select count(*) from 't'@v1", "1"),
        ("select count(*) from read_delta('t', version => 1)", "1"),
        ("from t version as of 1 select count(*)", "1"),
        (
            "select count(*) from t version as of 1 a, t version as of 2 b",
            "2",
        ),
        (
            "select count(*) from t a join t version as of 2 b on a.id = b.id",
            "2",
        ),
        (
            "select count(*) from t version as of 1 a left join t@v2 b using (id)",
            "1",
        ),
        (
            "select count(*) from t a where id in (select id from t version as of 1)",
            "1",
        ),
        (
            "select count(*) from t a where exists (select 1 from t version as of 0)",
            "0",
        ),
        ("select (select count(*) from t version as of 2)", "2"),
        (
            "select count(*) from (select * from t version as of 2) s",
            "2",
        ),
        (
            "select count(*) from (t version as of 2 a cross join t version as of 1 b)",
            "2",
        ),
        (
            "with c as (select * from t version as of 1) select count(*) from c",
            "1",
        ),
        (
            "with t as (select * from t version as of 1) select count(*) from t",
            "1",
        ),
        (
            "with recursive r as (select 1 as n union all select n + 1 from r where n < (select count(*) from t version as of 2)) select max(n) from r",
            "2",
        ),
        (
            "select count(*) from (select id from t version as of 1 union all select id from t version as of 2)",
            "3",
        ),
        (
            "select count(*) from (select id from t except select id from t version as of 2)",
            "1",
        ),
        (
            "select count(*) from (select id from t intersect select id from t@v2)",
            "2",
        ),
        (
            "select count(*) from t left join lateral (select max(id) as m from t version as of 2 u where u.id = t.id) l on true where m is not null",
            "2",
        ),
        (
            "select count(*) from t where id > all (select id from t version as of 2 u)",
            "1",
        ),
        (
            "select max(c) from (select count(*) over () as c from t version as of 2)",
            "2",
        ),
        ("select count(*) from old", "1"),
        ("select count(*) from twice", "3"),
        ("select count(*) from copied", "2"),
        (
            "insert into other select * from t version as of 2; select count(*) from other",
            "2",
        ),
        (
            "copy (select * from t version as of 1) to 'one.parquet'; select count(*) from 'one.parquet'",
            "1",
        ),
        (
            "copy t version as of 1 to 'two.parquet'; select count(*) from 'two.parquet'",
            "1",
        ),
        (
            "create or replace table made as select * from t@v2; select count(*) from made",
            "2",
        ),
        ("select \"count\" from (summarize t version as of 2)", ""),
    ] {
        let run = lake.shell(["--format", "csv", "-c", sql]).run();
        match expected {
            // Not a place of a table: an error, never today's rows.
            "" => drop(run.fails(1)),
            expected => {
                let text = run.succeeds();
                assert_eq!(text.lines().last(), Some(expected), "{sql}");
            }
        }
    }
    assert_eq!(
        lake.rows("summarize t version as of 2").split(',').nth(3),
        Some("2")
    );
    for sql in [
        "describe t version as of 99",
        "summarize t version as of 99",
        "explain select * from t version as of 99",
        "create view broken as select * from t version as of 99",
        "create table broken as select * from t@v99",
        "insert into other select * from t@v99",
        "copy (select * from t@v99) to 'x.parquet'",
        "select count(*) from \"t\"@v99",
        "select count(*) from t @v99",
    ] {
        let stderr = lake.refuses(sql);
        assert!(
            stderr.contains("no version 99; its log holds versions 0 to 3"),
            "{sql}: {stderr}"
        );
    }
    for sql in [
        "insert into t version as of 1 values (9)",
        "insert into t@v1 values (9)",
        "drop table t version as of 1",
        "drop table t@v1",
        "select * from old version as of 0",
        "select * from 'one.parquet' version as of 0",
        "select * from generate_series(1, 2) version as of 0",
        "select * from (select 1) s version as of 0",
        "select 1 as x version as of 0",
        "show tables version as of 1",
        "select * from system.tables version as of 1",
        "select * from t version as of 1.5",
        "select * from t version as of null",
        "select * from t version as of id",
        "select * from t timestamp as of 'yesterday'",
        "select * from t timestamp as of 7",
    ] {
        lake.refuses(sql);
    }
    assert_eq!(lake.rows("select count(*) from t"), "3\n");
}

#[test]
fn versions_and_moments_are_parameters_too() {
    let lake = growing(3);
    for (parameter, sql, expected) in [
        ("v=2", "select count(*) from t version as of $v", "2"),
        (
            "v=1",
            "select count(*) from t for version as of $v + 1 x",
            "2",
        ),
        (
            "m=2999-01-01",
            "select count(*) from t timestamp as of $m",
            "3",
        ),
        (
            "m:text=2999-01-01 00:00",
            "select count(*) from t for system_time as of $m",
            "3",
        ),
        (
            "m:timestamp=2999-01-01 00:00:00",
            "select count(*) from t timestamp as of $m + interval '1' day",
            "3",
        ),
    ] {
        let arguments = ["--format", "csv", "--param", parameter, "-c", sql];
        let text = lake.shell(arguments).run().succeeds();
        assert_eq!(text.lines().last(), Some(expected), "{parameter} {sql}");
    }
    let stderr = lake.refuses("select * from t version as of $v");
    assert!(stderr.contains("`$v`"), "{stderr}");
}

#[test]
fn a_session_can_look_at_the_past() {
    let lake = growing(3);
    lake.does("copy (select 1 as n) to 'plain.parquet'; create view all_of_t as select * from t");
    let time = lake.rows("select timestamp from table_history('t') where version = 2");
    let past = format!(
        "set lakesh.as_of = timestamp '{}';",
        time.trim().trim_end_matches("+00:00")
    );
    for (sql, expected) in [
        ("select count(*) from t", "2"),
        ("select count(*) from 't'", "2"),
        ("select count(*) from all_of_t", "2"),
        ("select count(*) from read_delta('t')", "2"),
        ("select count(*) from t version as of 3", "3"),
        ("select count(*) from read_delta('t', version => 3)", "3"),
        ("select \"numFiles\" from table_detail('t')", "2"),
        (
            "select value from system.session where name = 'read_only'",
            "true",
        ),
        (
            "set lakesh.as_of_strict = false; select count(*) from 'plain.parquet'",
            "1",
        ),
        ("reset lakesh.as_of; select count(*) from t", "3"),
        ("set lakesh.as_of = latest; select count(*) from t", "3"),
        (
            "set lakesh.as_of = now() + interval '1' hour; select count(*) from t",
            "3",
        ),
        (
            "set lakesh.as_of = date '2999-01-01'; show lakesh.as_of",
            "lakesh.as_of,2999-01-01T00:00:00Z",
        ),
        (
            "set time zone '+02:00'; set lakesh.as_of = '2999-01-01'; show lakesh.as_of",
            "lakesh.as_of,2998-12-31T22:00:00Z",
        ),
    ] {
        let sql = format!("{past} {sql}");
        let text = lake.shell(["--format", "csv", "-c", &sql]).run().succeeds();
        assert_eq!(text.lines().last(), Some(expected), "{sql}");
    }
    for (sql, reason) in [
        (
            "insert into t values (9)",
            "INSERT is refused while the session is at",
        ),
        (
            "create table u as select 1 as n",
            "is refused while the session is at",
        ),
        ("restore t to version as of 1", "RESTORE is refused"),
        ("select * from 'plain.parquet'", "has no history"),
        (
            "select * from read_parquet('plain.parquet')",
            "has no history",
        ),
        (
            "set lakesh.as_of = '1999-01-01'; select * from t",
            "its log holds versions 0 of",
        ),
        ("set lakesh.as_of = 'nonsense'", "is not a moment in time"),
    ] {
        let stderr = lake.refuses(&format!("{past} {sql}"));
        assert!(stderr.contains(reason), "{sql}: {stderr}");
    }
}

#[test]
fn a_limit_without_columns_is_kept() {
    let lake = growing(3);
    assert_eq!(lake.rows("select 1 from t limit 2"), "1\n1\n");
    assert_eq!(
        lake.rows("select count(*) from (select 1 from t limit 2)"),
        "2\n"
    );
}
