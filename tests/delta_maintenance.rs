//! RESTORE, OPTIMIZE, VACUUM, CHECKPOINT, DESCRIBE HISTORY and DETAIL, against the Python package
//! `deltalake`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Lake, python, python_lines};

const FILLED: &str =
    "create table t (id bigint, p bigint, name varchar) partitioned by (p) location 't';
    insert into t values (1, 0, 'a'), (2, 1, 'b'), (3, 0, 'c');
    insert into t values (4, 0, 'd'), (5, 1, 'e');
    insert into t values (6, 0, null);";

fn filled() -> Lake {
    let lake = Lake::project();
    lake.does(FILLED);
    lake
}

/// What the other reader finds.
fn other(lake: &Lake) -> Value {
    python("past_delta.py", &[&lake.path().join("t")])
}

/// Our rows as the other reader writes them: sorted lines, columns by name.
fn ours(lake: &Lake, table: &str) -> String {
    let mut lines: Vec<_> = lake
        .rows(&format!("select id, name, p from {table}"))
        .lines()
        .map(|line| format!("{line}\n"))
        .collect();
    lines.sort();
    lines.concat()
}

#[track_caller]
fn same_rows(lake: &Lake) -> Value {
    let answer = other(lake);
    assert_eq!(ours(lake, "t"), python_lines(&answer, "rows"));
    answer
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn data_files(lake: &Lake) -> usize {
    let all = files(&lake.path().join("t"));
    all.iter()
        .filter(|path| {
            path.extension().is_some_and(|end| end == "parquet")
                && !path.to_string_lossy().contains("_delta_log")
        })
        .count()
}

#[test]
fn history_and_detail_agree_with_the_other_reader() {
    let lake = filled();
    let answer = same_rows(&lake);
    let history = lake.rows("describe history t");
    let shown: String = history
        .lines()
        .map(|line| {
            format!(
                "{}\n",
                [0, 4]
                    .map(|column| line.split(',').nth(column).unwrap())
                    .join(",")
            )
        })
        .collect();
    assert_eq!(shown, python_lines(&answer, "operations"));
    assert_eq!(lake.rows("describe history t limit 2").lines().count(), 2);
    assert_eq!(lake.rows("desc history 't' limit 0"), "");
    assert_eq!(
        lake.rows("select count(*), max(version) from table_history('t')"),
        "4,3\n"
    );
    assert_eq!(
        lake.rows(
            "select \"numFiles\", \"partitionColumns\"[1], format, name from table_detail('t')"
        ),
        format!("{},p,delta,t\n", answer["files"])
    );
}

#[test]
fn a_time_that_history_shows_finds_its_version() {
    let lake = filled();
    let times = lake.rows("select version, timestamp from table_history('t') order by version");
    for line in times.lines() {
        let (version, time) = line.split_once(',').unwrap();
        let at_time = format!("select count(*) from t timestamp as of '{time}'");
        let at_version = format!("select count(*) from t version as of {version}");
        assert_eq!(lake.rows(&at_time), lake.rows(&at_version), "{line}");
    }
}

#[test]
fn restore_brings_an_older_version_back() {
    let lake = filled();
    lake.does("restore table t to version as of 1");
    let answer = same_rows(&lake);
    assert_eq!(answer["rows"], answer["versions"]["1"]);
    assert_eq!(answer["version"], 4);
    assert!(python_lines(&answer, "operations").starts_with("4,RESTORE\n"));
    let time = lake.rows("select timestamp from table_history('t') where version = 3");
    lake.does(&format!("restore 't' to timestamp as of '{}'", time.trim()));
    let answer = same_rows(&lake);
    assert_eq!(answer["rows"], answer["versions"]["3"]);
    // The newest version is restored without a commit.
    lake.does("restore t to version as of 5");
    assert_eq!(
        lake.rows("select max(version) from table_history('t')"),
        "5\n"
    );
    let log = lake.read("t/_delta_log/00000000000000000005.json");
    assert!(log.contains("lakesh.operationId"), "{log}");
}

#[test]
fn optimize_changes_files_and_no_rows() {
    let lake = filled();
    let before = same_rows(&lake);
    lake.does("optimize t where p = 1");
    let answer = same_rows(&lake);
    assert_eq!(answer["rows"], before["rows"]);
    assert_eq!(
        before["files"].as_u64().unwrap() - answer["files"].as_u64().unwrap(),
        1
    );
    lake.does("optimize t");
    let answer = same_rows(&lake);
    assert_eq!(
        (&answer["rows"], &answer["files"]),
        (&before["rows"], &2.into())
    );
    lake.does("optimize t where p in (0, 1) and p is not null zorder by (id, name)");
    let answer = same_rows(&lake);
    assert_eq!(answer["rows"], before["rows"]);
    assert_eq!(answer["version"], 6);
}

#[test]
fn vacuum_deletes_what_no_version_within_the_retention_needs() {
    let lake = filled();
    lake.does("optimize t");
    let all = data_files(&lake);
    let stderr = lake.refuses("vacuum t retain 0 hours");
    assert!(
        stderr.contains("keeps deleted files for 168 hours"),
        "{stderr}"
    );
    assert!(stderr.contains("lakesh.vacuum_retention_check"), "{stderr}");
    lake.does("vacuum t");
    assert_eq!(data_files(&lake), all);
    let off = "set lakesh.vacuum_retention_check = false;";
    let listed = lake.rows(&format!("{off} vacuum t retain 0 hours dry run"));
    assert_eq!(data_files(&lake), all);
    assert!(
        listed.lines().all(|path| Path::new(path).is_file()),
        "{listed}"
    );
    lake.does(&format!("{off} vacuum t retain 0 hours"));
    assert_eq!(data_files(&lake), all - listed.lines().count());
    same_rows(&lake);
    let run = lake.shell(["-c", "select * from t version as of 2"]).run();
    let stderr = run.fails(3);
    assert!(stderr.contains("cannot read version 2 of"), "{stderr}");
    assert!(stderr.contains(".parquet` is gone"), "{stderr}");
    assert!(stderr.contains("the log holds versions 0 to 6"), "{stderr}");
    let run = lake.shell(["-c", "restore t to version as of 2"]).run();
    let stderr = run.fails(3);
    assert!(stderr.contains(".parquet` is gone"), "{stderr}");
    same_rows(&lake);
}

#[test]
fn a_checkpoint_stands_for_the_log_before_it() {
    let lake = filled();
    let before = same_rows(&lake);
    lake.does("checkpoint t");
    let log = lake.path().join("t/_delta_log");
    for version in 0..3 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    assert_eq!(ours(&lake, "t"), python_lines(&before, "rows"));
    let stderr = lake.refuses("select * from t version as of 1");
    assert!(stderr.contains("versions 3 to 3"), "{stderr}");
}

#[test]
fn what_cannot_be_done_says_why_and_leaves_the_table() {
    let lake = filled();
    lake.does("create view v as select 1 as n; copy (select 1 as n) to 'p.parquet'");
    for (sql, reason) in [
        (
            "restore t to version as of 9",
            "its log holds versions 0 to 3",
        ),
        (
            "restore t to version as of -1",
            "a version is a whole number from 0",
        ),
        (
            "restore t to timestamp as of '1999-01-01'",
            "its log holds versions 0 of",
        ),
        ("restore t", "expected to"),
        (
            "restore t to version as of 1 where true",
            "expected the end",
        ),
        ("optimize t where id = 1", "`id` is not a partition column"),
        (
            "optimize t where p = 1 or p = 0",
            "cannot choose partitions",
        ),
        ("optimize t where p = 'x'", "is not a value of type"),
        ("optimize t zorder by (nam)", "did you mean `name`?"),
        ("optimize t zorder by (p)", "is a partition column"),
        ("vacuum t retain -1 hours", "a number of hours from 0"),
        ("vacuum t retain 3", "expected hours"),
        ("vacuum v", "`v` is a view"),
        ("checkpoint 'p.parquet'", "not a Delta table"),
        ("describe history 'p.parquet'", "not a Delta table"),
        ("describe detail nothing", "table `nothing` not found"),
        (
            "drop table t version as of 1",
            "a version can stand only behind",
        ),
        (
            "checkpoint t version as of 1",
            "a version can stand only behind",
        ),
    ] {
        let stderr = lake.refuses(sql);
        assert!(stderr.contains(reason), "{sql}: {stderr}");
    }
    assert_eq!(
        lake.rows("select max(version), count(*) from table_history('t')"),
        "3,4\n"
    );
    for sql in [
        "restore t to version as of 1",
        "optimize t",
        "vacuum t",
        "checkpoint t",
    ] {
        let run = lake.shell(["--readonly", "-c", sql]).run();
        assert!(run.fails(1).contains("read-only"), "{sql}: {}", run.stderr);
    }
    let dry = ["--readonly", "--format", "csv", "-c", "vacuum t dry run"];
    lake.shell(dry).run().succeeds();
}

#[test]
fn a_script_with_these_statements_is_checked_without_running() {
    let lake = Lake::project();
    let script = "create table t as select 1 as id;
        describe history t; describe detail t; select version from table_history('t');
        restore t to version as of 0; optimize t; vacuum t retain 200 hours; checkpoint t;
        diff table t version 0 to 0 on (id); select id from table_diff('t', 0, 0);
        diff summary table t version 0 to 0;";
    lake.write("script.sql", script);
    lake.shell(["--check", "script.sql"]).run().succeeds();
}

/// Makes a file look as if it had been there for a month.
fn aged(path: &Path) {
    let month = std::time::Duration::from_secs(31 * 24 * 3600);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - month)
        .unwrap();
}

