//! Checkpoints that nobody asked for.

use std::path::Path;

use crate::support::Lake;

/// The versions that have a checkpoint.
fn checkpoints(table: &Path) -> Vec<u64> {
    let mut versions: Vec<u64> = std::fs::read_dir(table.join("_delta_log"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let (version, rest) = name.split_once('.')?;
            rest.starts_with("checkpoint")
                .then(|| version.parse().unwrap())
        })
        .collect();
    versions.sort();
    versions
}

fn inserts(count: usize) -> String {
    "insert into t values (1);".repeat(count)
}

#[test]
fn commits_are_followed_by_checkpoints() {
    let lake = Lake::project();
    lake.does("create table t (n bigint) location 't'");
    let table = lake.path().join("t");
    lake.does(&inserts(8));
    assert!(checkpoints(&table).is_empty());
    lake.does(&inserts(14));
    assert_eq!(checkpoints(&table), [9, 19]);
    lake.does("alter table t set tblproperties ('delta.checkpointInterval' = '3')");
    lake.does("optimize t; update t set n = 2; delete from t where n = 2");
    assert_eq!(checkpoints(&table), [9, 19, 24]);
    assert_eq!(lake.rows("select count(*) from t"), "0\n");
    assert_eq!(lake.rows("select count(*) from t version as of 22"), "22\n");
}

#[test]
fn a_checkpoint_that_cannot_be_written_fails_no_commit() {
    let lake = Lake::project();
    lake.does("create table t (n bigint) location 't'");
    let table = lake.path().join("t");
    let place = table.join("_delta_log/00000000000000000009.checkpoint.parquet");
    std::fs::create_dir_all(place.join("in the way")).unwrap();
    lake.does(&inserts(9));
    assert_eq!(lake.rows("select sum(n) from t"), "9\n");
    std::fs::remove_dir_all(place).unwrap();
    lake.does(&inserts(1));
    assert_eq!(checkpoints(&table), [10]);
    assert_eq!(lake.rows("select sum(n) from t"), "10\n");
}

#[test]
fn whoever_reads_very_many_commits_writes_a_checkpoint_unless_read_only() {
    let lake = Lake::project();
    lake.does("create table t (n bigint) location 't'; insert into t values (7)");
    let table = lake.path().join("t");
    for version in 2..120 {
        let entry =
            format!("{{\"commitInfo\":{{\"timestamp\":{version},\"operation\":\"WRITE\"}}}}\n");
        lake.write(&format!("t/_delta_log/{version:020}.json"), entry);
    }
    let read = ["--readonly", "--format", "csv", "-c", "select * from t"];
    assert_eq!(lake.shell(read).run().succeeds(), "n\n7\n");
    assert!(checkpoints(&table).is_empty());
    assert_eq!(lake.rows("select * from t"), "7\n");
    assert_eq!(checkpoints(&table), [119]);
    assert_eq!(lake.rows("select * from t"), "7\n");
}

#[test]
fn a_checkpoint_that_is_gone_is_not_needed_where_the_commits_are_there() {
    let lake = Lake::project();
    lake.does("create table t (n bigint) location 't'");
    lake.does(&inserts(12));
    let table = lake.path().join("t");
    assert_eq!(checkpoints(&table), [9]);
    let log = table.join("_delta_log");
    std::fs::remove_file(log.join("00000000000000000009.checkpoint.parquet")).unwrap();
    assert!(log.join("_last_checkpoint").exists());
    let told = [
        ("select sum(n) from t", "12\n"),
        ("select sum(n) from t version as of 10", "10\n"),
    ];
    for (sql, expect) in told {
        assert_eq!(lake.rows(sql), expect, "{sql}");
    }
    lake.does("insert into t values (1); update t set n = 2; delete from t where n = 3");
    assert_eq!(lake.rows("select sum(n) from t"), "26\n");
    // Without the commits before it nothing replaces a checkpoint.
    let gone = lake.path().join("t/_delta_log/00000000000000000003.json");
    std::fs::remove_file(gone).unwrap();
    for version in checkpoints(&table) {
        std::fs::remove_file(log.join(format!("{version:020}.checkpoint.parquet"))).unwrap();
    }
    let error = lake.shell(["-c", "select sum(n) from t"]).run();
    assert!(!error.status.success(), "{}", error.stderr);
}

#[test]
fn statistics_that_are_no_json_are_none() {
    let lake = Lake::project();
    lake.does("create table t (n bigint, s varchar) location 't'");
    lake.does("insert into t values (1, 'a'), (2, 'b'); insert into t values (7, 'c')");
    let first = lake.path().join("t/_delta_log/00000000000000000001.json");
    let commit = std::fs::read_to_string(&first).unwrap();
    let lines = commit.lines().map(|line| {
        let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(add) = action.get_mut("add") {
            assert!(add["stats"].as_str().unwrap().contains("numRecords"));
            add["stats"] = "{\"numRecords\": 2, \"minValues\": {".into();
        }
        action.to_string()
    });
    let broken = lines.collect::<Vec<_>>().join("\n");
    std::fs::write(&first, broken + "\n").unwrap();
    for (sql, expect) in [
        (
            "select count(*), min(n), max(n), sum(n) from t",
            "3,1,7,10\n",
        ),
        ("select s from t where n = 2", "b\n"),
        ("select count(*) from t where n > 5", "1\n"),
    ] {
        assert_eq!(lake.rows(sql), expect, "{sql}");
    }
    lake.does("update t set n = 3 where n = 2; insert into t values (4, 'd'); optimize t");
    assert_eq!(lake.rows("select count(*), sum(n) from t"), "4,15\n");
}
