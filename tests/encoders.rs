//! Encoders against scikit-learn, category_encoders and feature_engine on generated rows.

use serde_json::Value;

use crate::support::session::{run, session_in};
use crate::support::{Lake, python};

/// The outputs by the name of the reference that they equal.
const ENCODER: &str = "create or replace encoder e as select
    target_encoder(city, y, smooth => 10) as target_10,
    target_encoder(city, y, smooth => 0) as target_0,
    target_encoder(city, y) as target_auto,
    target_encoder(city, flag, smooth => 'auto') as target_flag,
    target_encoder(level, y) as target_level,
    target_encoder(city, y, smooth => 10, weight => w) as target_weighted,
    target_encoder(city, y, weight => w) as target_weighted_auto,
    frequency_encoder(city) as frequency,
    frequency_encoder(city, weight => w) as frequency_weighted,
    rare_grouper(city, min_share => 0.02) as rare,
    quantile_bins(age, 10) as quantiles,
    uniform_bins(age, 7) as widths
    from 'train.parquet'";

const CROSS: &str = "create or replace encoder c as select
    target_encoder(city, y, smooth => 10) as cross_10,
    target_encoder(city, y) as cross_auto from 'train.parquet'";

#[tokio::test(flavor = "multi_thread")]
async fn encoders_give_what_their_references_give() {
    for seed in ["1", "20"] {
        let lake = Lake::new();
        let expected = python("encoders.py", &[&lake.path(), seed.as_ref()]);
        let session = session_in(&lake);
        // What was learned must not depend on how the rows come.
        for (threads, batch) in [(1, 8192), (4, 333)] {
            for statement in [
                format!("set datafusion.execution.target_partitions = {threads}"),
                format!("set datafusion.execution.batch_size = {batch}"),
                ENCODER.to_owned(),
                CROSS.to_owned(),
            ] {
                run(&session, &statement).await.unwrap();
            }
            let sql = "select * exclude (id, city, level, y, flag, w, fold, age)
                from transform('./test.parquet', 'e') order by id";
            let rows = run(&session, sql).await.unwrap().rows;
            let names = [
                "target_10",
                "target_0",
                "target_auto",
                "target_flag",
                "target_level",
                "target_weighted",
                "target_weighted_auto",
                "frequency",
                "frequency_weighted",
                "rare",
                "quantiles",
                "widths",
            ];
            check(&rows, &expected, &names);
            let sql = "select cross_10, cross_auto
                from transform('./train.parquet', 'c', by_fold => 'fold') order by id";
            let rows = run(&session, sql).await.unwrap().rows;
            check(&rows, &expected, &["cross_10", "cross_auto"]);
        }
    }
}

/// Compares columns with lists: equal texts, or numbers within 1e-9 of each other.
#[track_caller]
fn check(rows: &[Vec<String>], expected: &Value, names: &[&str]) {
    for (column, name) in names.iter().enumerate() {
        let expected = expected[*name].as_array().unwrap();
        assert_eq!(rows.len(), expected.len(), "{name}");
        for (row, (found, expected)) in rows.iter().zip(expected).enumerate() {
            let found = found[column].as_str();
            let equal = match expected {
                Value::Null => found == "NULL",
                Value::Number(expected) => {
                    let expected = expected.as_f64().unwrap();
                    let found: f64 = found.parse().unwrap_or(f64::NAN);
                    (found - expected).abs() <= 1e-9 * expected.abs()
                }
                expected => expected.as_str() == Some(found),
            };
            assert!(equal, "{name}, row {row}: {found} and not {expected}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_from_before_are_what_a_loop_finds() {
    let lake = Lake::new();
    python("encoders.py", &[&lake.path(), "3".as_ref()]);
    let session = session_in(&lake);
    // Times repeat, and some are missing.
    for statement in [
        "create table events as select id, city, y, w, nullif(id % 97, 0) as t from 'train.parquet' where id < 700",
        "create encoder p as select target_encoder(city, y, smooth => 3, weight => w) as mean, frequency_encoder(city) as share from events",
    ] {
        run(&session, statement).await.unwrap();
    }
    let encoded = "select mean, share from transform('events', 'p', by_time => 't') order by id";
    let encoded = run(&session, encoded).await.unwrap().rows;
    let loops = "select
        (coalesce(sum(case when b.city is not distinct from a.city then b.w * b.y end), 0) + 3 * sum(b.w * b.y) / sum(b.w))
            / (coalesce(sum(case when b.city is not distinct from a.city then b.w end), 0) + 3) as mean,
        coalesce(cast(count(case when b.id is not null and b.city is not distinct from a.city then 1 end) as double)
            / nullif(count(b.id), 0), 0) as share
        from events a left join events b on b.t < a.t group by a.id order by a.id";
    let loops = run(&session, loops).await.unwrap().rows;
    assert_eq!(encoded.len(), 700);
    for (row, (found, expected)) in encoded.iter().zip(&loops).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            let close = match (found.parse::<f64>(), expected.parse::<f64>()) {
                (Ok(found), Ok(expected)) => (found - expected).abs() <= 1e-9 * expected.abs(),
                _ => found == expected,
            };
            assert!(close, "row {row}: {found} and not {expected}");
        }
    }
}

#[test]
fn the_table_that_an_encoder_was_fitted_on_is_warned_of() {
    let lake = Lake::project();
    lake.does(
        "create table train as select value as id, value % 3 as city, value % 2 as y from generate_series(1, 30);
         create table test as select * from train;
         create encoder te as select target_encoder(city, y) as city_te from train where id > 3",
    );
    let warned = [
        "transform train using te",
        "select * from transform('train', 'te')",
        "select apply_encoder('te', city) from train",
        "create view v as select * from train; select apply_encoder('te', city) from v",
    ];
    for sql in warned {
        let run = lake.shell(["-c", sql]).run();
        assert!(run.status.success(), "{}", run.stderr);
        let warning = "leakage: encoder `te` was fitted on `train` where id > 3";
        assert!(run.stderr.contains(warning), "{sql}: {}", run.stderr);
    }
    for sql in [
        "transform test using te",
        "transform train using te cross fit by hash(id)",
        "select apply_encoder('te', city) from test",
    ] {
        let run = lake.shell(["-c", sql]).run();
        assert!(run.status.success(), "{}", run.stderr);
        assert!(!run.stderr.contains("leakage"), "{sql}: {}", run.stderr);
    }
}

#[test]
fn a_fitted_encoder_is_there_for_other_processes_and_for_checks() {
    let lake = Lake::project();
    lake.does("create encoder f as select frequency_encoder(value % 4) as share from generate_series(1, 8)");
    assert_eq!(lake.rows("select apply_encoder('f', 1)"), "0.25\n");
    let script = lake.write(
        "script.sql",
        "create table t as select 'a' as c; create encoder g as select frequency_encoder(c) as share from t;
         select apply_encoder('g', c) from t; transform t using g cross fit by hash(c); drop encoder g;",
    );
    let script = script.to_str().unwrap();
    lake.shell(["--check", script]).run().succeeds();
    lake.shell(["--readonly", "-c", "select apply_encoder('f', 1)"])
        .run()
        .succeeds();
    let refused = lake.shell(["--readonly", "-c", "drop encoder f"]).run();
    assert!(!refused.status.success());
    let message = lake.refuses("select\n  apply_encoder('f', 'text')");
    assert!(message.contains("whole numbers"), "{message}");
}
