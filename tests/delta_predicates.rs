//! Conditions over Delta tables: what a filter keeps, what DELETE removes, what UPDATE changes and what
//! REPLACE WHERE replaces is what the condition says of each row when it is computed as a column.

use lakesh_engine::session::Session;
use std::sync::Arc;

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// Rows with NULL in every column, over as many partitions as there are rows in the partitioned table.
const ROWS: &str = "select * from (values
    (1, 'a', date '2024-01-31', 1.5, 10), (2, 'b', date '2024-02-29', -0.5, 20),
    (cast(null as bigint), 'c', cast(null as date), cast(null as double), 30),
    (4, cast(null as varchar), date '2025-01-01', 4.0, cast(null as bigint)))
    as r (k, s, d, f, v)";

/// Conditions of the kinds that a log's reader can and cannot evaluate.
const CONDITIONS: &[&str] = &[
    "k = 1",
    "k <> 1",
    "1 = k",
    "k > 1",
    "k >= 2",
    "k < 2",
    "k <= 1",
    "2 < k",
    "k is null",
    "k is not null",
    "not (k is null)",
    "not (k = 1)",
    "not (k > 1)",
    "k in (1, 2)",
    "k not in (1, 2)",
    "k in (1, null)",
    "k not in (5, null)",
    "k in (null)",
    "k + 0 > 1",
    "k * 2 = 2",
    "k - 1 = 0",
    "k % 2 = 0",
    "-k = -1",
    "k / 2 = 1",
    "abs(k) = 2",
    "k = k",
    "not (k = k)",
    "k <> k",
    "k is distinct from 1",
    "k is not distinct from null",
    "k = null",
    "null",
    "k > null",
    "null = 2",
    "cast(null as bigint) = 2",
    "true",
    "false",
    "k between 1 and 2",
    "k not between 1 and 2",
    "k between 0 and cast(null as bigint)",
    "k between cast(null as bigint) and 1",
    "(k = 1) is null",
    "(k = 1) is not true",
    "(k = 1) is true",
    "(k = 1) is false",
    "(k = 1) is not false",
    "(k > 1) is unknown",
    "case when k = 1 then true end",
    "case when k is null then true else k > 2 end",
    "coalesce(k, 9) = 9",
    "nullif(k, 1) is null",
    "k = 1 or k is null",
    "k = 1 or null",
    "k = 1 and null",
    "k > 0 and s = 'b'",
    "k is null or s is null",
    "not (k > 1 and s = 'b')",
    "cast(k as varchar) = '1'",
    "k = 1.0",
    "k > 1.5",
    "cast(k as double) < 1.5",
    "s = 'a'",
    "s <> 'a'",
    "s like 'a%'",
    "s not like 'a%'",
    "s || 'x' = 'ax'",
    "upper(s) = 'B'",
    "s in ('a', null)",
    "length(s) = 1",
    "s > 'a'",
    "s is null",
    "substr(s, 1, 1) = 'c'",
    "d = date '2024-02-29'",
    "d > date '2024-02-01'",
    "d + interval '1 day' = date '2024-02-01'",
    "extract(year from d) = 2024",
    "d is null",
    "date_trunc('month', d) = date '2024-01-01'",
    "d between date '2024-01-01' and date '2024-12-31'",
    "d not in (date '2025-01-01')",
    "f > 0",
    "f < 0",
    "f = 1.5",
    "f * 2 = 3",
    "not (f > 0)",
    "f is null",
    "f in (1.5, null)",
    "f is distinct from 4.0",
    "k = f",
    "k < f",
    "s < 'b' or d is null",
    "k = 1 and true",
    "k in (1, 2) and d is not null",
    "k = (1 + 1)",
    "(k, s) = (1, 'a')",
    "k = 1 = true",
    "v = 10",
    "v > 10 and k is null",
    "v + k > 11",
    "v is null",
    "v not in (10, null)",
    "v = k * 10",
];

/// Tables that hold the rows in files of different shapes; the last one keeps each row in its own.
const TABLES: &[(&str, &str)] = &[
    ("plain", ""),
    ("by_key", "partitioned by (k)"),
    ("by_all_but_one", "partitioned by (k, s, d, f)"),
];

