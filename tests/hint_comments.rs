//! Hint comments change the plan and not the result; one that does nothing is said with its place.

use std::sync::Arc;

use futures::StreamExt;
use lakesh_engine::event::Event;
use lakesh_engine::input::{Cell, Terminator};
use lakesh_engine::session::Session;
use lakesh_engine::source::{Place, Source};

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// A large table `f`, a smaller one `d` and a small one `s`, in files, so that their sizes are known.
const TABLES: &[&str] = &[
    "create table f as select value as id, value % 100 as d, value % 7 as s from generate_series(1, 20000)",
    "create table d as select value as d, value % 5 as g from generate_series(0, 99)",
    "create table s as select value as s, 'n' || value as name from generate_series(0, 6)",
    "set datafusion.execution.target_partitions = 4",
];

async fn session(lake: &Lake) -> Arc<Session> {
    let session = session_in(lake);
    for sql in TABLES {
        run(&session, sql).await.unwrap();
    }
    session
}

/// The lines of a query's physical plan.
async fn plan(session: &Arc<Session>, sql: &str) -> Vec<String> {
    let answer = run(session, &format!("explain format indent {sql}"))
        .await
        .unwrap();
    let lines = answer.rows.iter().map(|row| row[1].trim().to_owned());
    let all: Vec<_> = lines.collect();
    let start = answer
        .rows
        .iter()
        .position(|row| row[0] == "physical_plan")
        .unwrap();
    all[start..].to_vec()
}

async fn sorted_rows(session: &Arc<Session>, sql: &str) -> Vec<Vec<String>> {
    let mut rows = run(session, sql).await.unwrap().rows;
    rows.sort();
    rows
}

/// What a statement says beside its rows.
async fn notices(session: &Arc<Session>, sql: &str) -> Vec<String> {
    let source = Source::new("test.sql", sql);
    let mut events = session.run(Cell::Statement {
        place: Place::new(&source, 0..sql.len()),
        terminator: Terminator::EndOfInput,
    });
    let mut found = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Event::Notice(text) => found.push(text),
            Event::Failed(failure) => panic!("{sql}: {failure}"),
            _ => {}
        }
    }
    found
}

fn count(plan: &[String], part: &str) -> usize {
    plan.iter().filter(|line| line.contains(part)).count()
}

