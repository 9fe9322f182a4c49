//! CACHE TABLE: rows that are kept, let go when their source changes, and never beyond their share.

use std::sync::Arc;

use lakesh_engine::session::Session;

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// The storage, rows, whether there are bytes in memory and on disk, hits and misses of a cached table.
async fn cached(session: &Arc<Session>, name: &str) -> Vec<String> {
    let sql = format!(
        "select storage, \"rows\", memory_bytes > 0, disk_bytes > 0, hits, misses, sources
         from system.cache where name = '{name}'"
    );
    run(session, &sql).await.unwrap().rows.concat()
}

async fn value(session: &Arc<Session>, sql: &str) -> String {
    run(session, sql).await.unwrap().rows[0][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_kept_until_their_source_changes() {
    let lake = Lake::project();
    let session = session_in(&lake);
    run(&session, "create table t (id bigint) using delta")
        .await
        .unwrap();
    run(
        &session,
        "insert into t select value from generate_series(1, 1000)",
    )
    .await
    .unwrap();
    let kept = run(&session, "cache table t").await.unwrap();
    assert_eq!(kept.summary.rows, Some(1000));
    let sum = "select sum(id) from t where id > 10";
    assert_eq!(value(&session, sum).await, "500445");
    assert_eq!(value(&session, sum).await, "500445");
    assert_eq!(
        cached(&session, "t").await,
        ["memory_and_disk", "1000", "true", "false", "2", "0", "t@v1"]
    );
    let plan = run(&session, &format!("explain {sum}")).await.unwrap();
    let text = plan.rows.concat().join("\n");
    assert!(
        text.contains("CachedScanExec: table=t, rows=1000"),
        "{text}"
    );

    run(&session, "insert into t values (100000)")
        .await
        .unwrap();
    assert_eq!(value(&session, sum).await, "600445");
    let after = cached(&session, "t").await;
    assert_eq!(after[1], "1001");
    assert_eq!(after[5..], ["1", "t@v2"]);
    assert_eq!(value(&session, "select count(*) from t@v1").await, "1000");

    run(&session, "uncache table t").await.unwrap();
    assert!(cached(&session, "t").await.is_empty());
    assert!(run(&session, "uncache table t").await.is_err());
    run(&session, "uncache table if exists t").await.unwrap();
    assert_eq!(value(&session, "select count(*) from t").await, "1001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lazy_query_is_computed_when_it_is_read() {
    let lake = Lake::project();
    let session = session_in(&lake);
    let write = |last: u32| {
        format!(
            "copy (select value as id from generate_series(1, {last})) to 'numbers/{last}.parquet'"
        )
    };
    run(&session, &write(10)).await.unwrap();
    run(
        &session,
        "cache lazy table evens options ('storage' = 'disk') as
         select id from 'numbers/*.parquet' where id % 2 = 0",
    )
    .await
    .unwrap();
    assert_eq!(cached(&session, "evens").await[1], "NULL");
    assert_eq!(value(&session, "select count(*) from evens").await, "5");
    assert_eq!(
        cached(&session, "evens").await[..6],
        ["disk", "5", "false", "true", "0", "1"]
    );
    let twice = "select count(*) from evens a join evens b on a.id = b.id";
    assert_eq!(value(&session, twice).await, "5");
    // A file more, and the rows are others.
    run(&session, &write(20)).await.unwrap();
    assert_eq!(value(&session, "select count(*) from evens").await, "15");
    assert!(
        run(&session, "cache table evens as select 1 as a")
            .await
            .is_ok()
    );
    assert_eq!(value(&session, "select a from evens").await, "1");
    let cleared = run(&session, "clear cache").await.unwrap();
    assert_eq!(cleared.summary.counts, [("tables".to_owned(), 1)]);
    assert!(run(&session, "select * from evens").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_share_is_kept_and_what_does_not_fit_goes_to_files() {
    let lake = Lake::project();
    let session = session_in(&lake);
    run(&session, "set lakesh.memory_limit = '64MB'")
        .await
        .unwrap();
    run(&session, "set lakesh.cache_share = '10%'")
        .await
        .unwrap();
    let query =
        "select value as id, 'text number ' || value as text from generate_series(1, 400000)";
    let refused = run(
        &session,
        &format!("cache table big options ('storage' = 'memory') as {query}"),
    )
    .await;
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("cache"), "{message}");
    run(&session, &format!("cache table big as {query}"))
        .await
        .unwrap();
    let found = run(
        &session,
        "select memory_bytes <= 64 * 1000 * 1000 / 10 * 1.05, disk_bytes > 1000000, \"rows\" from system.cache",
    )
    .await
    .unwrap();
    assert_eq!(found.rows, [["true", "true", "400000"]]);
    let check = "select count(*), sum(id), count(distinct text) from big";
    let row = run(&session, check).await.unwrap().rows.concat();
    assert_eq!(row, ["400000", "80000200000", "400000"]);
    run(&session, "clear cache").await.unwrap();
    // Nothing is held any more.
    let used = run(
        &session,
        "select value from system.session where name = 'memory_used'",
    )
    .await
    .unwrap();
    assert_eq!(used.rows.concat(), ["0 B"]);
    let temp = run(
        &session,
        "select value from system.session where name = 'temp_used'",
    )
    .await
    .unwrap();
    assert_eq!(temp.rows.concat(), ["0 B"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_uses_are_refused() {
    let lake = Lake::project();
    let session = session_in(&lake);
    run(&session, "create table t as select 1 as a")
        .await
        .unwrap();
    for (sql, reason) in [
        ("cache table missing", "not found"),
        ("cache table t as select 1", "is there already"),
        ("cache table t options ('storage' = 'tape')", "`tape`"),
        ("cache table t options ('level' = 'disk')", "`level`"),
        ("set lakesh.cache_share = '95%'", "0%"),
    ] {
        let message = run(&session, sql).await.err().unwrap().to_string();
        assert!(message.contains(reason), "{sql}: {message}");
    }
}

#[test]
fn rows_that_cannot_be_computed_fail_alike_for_all_who_share_them() {
    let lake = Lake::project();
    lake.does("create table t as select value as k from generate_series(1, 10)");
    lake.does("insert into t values (9223372036854775807)");
    let said = lake.refuses(
        "set datafusion.execution.target_partitions = 4; \
         with c as materialized (select distinct k + 1 as k from t) \
         select count(*) from c a join c b on a.k = b.k where (select max(k) from c) > 1",
    );
    assert!(said.contains("out of range"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
