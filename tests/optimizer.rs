//! Rules that make plans faster: each changes the plan it is for, no row, and nothing once it is off.

use std::sync::Arc;

use lakesh_engine::session::Session;

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// A fact table with two dimensions, with NULL and repeated keys, and an empty table.
const TABLES: &[&str] = &[
    "copy (select value as id, nullif(value % 2000, 7) as d, value % 37 as e, value % 90 as n from generate_series(1, 60000)) to 'f.parquet'",
    "copy (select value as d, 'd' || (value % 50) as name from generate_series(0, 1999) union all select 3, 'again' union all select null, 'none') to 'dims.parquet'",
    "copy (select value as e, value % 4 as g from generate_series(0, 36)) to 'e.parquet'",
    "copy (select value as h, 'g' || value as name from generate_series(0, 3)) to 'g.parquet'",
    "copy (select value as d from generate_series(1, 3) where value > 3) to 'nothing.parquet'",
    "create view f as select * from 'f.parquet'",
    "create view dims as select * from 'dims.parquet'",
    "create view e as select * from 'e.parquet'",
    "create view g as select * from 'g.parquet'",
    "create view nothing as select * from 'nothing.parquet'",
];

/// The rule, and queries whose plan it changes.
const CASES: &[(&str, &[&str])] = &[
    (
        "share_subplans",
        &[
            "with s as (select d, e, sum(n) as n, count(*) as c from f group by d, e) select one.d, one.n, other.c from s one join s other on one.d = other.d where one.e = 1 and other.e = 21 order by 1, 2, 3",
            "with s as (select d, sum(n) as n from f group by d) select d, n from s where n = (select max(n) from s) order by d nulls last",
            "with s as (select distinct d, e from f) select (select count(*) from s) as a, (select count(d) from s where e is null) as b",
            "with s as (select d, sum(n) as n from f group by d) select count(*), sum(one.n), sum(other.n) from s one left join s other on one.d = other.d and other.n > 1300",
            "with s as (select d, max(d) as m from nothing group by d) select count(*) from s one full join s other on one.d = other.d",
        ],
    ),
    (
        "order_joins",
        &[
            "select g.name, count(*), sum(f.n) from f join e on f.e = e.e join g on e.g = g.h join dims on f.d = dims.d where dims.name = 'd7' and g.h < 3 group by g.name order by 1",
            "select count(*), count(x.d) from (select f.d, f.id from f, e, dims where f.d = dims.d and f.e = e.e and dims.name in ('d3', 'again')) x left join nothing on x.d = nothing.d",
        ],
    ),
    (
        "push_semi_joins",
        &[
            "select count(*), sum(f.n) from e join f on f.e = e.e join dims on f.d = dims.d where f.id in (select id from f where n = 3 and id < 900)",
        ],
    ),
    (
        "restrict_groups",
        &[
            "select count(*), sum(f.n) from f, dims where f.d = dims.d and dims.name = 'd7' and f.n < (select avg(n) from f b where b.d = dims.d)",
        ],
    ),
    (
        "order_conditions",
        &["select count(*) from dims where name in ('d41', 'd44') and d > 1990 and d < 1995"],
    ),
];

async fn session(lake: &Lake) -> Arc<Session> {
    let session = session_in(lake);
    for sql in TABLES {
        run(&session, sql).await.unwrap();
    }
    session
}

async fn rows(session: &Arc<Session>, sql: &str) -> Vec<Vec<String>> {
    run(session, sql).await.unwrap().rows
}

/// The rules that EXPLAIN names.
async fn rules(session: &Arc<Session>, sql: &str) -> Vec<String> {
    let lines = rows(session, &format!("explain {sql}")).await;
    let line = lines.iter().find(|line| line[0] == "optimizer_rules");
    let names = line.map(|line| line[1].split(", ").map(str::to_owned).collect());
    names.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_rule_changes_plans_and_no_row() {
    let lake = Lake::new();
    let session = session(&lake).await;
    for (rule, queries) in CASES {
        for sql in *queries {
            let with = rows(&session, sql).await;
            let named = rules(&session, sql).await;
            assert!(
                named.iter().any(|name| name == rule),
                "{rule}: {named:?}\n{sql}"
            );
            let setting = format!("lakesh.optimizer.{rule}");
            run(&session, &format!("set {setting} = off"))
                .await
                .unwrap();
            let named = rules(&session, sql).await;
            assert!(
                named.iter().all(|name| name != rule),
                "{rule} is off\n{sql}"
            );
            assert_eq!(rows(&session, sql).await, with, "{rule}\n{sql}");
            for (other, _) in CASES {
                let off = format!("set lakesh.optimizer.{other} = off");
                run(&session, &off).await.unwrap();
            }
            assert_eq!(rows(&session, sql).await, with, "all rules\n{sql}");
            assert!(rules(&session, sql).await.is_empty());
            run(&session, "reset all").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_drawn_or_recursive_is_not_shared() {
    let lake = Lake::new();
    let session = session(&lake).await;
    for sql in [
        "with s as (select d, sum(random()) as r from f group by d) select sum(one.r), sum(other.r), count(*) from s one join s other on one.d = other.d",
        "with recursive r(i) as (select 1 union all select i + 1 from (select max(i) as i from r) where i < 5) select sum(i) from r",
        "select count(*) from f where d in (select d from dims) and e = 1",
    ] {
        let named = rules(&session, sql).await;
        assert!(!named.contains(&"share_subplans".to_owned()), "{sql}");
        run(&session, sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switches_are_settings() {
    let lake = Lake::new();
    let session = session(&lake).await;
    let found = rows(&session, "show lakesh.optimizer.order_joins").await;
    assert!(found[0].contains(&"on".to_owned()), "{found:?}");
    assert!(
        run(&session, "set lakesh.optimizer.order_joins = perhaps")
            .await
            .is_err()
    );
    assert!(
        run(&session, "set lakesh.optimizer.order_join = off")
            .await
            .is_err()
    );
}