/// Checks that a hint changes nothing but the plan, in which a part comes up so often with it and without.
async fn changes(
    session: &Arc<Session>,
    hint: &str,
    query: &str,
    part: &str,
    counts: (usize, usize),
) {
    let hinted = query.replacen("/*hint*/", &format!("/*+ {hint} */"), 1);
    let (with, without) = (plan(session, &hinted).await, plan(session, query).await);
    assert_eq!(
        count(&with, part),
        counts.0,
        "{hinted}\n{}",
        with.join("\n")
    );
    assert_eq!(
        count(&without, part),
        counts.1,
        "{query}\n{}",
        without.join("\n")
    );
    assert_eq!(
        sorted_rows(session, &hinted).await,
        sorted_rows(session, query).await,
        "{hinted}"
    );
    assert_eq!(notices(session, &hinted).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_take_the_form_that_is_asked_for() {
    let lake = Lake::project();
    let session = session(&lake).await;
    let join = "select /*hint*/ * from f join d on f.d = d.d where f.id < 500";
    let merged = "SortMergeJoinExec";
    changes(&session, "MERGE(d)", join, merged, (1, 0)).await;
    changes(&session, "mergejoin(f)", join, merged, (1, 0)).await;
    let shuffled = "mode=Partitioned";
    changes(&session, "SHUFFLE_HASH(d)", join, shuffled, (1, 0)).await;
    changes(&session, "SHUFFLE_HASH(f)", join, shuffled, (1, 0)).await;
    let thresholds = "SET(hash_join_single_partition_threshold = 0, hash_join_single_partition_threshold_rows = 0)";
    let strict = format!(
        "select /*+ {thresholds} */ * from (select /*hint*/ f.id, d.g from f join d on f.d = d.d) x where x.id < 500"
    );
    let collected = "mode=CollectLeft";
    for hint in ["BROADCAST(d)", "MAPJOIN(f)", "BroadcastJoin(d)"] {
        changes(&session, hint, &strict, collected, (1, 0)).await;
    }
    // A hint reaches its relation through an alias, a CTE, a subquery and a view.
    let cte = "with c as (select d, g from d where g > 0) select /*hint*/ count(*) from f join c x on f.d = x.d";
    changes(&session, "MERGE(x)", cte, merged, (1, 0)).await;
    let subquery = "select /*hint*/ count(*) from f join (select d, max(g) as g from d group by d) x on f.d = x.d";
    changes(&session, "MERGE(x)", subquery, merged, (1, 0)).await;
    run(
        &session,
        "create view v as select d.d from d join s on d.g = s.s",
    )
    .await
    .unwrap();
    let view = "select /*hint*/ count(*) from f left join v on f.d = v.d";
    changes(&session, "MERGE(v)", view, merged, (1, 0)).await;
    // The hinted join changes, the other one does not.
    let three =
        "select /*hint*/ count(*), max(name) from f join d on f.d = d.d join s on f.s = s.s";
    changes(&session, "MERGE(s)", three, merged, (1, 0)).await;
    changes(&session, "MERGE(s, d)", three, merged, (2, 0)).await;
    let outer = "select /*hint*/ count(*), count(d.g) from f left join d on f.d = d.d and d.g > 2";
    changes(&session, "MERGE(d)", outer, merged, (1, 0)).await;
}

/// The tables of a plan in the order of its lines, which is that of its build sides.
fn scans(plan: &[String]) -> Vec<char> {
    let scans = plan.iter().filter(|line| line.contains("file_groups"));
    scans
        .map(|line| match () {
            () if line.contains("/f-") => 'f',
            () if line.contains("/d-") => 'd',
            () => 's',
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_are_done_in_the_order_that_is_asked_for() {
    let lake = Lake::project();
    let session = session(&lake).await;
    let query = "select /*hint*/ * from f join d on f.d = d.d join s on f.s = s.s where f.id < 300";
    for (hint, order) in [
        ("JOIN_ORDER(s, f, d)", ['s', 'f', 'd']),
        ("LEADING(d, f, s)", ['d', 'f', 's']),
        ("JOIN_ORDER(f, d, s)", ['f', 'd', 's']),
    ] {
        let hinted = query.replacen("/*hint*/", &format!("/*+ {hint} */"), 1);
        let plan = plan(&session, &hinted).await;
        assert_eq!(scans(&plan), order, "{hint}\n{}", plan.join("\n"));
        assert_eq!(
            sorted_rows(&session, &hinted).await,
            sorted_rows(&session, query).await
        );
        assert_eq!(notices(&session, &hinted).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_filters_and_settings_are_as_asked_for() {
    let lake = Lake::project();
    let session = session(&lake).await;
    let deal = "select /*hint*/ id, d from f where id < 100";
    changes(
        &session,
        "REPARTITION(7)",
        deal,
        "RoundRobinBatch(7)",
        (1, 0),
    )
    .await;
    changes(
        &session,
        "REPARTITION(5, d)",
        deal,
        "Hash([d@1], 5)",
        (1, 0),
    )
    .await;
    let inner = "select count(*) from (select /*hint*/ distinct d from f) x";
    changes(
        &session,
        "COALESCE(2)",
        inner,
        "CoalesceByHintExec: partitions=4 to 2",
        (1, 0),
    )
    .await;
    let filtered = "select /*hint*/ id from f where id = 17";
    changes(&session, "NO_PUSHDOWN(f)", filtered, "predicate=", (0, 1)).await;
    changes(&session, "NO_PUSHDOWN", filtered, "predicate=", (0, 1)).await;
    let group = "select /*hint*/ d, count(*) from f group by d";
    changes(
        &session,
        "SET(target_partitions = 1)",
        group,
        "partitioning=Hash",
        (0, 1),
    )
    .await;
    changes(
        &session,
        "SET(lakesh.threads = 1)",
        group,
        "partitioning=Hash",
        (0, 1),
    )
    .await;
    let shown = run(&session, "show datafusion.execution.target_partitions")
        .await
        .unwrap();
    assert!(shown.rows[0].contains(&"4".to_owned()), "{:?}", shown.rows);
    let salted = "select /*hint*/ * from f join s on f.s = s.s where f.id < 400";
    let hinted = salted.replacen("/*hint*/", "/*+ SALT(f, 4) */", 1);
    let plan = plan(&session, &hinted).await;
    assert!(count(&plan, "__salts") > 0, "{}", plan.join("\n"));
    assert_eq!(
        sorted_rows(&session, &hinted).await,
        sorted_rows(&session, salted).await
    );
    assert_eq!(notices(&session, &hinted).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_materialized_is_computed_once() {
    let lake = Lake::project();
    let session = session(&lake).await;
    // What the hint does is seen where it is not done anyway.
    run(&session, "set lakesh.optimizer.share_subplans = off")
        .await
        .unwrap();
    let query = "with c as (select /*hint*/ d, count(*) as n from f where id > 10 group by d)
         select a.d, b.n from c a join c b on a.d = b.d + 1 where a.n > 0";
    changes(&session, "MATERIALIZE", query, "MaterializeExec", (2, 0)).await;
    let hinted = query.replacen("/*hint*/", "/*+ MATERIALIZE */", 1);
    run(&session, &hinted).await.unwrap();
    let scanned = run(
        &session,
        "select count(*) filter (where \"rows\" > 0), count(*) from system.operators
         where operator = 'DataSourceExec' and query_id = (select max(query_id) from system.operators)",
    )
    .await
    .unwrap();
    assert_eq!(scanned.rows, [["1", "2"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_without_effect_is_said_with_its_place() {
    let lake = Lake::project();
    let session = session(&lake).await;
    for (sql, reason, place) in [
        (
            "select /*+ BROADCST(d) */ 1",
            "did you mean `BROADCAST`",
            ":1:12",
        ),
        (
            "select /*+ WHATEVER */ 1",
            "the hints are BROADCAST",
            ":1:12",
        ),
        (
            "select\n  /*+ BROADCAST(e) */ 1 from f join d on f.d = d.d",
            "`e` is no relation",
            ":2:17",
        ),
        (
            "select /*+ BROADCAST(f) */ id from f limit 1",
            "no join",
            ":1:12",
        ),
        ("select /*+ BROADCAST( */ 1", "is not closed", ":1:12"),
        (
            "select 1 /*+ BROADCAST(f) */",
            "directly behind SELECT",
            ":1:10",
        ),
        (
            "select /*+ SET(datafusion.runtime.memory_limit = 1) */ 1",
            "belongs to the session",
            ":1:16",
        ),
        ("select /*+ SET(no_such = 1) */ 1", "not found", ":1:16"),
        (
            "select /*+ MATERIALIZE */ 1",
            "only a CTE or a subquery",
            ":1:12",
        ),
        ("select /*+ REPARTITION(0) */ 1", "a whole number", ":1:24"),
        (
            "select /*+ REPARTITION(2, nope) */ id from f limit 1",
            "not a column",
            ":1:12",
        ),
        (
            "select /*+ COALESCE(2) */ id from f order by id limit 1",
            "ORDER BY",
            ":1:12",
        ),
        (
            "select /*+ JOIN_ORDER(d, f) */ count(*) from f left join d on f.d = d.d",
            "only inner joins",
            ":1:12",
        ),
        (
            "select /*+ SALT(d, 4) */ count(*) from f left join d on f.d = d.d",
            "salting works",
            ":1:12",
        ),
        (
            "select /*+ MERGE(d) */ count(*) from f join d on f.d < d.g",
            "no equality",
            ":1:12",
        ),
    ] {
        let said = notices(&session, sql).await;
        let [only] = said.as_slice() else {
            panic!("{sql}: {said:?}");
        };
        assert!(only.contains(reason), "{sql}: {only}");
        assert!(only.contains(place) && only.contains('^'), "{sql}: {only}");
    }
}
