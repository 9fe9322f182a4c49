//! Statements that change Delta tables: what they refuse, what they foretell, what they leave behind.

use std::sync::Arc;

use lakesh_engine::session::Session;
use serde_json::Value;

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// Runs a test against a session of its own.
fn with_session(test: impl AsyncFnOnce(Arc<Session>, &Lake)) {
    let lake = Lake::project();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let session = session_in(&lake);
        test(Arc::clone(&session), &lake).await;
        session.settle().await;
    });
}

#[test]
fn what_does_not_fit_is_refused_and_the_table_stays() {
    with_session(async |session, _| {
        for sql in [
            "CREATE TABLE e (id INT NOT NULL, name VARCHAR, v DOUBLE, CONSTRAINT positive CHECK (v > 0))",
            "INSERT INTO e VALUES (1, 'a', 1.0), (2, 'b', 2.0)",
            "CREATE VIEW w AS SELECT * FROM e",
        ] {
            run(&session, sql).await.map(drop).unwrap();
        }
        for (sql, reason) in [
            ("UPDATE e SET nme = 'x'", "table `e` has no column `nme`"),
            ("UPDATE e SET id = 1, id = 2", "column `id` is set twice"),
            ("UPDATE e SET id = 'abc'", "cannot cast 'abc' to INTEGER"),
            ("UPDATE e SET id = true", "column `id` is INTEGER"),
            ("UPDATE e SET id = 3000000000", "out of range"),
            (
                "UPDATE e SET id = NULL",
                "2 rows break a constraint of table `e`",
            ),
            (
                "UPDATE e SET v = -1.0 WHERE id = 1",
                "1 row breaks a constraint",
            ),
            (
                "INSERT INTO e VALUES (3, 'c', -3.0)",
                "1 row breaks a constraint",
            ),
            (
                "INSERT INTO e VALUES (NULL, 'c', 3.0)",
                "a constraint of table `e`",
            ),
            (
                "INSERT INTO e VALUES ('zzz', 'x', 1.0)",
                "cannot cast 'zzz'",
            ),
            ("INSERT INTO e (id, nam) VALUES (1, 'x')", "no column `nam`"),
            (
                "INSERT INTO e BY NAME SELECT 1 AS id, 2 AS x",
                "no column `x`",
            ),
            (
                "INSERT INTO e REPLACE WHERE id = 1 VALUES (5, 'x', 1.0)",
                "REPLACE WHERE",
            ),
            (
                "MERGE INTO e USING (VALUES (1, 'p'), (1, 'q')) s (id, name) ON e.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name",
                "matched by several rows of the source",
            ),
            (
                "UPDATE e SET name = s.name FROM (VALUES (1, 'p'), (1, 'q')) s (id, name) WHERE e.id = s.id",
                "matched by several rows of the source",
            ),
            (
                "MERGE INTO e USING (VALUES (1)) s (id) ON e.id = s.id WHEN MATCHED THEN UPDATE SET *",
                "the source has no column `name`",
            ),
            (
                "MERGE INTO e USING e ON true WHEN MATCHED THEN DELETE",
                "both called `e`",
            ),
            (
                "DELETE FROM e WHERE random() < 0.5",
                "another value each time",
            ),
            ("DELETE FROM e WHERE id", "not BOOLEAN"),
            (
                "DELETE FROM e VERSION AS OF 0 WHERE id = 1",
                "an old version",
            ),
            ("DELETE FROM e@v1", "an old version"),
            (
                "DELETE FROM e WHERE nonsense = 1",
                "column `nonsense` not found",
            ),
            ("DELETE FROM w", "`w` is a view"),
            (
                "ALTER TABLE e ADD COLUMN name INT",
                "has a column `name` already",
            ),
            ("ALTER TABLE e ADD CONSTRAINT small CHECK (id < 2)", "small"),
            ("CREATE TABLE d (id INT DEFAULT 1)", "DEFAULT"),
        ] {
            let failure = run(&session, sql)
                .await
                .err()
                .unwrap_or_else(|| panic!("{sql}"));
            assert!(failure.message.contains(reason), "{sql}\n{failure}");
        }
        let left = run(&session, "SELECT id, name, v FROM e ORDER BY id")
            .await
            .unwrap();
        assert_eq!(left.rows, [["1", "a", "1.0"], ["2", "b", "2.0"]]);
    });
}

