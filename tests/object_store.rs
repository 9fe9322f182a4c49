//! Tables in an object store that speaks S3: everything that works on a disk, and writers at once.

use crate::support::{Lake, ObjectStore, Running, python, python_lines};

#[test]
fn a_delta_table_lives_in_a_bucket() {
    let store = ObjectStore::start();
    let lake = Lake::project();
    let does = |sql: &str| drop(store.shell(&lake, ["-c", sql]).run().succeeds());
    does(
        "create table t (id bigint, grp varchar, n bigint) partitioned by (grp) location 's3://lake/folder with blank/t'",
    );
    does("insert into t values (1, 'a', 1), (2, 'b', 2), (3, 'ä/ö', 3), (4, null, 4)");
    does("update t set n = n + 10 where id = 1; delete from t where id = 2");
    does(
        "merge into t using (values (3, 'ä/ö', 33), (5, 'a', 5)) s(id, grp, n) on t.id = s.id \
         when matched then update set * when not matched then insert *",
    );
    let now = "1,a,11\n3,ä/ö,33\n4,,4\n5,a,5\n";
    let newest = "select id, grp, n from t order by id";
    assert_eq!(store.rows(&lake, newest), now);
    let old = "select id, grp, n from 's3://lake/folder with blank/t' version as of 1 order by id";
    assert_eq!(store.rows(&lake, old), "1,a,1\n2,b,2\n3,ä/ö,3\n4,,4\n");

    does("optimize t; checkpoint t");
    assert_eq!(store.rows(&lake, newest), now);
    let difference = "select _change_type, id from table_diff('t', 1, 3, keys => ['id']) order by id, _change_type";
    assert_eq!(
        store.rows(&lake, difference),
        "update_postimage,1\nupdate_preimage,1\ndelete,2\n"
    );
    does("set lakesh.vacuum_retention_check = false; vacuum t retain 0 hours");
    assert_eq!(store.rows(&lake, newest), now);
    let gone = store.shell(&lake, ["-c", old]).run().fails(3);
    assert!(gone.contains("is gone"), "{gone}");

    let answer = python(
        "read_store.py",
        &[
            store.url().as_ref(),
            "s3://lake/folder with blank/t".as_ref(),
        ],
    );
    assert_eq!(
        python_lines(&answer, "rows"),
        "1,a,11\n3,ä/ö,33\n4,NULL,4\n5,a,5\n"
    );
}

#[test]
fn files_in_a_bucket_are_read_and_written() {
    let store = ObjectStore::start();
    let lake = Lake::new();
    let copy =
        "copy (select value as id, value % 2 as odd from generate_series(1, 10)) to 's3://lake/";
    let does = |sql: &str| drop(store.shell(&lake, ["-c", sql]).run().succeeds());
    does(&format!("{copy}one.parquet'"));
    does(&format!(
        "{copy}hive' stored as parquet partitioned by (odd)"
    ));
    does(&format!("{copy}delta' stored as delta"));
    for (from, rows) in [
        ("'s3://lake/one.parquet'", "10,55\n"),
        ("'s3://lake/*.parquet'", "10,55\n"),
        ("'s3://lake/hive' where odd = 1", "5,25\n"),
        ("'s3://lake/delta'", "10,55\n"),
    ] {
        let sql = format!("select count(*), sum(id) from {from}");
        assert_eq!(store.rows(&lake, &sql), rows, "{from}");
    }
    // A folder that holds files is not written over unless that is asked for.
    let again = format!("{copy}hive' stored as parquet partitioned by (odd)");
    let refused = store.shell(&lake, ["-c", &again]).run().fails(1);
    assert!(refused.contains("holds files already"), "{refused}");
    let count = "select count(*) from 's3://lake/hive'";
    does(&format!("{again} options (append true)"));
    assert_eq!(store.rows(&lake, count), "20\n");
    does(&format!("{again} options (overwrite true)"));
    assert_eq!(store.rows(&lake, count), "10\n");
    let over_delta = format!("{copy}delta' stored as parquet options (overwrite true)");
    let refused = store.shell(&lake, ["-c", &over_delta]).run().fails(1);
    assert!(refused.contains("is a Delta table"), "{refused}");
    let attached = "attach 's3://lake' as lake; select sum(id) from lake.delta";
    assert_eq!(store.rows(&lake, attached), "55\n");
    let missing = store
        .shell(&lake, ["-c", "select * from 's3://lake/none.parquet'"])
        .run()
        .fails(1);
    assert!(missing.contains("s3://lake/none.parquet"), "{missing}");
    let missing = store
        .shell(&lake, ["-c", "select * from 's3://other/t/*.parquet'"])
        .run()
        .fails(3);
    assert!(missing.contains("NoSuchBucket"), "{missing}");
}

#[test]
fn writers_to_one_bucket_do_not_lose_each_others_commits() {
    let store = ObjectStore::start();
    let lake = Lake::project();
    let table =
        "create table t (id bigint, n bigint) location 's3://lake/t'; insert into t values (1, 0)";
    store.shell(&lake, ["-c", table]).run().succeeds();
    let start = |name: &str, script: String| -> Running {
        lake.write(name, script);
        store.shell(&lake, [name]).start()
    };
    let mut writers: Vec<Running> = (1..=3)
        .map(|writer| {
            let insert =
                |number| format!("insert into t values ({}, -1);\n", writer * 100 + number);
            start(&format!("{writer}.sql"), (0..4).map(insert).collect())
        })
        .collect();
    let merge = "merge into t using (values (1)) s(id) on t.id = s.id when matched then update set n = t.n + 1;\n";
    writers.push(start("merge.sql", merge.repeat(2)));
    for writer in writers {
        writer.wait().succeeds();
    }
    let state = "select count(*), count(distinct id), max(n) from t";
    assert_eq!(store.rows(&lake, state), "13,13,2\n");
}
