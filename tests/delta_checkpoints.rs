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