#[test]
fn a_summary_counts_what_was_done() {
    with_session(async |session, _| {
        let counts = |counts: &[(&str, u64)]| {
            counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect::<Vec<_>>()
        };
        for (sql, rows, expected) in [
            (
                "CREATE TABLE t (id INT)",
                Some(0),
                vec![("files", 0), ("version", 0)],
            ),
            (
                "INSERT INTO t VALUES (1), (2), (3)",
                Some(3),
                vec![("files added", 1), ("files removed", 0), ("version", 1)],
            ),
            (
                "DELETE FROM t WHERE id = 1",
                Some(1),
                vec![
                    ("deleted", 1),
                    ("copied", 2),
                    ("files added", 1),
                    ("files removed", 1),
                    ("version", 2),
                ],
            ),
            (
                "MERGE INTO t USING (VALUES (2), (9)) s (k) ON k = id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (k)",
                Some(2),
                vec![
                    ("inserted", 1),
                    ("updated", 0),
                    ("deleted", 1),
                    ("copied", 1),
                    ("files added", 1),
                    ("files removed", 1),
                    ("version", 3),
                ],
            ),
            (
                "ALTER TABLE t ADD COLUMN name VARCHAR",
                None,
                vec![("version", 4)],
            ),
        ] {
            let answer = run(&session, sql).await.unwrap();
            assert_eq!(answer.summary.rows, rows, "{sql}");
            // A change that can do two things names both.
            let found: Vec<_> = answer.summary.counts;
            assert_eq!(found, counts(&expected), "{sql}");
        }
    });
}

#[test]
fn every_commit_has_an_operation_id_and_true_appends_are_blind() {
    with_session(async |session, lake| {
        for sql in [
            "CREATE TABLE t (id INT) LOCATION 't'",
            "INSERT INTO t VALUES (1), (2)",
            "INSERT INTO t SELECT id + 10 FROM t",
            "UPDATE t SET id = id + 1",
            "DELETE FROM t WHERE id IN (SELECT 2)",
        ] {
            run(&session, sql).await.map(drop).unwrap();
        }
        let mut blind = Vec::new();
        for version in 0..5 {
            let entry = lake.read(&format!("t/_delta_log/{version:020}.json"));
            let commit = entry
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .find_map(|action| action.get("commitInfo").cloned())
                .unwrap();
            assert!(commit["lakesh.operationId"].is_string(), "{commit}");
            if commit["isBlindAppend"] == true {
                blind.push(version);
            }
        }
        assert_eq!(blind, [1]);
    });
}

#[test]
fn explain_foretells_the_files_and_changes_nothing() {
    with_session(async |session, _| {
        for sql in [
            "CREATE TABLE t (id INT, part VARCHAR) PARTITIONED BY (part)",
            "INSERT INTO t VALUES (1, 'a'), (2, 'a'), (3, 'b')",
        ] {
            run(&session, sql).await.map(drop).unwrap();
        }
        for (sql, expected) in [
            ("EXPLAIN DELETE FROM t WHERE id = 1", vec![("part=a/", "1")]),
            (
                "EXPLAIN UPDATE t SET id = 0",
                vec![("part=a/", "2"), ("part=b/", "1")],
            ),
            (
                "EXPLAIN DELETE FROM t WHERE id IN (SELECT 3)",
                vec![("part=b/", "1")],
            ),
            (
                "EXPLAIN MERGE INTO t USING (VALUES (1)) s (k) ON k = id WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE AND part = 'b' THEN DELETE",
                vec![("part=a/", "1"), ("part=b/", "1")],
            ),
            ("EXPLAIN INSERT INTO t VALUES (4, 'c')", vec![]),
            (
                "EXPLAIN INSERT OVERWRITE t VALUES (4, 'c')",
                vec![("part=a/", "2"), ("part=b/", "1")],
            ),
        ] {
            let answer = run(&session, sql).await.unwrap();
            let found: Vec<_> = answer
                .rows
                .iter()
                .map(|row| {
                    (
                        row[0].split('/').next().unwrap().to_owned() + "/",
                        row[1].clone(),
                    )
                })
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(file, rows)| (file.to_owned(), rows.to_owned()))
                .collect();
            assert_eq!(found, expected, "{sql}");
        }
        let left = run(&session, "SELECT count(*) FROM t").await.unwrap();
        assert_eq!(left.rows, [["3"]]);
    });
}