#[cfg(unix)]
#[test]
fn vacuum_deletes_what_a_killed_writer_left_half_written() {
    let lake = Lake::project();
    lake.does("create table t (id bigint) location 't'; insert into t values (1)");
    let data = lake.write("t/part-0.parquet#1", "half");
    let entry = lake.write("t/_delta_log/00000000000000000009.json#1", "half");
    let found = lake.rows(
        "select \"check\", verdict, file from table_check('t') where verdict <> 'ok' order by file",
    );
    assert_eq!(
        found,
        "orphans,note,_delta_log/00000000000000000009.json#1\norphans,note,part-0.parquet#1\n"
    );
    let off = "set lakesh.vacuum_retention_check = false;";
    lake.does("vacuum t");
    lake.does(&format!("{off} vacuum t lite retain 0 hours"));
    assert!(data.exists() && entry.exists(), "a writer may be at them");
    let listed = lake.rows(&format!("{off} vacuum t retain 0 hours dry run"));
    assert!(
        listed.contains("t/part-0.parquet#1\n") && listed.contains("09.json#1\n"),
        "{listed}"
    );
    lake.does(&format!("{off} vacuum t retain 0 hours"));
    assert!(!data.exists() && !entry.exists());
    assert_eq!(lake.rows("select id from t"), "1\n");
}

