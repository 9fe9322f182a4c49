//! ASOF JOIN against pandas' merge_asof and DuckDB's ASOF JOIN on generated rows.

use std::sync::Arc;

use lakesh_engine::session::Session;
use serde_json::Value;

use crate::support::session::{run, session_in};
use crate::support::{Lake, python};

async fn joined(session: &Arc<Session>, left: &str, operator: &str) -> Vec<Vec<String>> {
    let sql = format!(
        "select l.id, r.f from 'labels.parquet' l {left} asof join 'features.parquet' r
         match_condition (l.t {operator} r.t) on l.k = r.k and l.g = r.g order by l.id"
    );
    run(session, &sql).await.unwrap().rows
}

fn text(value: &Value) -> String {
    match value.as_i64() {
        Some(number) => number.to_string(),
        None => "NULL".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_by_time_are_those_of_pandas_and_duckdb() {
    for seed in ["1", "2"] {
        let lake = Lake::new();
        let expected = python("asof.py", &[&lake.path(), seed.as_ref()]);
        let session = session_in(&lake);
        for (threads, batch) in [(1, 8192), (3, 7)] {
            for (name, value) in [("target_partitions", threads), ("batch_size", batch)] {
                let set = format!("set datafusion.execution.{name} = {value}");
                run(&session, &set).await.unwrap();
            }
            for operator in [">=", ">", "<=", "<"] {
                let found = joined(&session, "left", operator).await;
                let expected = expected[operator].as_array().unwrap();
                assert_eq!(found.len(), expected.len());
                for (row, expected) in found.iter().zip(expected) {
                    assert_eq!(row[1], text(expected), "{operator}: {row:?}");
                }
            }
            for (left, operator, name) in [
                ("left", ">=", "left"),
                ("", ">", "inner"),
                ("", "<", "forward"),
            ] {
                let found = joined(&session, left, operator).await;
                let expected: Vec<Vec<String>> = expected[name]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row.as_array().unwrap().iter().map(text).collect())
                    .collect();
                assert_eq!(found, expected, "DuckDB, {left} {operator}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_duckdb_gives_what_duckdb_gives() {
    let lake = Lake::new();
    let expected = python("asof.py", &[&lake.path(), "3".as_ref()]);
    let session = session_in(&lake);
    let keys = "l.k = r.k and l.g = r.g";
    for (join, on, name) in [
        (
            "asof left join",
            format!("on {keys} and l.t >= r.t"),
            "left",
        ),
        (
            "left asof join",
            format!("on l.t >= r.t and {keys}"),
            "left",
        ),
        (
            "asof join",
            "on l.k = r.k and r.t < l.t and l.g = r.g".to_owned(),
            "inner",
        ),
        (
            "asof inner join",
            format!("on ({keys}) and l.t < r.t"),
            "forward",
        ),
        ("asof left join", "using (k, g, t)".to_owned(), "left"),
    ] {
        let sql = format!(
            "select l.id, r.f from 'labels.parquet' l {join} 'features.parquet' r {on} order by l.id"
        );
        let found = run(&session, &sql).await.unwrap().rows;
        let expected: Vec<Vec<String>> = expected[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_array().unwrap().iter().map(text).collect())
            .collect();
        assert_eq!(found, expected, "{join} {on}");
    }
    for (on, message) in [
        ("on l.k = r.k", "ASOF JOIN compares a time"),
        (
            "on l.k = r.k and l.t > r.t and l.g > r.g",
            "is a second comparison",
        ),
        ("on l.k <> r.k and l.t > r.t", "equalities"),
    ] {
        let sql = format!("select 1 from 'labels.parquet' l asof join 'features.parquet' r {on}");
        let failure = run(&session, &sql).await.map(|_| ()).unwrap_err();
        assert!(failure.message.contains(message), "{on}: {failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ties_do_not_depend_on_the_order_of_rows() {
    let lake = Lake::new();
    let session = session_in(&lake);
    // Many rows of each time: the greatest of the other columns counts.
    for order in ["value", "value desc", "value * 37 % 1001"] {
        let sql = format!(
            "create or replace table r as select value % 5 as k, value / 100 as t, value as x
             from generate_series(1, 1000) order by {order}"
        );
        run(&session, &sql).await.unwrap();
        for threads in [1, 4] {
            let set = format!("set datafusion.execution.target_partitions = {threads}");
            run(&session, &set).await.unwrap();
            let sql =
                "select l.k, r.x from (select value as k, 3 as t from generate_series(0, 4)) l
                asof join r match_condition (l.t >= r.t) on l.k = r.k order by l.k";
            let found = run(&session, sql).await.unwrap().rows;
            let found: Vec<_> = found.iter().map(|row| row[1].as_str()).collect();
            assert_eq!(
                found,
                ["395", "396", "397", "398", "399"],
                "{order}, {threads}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_by_time_spills_its_sorts() {
    let lake = Lake::new();
    let session = session_in(&lake);
    run(&session, "set lakesh.memory_limit = '64MB'")
        .await
        .unwrap();
    let sql = "select count(*), sum(r.x) from
        (select value as id, value % 1000 as k, value as t from generate_series(1, 400000)) l
        asof join (select value % 1000 as k, value as t, value as x from generate_series(1, 400000)) r
        match_condition (l.t > r.t) on l.k = r.k";
    let rows = run(&session, sql).await.unwrap().rows;
    // Each row finds the one 1,000 before it.
    assert_eq!(
        rows,
        [["399000", "79600699500"].map(str::to_owned).to_vec()]
    );
}