#[test]
fn a_read_only_session_changes_nothing() {
    let lake = Lake::project();
    lake.does("CREATE TABLE t (id INT)");
    for sql in [
        "DELETE FROM t",
        "UPDATE t SET id = 1",
        "MERGE INTO t USING (SELECT 1 AS k) s ON k = id WHEN MATCHED THEN DELETE",
        "ALTER TABLE t ADD COLUMN a INT",
        "ALTER TABLE t RENAME TO u",
        "CONVERT TO DELTA 'x'",
        "INSERT OVERWRITE t VALUES (1)",
    ] {
        let run = lake.shell(["--readonly", "-c", sql]).run();
        assert!(!run.status.success(), "{sql}");
        assert!(run.stderr.contains("read-only"), "{sql}: {}", run.stderr);
    }
}

#[test]
fn writers_side_by_side_lose_nothing_and_see_no_error() {
    with_session(async |first, lake| {
        let create = "CREATE TABLE t (id INT, n INT) LOCATION 'shared'";
        run(&first, create).await.map(drop).unwrap();
        run(&first, "INSERT INTO t VALUES (0, 0)")
            .await
            .map(drop)
            .unwrap();
        let mut writers = Vec::new();
        for writer in 1..=4 {
            // Sessions of their own: what one of them remembers the others do not.
            let session = session_in(lake);
            let sql = "CREATE EXTERNAL TABLE t STORED AS DELTA LOCATION 'shared'";
            run(&session, sql).await.map(drop).unwrap();
            writers.push(tokio::spawn(async move {
                for step in 0..5 {
                    let id = writer * 100 + step;
                    let sql = match writer {
                        4 => "UPDATE t SET n = n + 1 WHERE id = 0".to_owned(),
                        3 => format!(
                            "MERGE INTO t USING (SELECT {id} AS id, 1 AS n) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *"
                        ),
                        _ => format!("INSERT INTO t VALUES ({id}, 1)"),
                    };
                    run(&session, &sql).await.map(drop).unwrap();
                }
                session.settle().await;
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let sql = "SELECT count(*), count(DISTINCT id), max(n) FROM t";
        let answer = run(&first, sql).await.unwrap();
        assert_eq!(answer.rows, [["16", "16", "5"]]);
    });
}

#[test]
fn unsigned_columns_are_written_as_numbers_that_every_reader_takes() {
    let lake = Lake::new();
    lake.does("create table small as select arrow_cast(200, 'UInt8') as a, arrow_cast(4000000000, 'UInt32') as b, arrow_cast(7, 'UInt64') as c");
    assert_eq!(lake.rows("select * from small"), "200,4000000000,7\n");
    let sql = "create table large as select arrow_cast(18446744073709551615, 'UInt64') as a";
    let stderr = lake.shell(["-c", sql]).run().fails(1);
    assert!(stderr.contains("out of range for BIGINT"), "{stderr}");
    let stderr = lake.shell(["-c", "select * from large"]).run().fails(1);
    assert!(stderr.contains("not found"), "{stderr}");
}