async fn rows(session: &Arc<Session>, sql: &str) -> Vec<Vec<String>> {
    let answer = run(session, sql).await;
    answer
        .unwrap_or_else(|failure| panic!("{sql}: {failure}"))
        .rows
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

/// The rows with what a condition says of each; no filter can slip below this projection.
async fn judged(session: &Arc<Session>, condition: &str) -> Vec<(Vec<String>, bool)> {
    let sql = format!("select *, coalesce({condition}, false) from ({ROWS})");
    let rows = rows(session, &sql).await;
    rows.into_iter()
        .map(|mut row| {
            let holds = row.pop().unwrap() == "true";
            (row, holds)
        })
        .collect()
}

fn those(judged: &[(Vec<String>, bool)], wanted: bool) -> Vec<Vec<String>> {
    let found = judged.iter().filter(|(_, holds)| *holds == wanted);
    sorted(found.map(|(row, _)| row.clone()).collect())
}

/// The rows with which every table begins, and to which it is restored after a change.
async fn fill(session: &Arc<Session>) {
    for (name, partitions) in TABLES {
        let create = format!(
            "create table {name} (k bigint, s varchar, d date, f double, v bigint) {partitions}"
        );
        rows(session, &create).await;
        rows(session, &format!("insert into {name} {ROWS}")).await;
    }
}

/// What went wrong so far.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn compare(&mut self, what: &str, found: Vec<Vec<String>>, right: &[Vec<String>]) {
        if sorted(found.clone()) != right {
            self.0.push(format!("{what}: {found:?}, not {right:?}"));
        }
    }
}

async fn restored(session: &Arc<Session>, name: &str) {
    rows(session, &format!("restore table {name} to version as of 1")).await;
}

/// Changes a table by a condition, looks at all of its rows, and takes the change back.
async fn changed(session: &Arc<Session>, name: &str, change: &str) -> Vec<Vec<String>> {
    rows(session, change).await;
    let found = rows(session, &format!("select * from {name}")).await;
    restored(session, name).await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_means_the_same_above_every_table() {
    let lake = Lake::project();
    let session = session_in(&lake);
    fill(&session).await;
    let all = sorted(rows(&session, ROWS).await);
    let mut wrong = Wrong::default();
    let mut refused = Vec::new();
    for (number, condition) in CONDITIONS.iter().enumerate() {
        let judged = judged(&session, condition).await;
        let (kept, left) = (those(&judged, true), those(&judged, false));
        for (name, _) in TABLES {
            let select = match number % 2 {
                0 => format!("select * from {name} where {condition}"),
                _ => {
                    format!("select b.* from (values (1)) as o (x) join {name} b on ({condition})")
                }
            };
            wrong.compare(&select, rows(&session, &select).await, &kept);
        }
        for name in ["plain", "by_all_but_one"] {
            let delete = format!("delete from {name} where {condition}");
            wrong.compare(&delete, changed(&session, name, &delete).await, &left);
        }
        let (name, _) = TABLES[number % TABLES.len()];
        if number % 2 == 0 {
            let update = format!("update {name} set v = -1 where {condition}");
            let mut right: Vec<_> = kept.clone();
            right.iter_mut().for_each(|row| row[4] = "-1".to_owned());
            right.extend(left.clone());
            wrong.compare(
                &update,
                changed(&session, name, &update).await,
                &sorted(right),
            );
        } else {
            // The rows that the condition chooses in their own place: the table is what it was.
            let replace = format!(
                "insert into {name} replace where {condition} select * from ({ROWS}) where {condition}"
            );
            // A condition that is refused leaves the table as it was, too.
            let outcome = run(&session, &replace).await;
            if let Err(failure) = outcome {
                refused.push(format!("{condition}: {failure}"));
            }
            let found = rows(&session, &format!("select * from {name}")).await;
            wrong.compare(&replace, found, &all);
            restored(&session, name).await;
        }
    }
    let Wrong(wrong) = wrong;
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