#[test]
fn vacuum_follows_no_link_out_of_the_table() {
    use std::os::unix::fs::symlink;

    let lake = filled();
    let beside = lake.path().join("beside");
    std::fs::create_dir(&beside).unwrap();
    for name in ["letter.txt", "part-0.parquet"] {
        std::fs::write(beside.join(name), "not the table's").unwrap();
        aged(&beside.join(name));
    }
    let table = lake.path().join("t");
    symlink(&beside, table.join("linked")).unwrap();
    symlink(&beside, table.join("p=0").join("deeper")).unwrap();
    symlink(beside.join("letter.txt"), table.join("linked.parquet")).unwrap();
    std::fs::write(table.join("orphan.parquet"), "nobody's").unwrap();
    aged(&table.join("orphan.parquet"));

    let listed = lake.rows("vacuum t dry run");
    assert!(listed.contains("orphan.parquet"), "{listed}");
    assert_eq!(listed.lines().count(), 1, "{listed}");
    lake.does("vacuum t");
    assert!(!table.join("orphan.parquet").exists());
    for kept in [
        "beside/letter.txt",
        "beside/part-0.parquet",
        "t/linked.parquet",
    ] {
        assert!(lake.path().join(kept).exists(), "{kept}");
    }
    same_rows(&lake);
}

#[test]
fn vacuum_deletes_nothing_that_a_log_names_outside_the_table() {
    let lake = filled();
    let beside = lake.path().join("beside");
    std::fs::create_dir(&beside).unwrap();
    for name in [
        "plain.parquet",
        "encoded.parquet",
        "absolute.parquet",
        "linked.parquet",
    ] {
        std::fs::write(beside.join(name), "not the table's").unwrap();
        aged(&beside.join(name));
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(&beside, lake.path().join("t/linked")).unwrap();
    let absolute = beside.join("absolute.parquet");
    let removals: String = [
        "../beside/plain.parquet",
        "%2e%2e/beside/encoded.parquet",
        absolute.to_str().unwrap(),
        "linked/linked.parquet",
    ]
    .map(|path| {
        format!(
            r#"{{"remove":{{"path":"{path}","deletionTimestamp":1,"dataChange":true,"extendedFileMetadata":false}}}}"#
        ) + "\n"
    })
    .concat();
    let entry =
        format!("{{\"commitInfo\":{{\"operation\":\"DELETE\",\"timestamp\":1}}}}\n{removals}");
    std::fs::write(
        lake.path().join("t/_delta_log/00000000000000000004.json"),
        entry,
    )
    .unwrap();
    let off = "set lakesh.vacuum_retention_check = false;";
    for sql in ["vacuum t lite retain 0 hours", "vacuum t retain 0 hours"] {
        // Whether it is refused or does the rest of its work, what lies outside stays.
        let run = lake.shell(["-c", &format!("{off} {sql}")]).run();
        for name in [
            "plain.parquet",
            "encoded.parquet",
            "absolute.parquet",
            "linked.parquet",
        ] {
            assert!(
                beside.join(name).exists(),
                "{sql} deleted {name}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn what_somebody_else_did_since_is_not_undone() {
    let lake = Lake::project();
    lake.does("create table t as select 1 as id");
    let binary = env!("CARGO_BIN_EXE_lakesh");
    let script = format!(
        "insert into t values (2);\n\\! {binary} --no-rc -c 'insert into t values (3)'\nundo;\n"
    );
    let stderr = lake
        .shell(["--allow-programs"])
        .input(&script)
        .run()
        .fails(1);
    assert!(
        stderr.contains("was changed since: version 1 was to be undone, and 2 is the newest"),
        "{stderr}"
    );
    let rows = lake.rows("select id from t order by id");
    assert_eq!(rows.lines().collect::<Vec<_>>(), ["1", "2", "3"]);
}
