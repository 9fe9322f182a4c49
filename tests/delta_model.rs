//! Random sequences of changes to Delta tables, against a model that holds its rows in a vector.

mod change;
mod predicate;
mod random;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lakesh_engine::session::Session;

use crate::support::session::{run, session_in};
use crate::support::{Lake, python, python_lines};
use change::{Change, Past};
use random::Random;

/// How many sequences are run, and how many changes each has.
const SEQUENCES: usize = 200;
const CHANGES: usize = 5;

/// How many sequences run side by side.
const WORKERS: usize = 2;

/// A row of the tables: `id INT, grp VARCHAR, n BIGINT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    id: i64,
    grp: Option<String>,
    n: Option<i64>,
}

impl Row {
    fn values(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.grp.clone().unwrap_or_else(|| "NULL".to_owned()),
            self.n.map_or_else(|| "NULL".to_owned(), |n| n.to_string()),
        ]
    }

    /// Writes the row as it stands in VALUES.
    fn literal(&self) -> String {
        let grp = self.grp.as_ref().map(|grp| format!("'{grp}'"));
        let null = || "NULL".to_owned();
        let n = self.n.map(|n| n.to_string());
        format!(
            "({}, {}, {})",
            self.id,
            grp.unwrap_or_else(null),
            n.unwrap_or_else(null)
        )
    }
}

fn sorted(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort();
    rows
}

/// Runs one sequence and returns the model's rows; the table is called `t` and its number.
async fn sequence(session: &Arc<Session>, number: usize) -> Result<Vec<Row>, String> {
    let mut random = Random::new(number as u64 + 1);
    let table = format!("t{number}");
    let partitioned = match random.below(2) {
        0 => "",
        _ => " PARTITIONED BY (grp)",
    };
    let mut script = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut past: Past = vec![(0, Vec::new())];
    let create = format!(
        "CREATE TABLE {table} (id INT, grp VARCHAR, n BIGINT){partitioned} LOCATION 'tables/{table}'"
    );
    run(session, &create)
        .await
        .map_err(|failure| failure.to_string())?;
    script.push(create);
    for step in 0..CHANGES {
        let change = match step {
            0 => Change::insert(&mut random),
            _ => Change::any(&mut random, &rows, &past),
        };
        let sql = change.sql(&table);
        script.push(sql.clone());
        let failed = |reason: String| format!("{reason}\n{}", script.join(";\n"));
        let answer = run(session, &sql)
            .await
            .map_err(|failure| failed(failure.to_string()))?;
        let changed = change.apply(&mut rows);
        if changed.is_some() && answer.summary.rows != changed {
            let said = answer.summary.rows;
            return Err(failed(format!(
                "{changed:?} rows changed, it says {said:?}"
            )));
        }
        let mut counts = answer.summary.counts.iter();
        if let Some((_, version)) = counts.find(|(name, _)| name == "version") {
            past.push((*version, rows.clone()));
        }
    }
    let read = run(session, &format!("SELECT id, grp, n FROM {table}"))
        .await
        .map_err(|failure| failure.to_string())?;
    let found = sorted(read.rows);
    let expected = sorted(rows.iter().map(Row::values));
    match found == expected {
        true => Ok(rows),
        false => Err(format!(
            "expected {expected:?}\nfound    {found:?}\n{}",
            script.join(";\n")
        )),
    }
}

/// Runs sequences side by side; returns what went wrong, and the rows of each.
fn sequences(lake: &Lake, count: usize) -> (Vec<String>, Vec<(usize, Vec<Row>)>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .unwrap();
    let session = session_in(lake);
    let next = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (session, next) = (Arc::clone(&session), Arc::clone(&next));
                tokio::spawn(async move {
                    let (mut failures, mut tables) = (Vec::new(), Vec::new());
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return (failures, tables);
                        }
                        match sequence(&session, number).await {
                            Ok(rows) => tables.push((number, rows)),
                            Err(failure) => failures.push(format!("-- {number}: {failure}")),
                        }
                    }
                })
            })
            .collect();
        let (mut failures, mut tables) = (Vec::new(), Vec::new());
        for worker in workers {
            let (failed, done) = worker.await.unwrap();
            failures.extend(failed);
            tables.extend(done);
        }
        session.settle().await;
        (failures, tables)
    })
}

#[test]
fn random_changes_leave_the_rows_that_a_model_has_and_another_reader_finds() {
    let lake = Lake::project();
    let (failures, tables) = sequences(&lake, SEQUENCES);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));

    let answer = python("read_tables.py", &[&lake.path().join("tables")]);
    for (number, rows) in tables {
        let expected: Vec<String> = sorted(rows.iter().map(Row::values))
            .into_iter()
            .map(|row| row.join(","))
            .collect();
        let found = python_lines(&answer, &format!("t{number}"));
        assert_eq!(found.lines().collect::<Vec<_>>(), expected, "t{number}");
    }
}
