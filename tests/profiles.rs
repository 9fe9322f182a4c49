//! Profiles and drifts against pandas, scipy and numpy on generated rows.

use serde_json::Value;

use crate::support::session::{run, session_in};
use crate::support::{Lake, python};

const NUMBERS: &str = "rows, count, missing_rate, unique_count, mean, std, p01, q25, q50, q75, p99,
    skewness, kurtosis, zeros, negatives";

#[tokio::test(flavor = "multi_thread")]
async fn profiles_and_drifts_are_those_of_the_references() {
    for seed in ["4", "5"] {
        let lake = Lake::new();
        let expected = python("profiles.py", &[&lake.path(), seed.as_ref()]);
        let session = session_in(&lake);
        for batch in [8192, 100] {
            let set = format!("set datafusion.execution.batch_size = {batch}");
            run(&session, &set).await.unwrap();
            let order = "case column_name when 'x' then 1 when 'far' then 2 when 'n' then 3 when 'same' then 4 else 5 end";
            let of_numbers = "column_name in ('x', 'far', 'n', 'same')";
            for (call, name) in [
                (
                    "feature_profile('./reference.parquet') where column_name <> 'w' and",
                    "profile",
                ),
                (
                    "feature_profile('./reference.parquet', weight => 'w') where",
                    "weighted",
                ),
            ] {
                let sql = format!("select {NUMBERS} from {call} {of_numbers} order by {order}");
                check(&run(&session, &sql).await.unwrap().rows, &expected[name]);
            }
            let sql = format!(
                "select psi from drift('./current.parquet', './reference.parquet') where column_name <> 'w' order by {order}"
            );
            let found = run(&session, &sql).await.unwrap().rows;
            let psi: Vec<Value> = expected["psi"]
                .as_array()
                .unwrap()
                .iter()
                .map(|index| Value::Array(vec![index.clone()]))
                .collect();
            check(&found, &Value::Array(psi));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_of_evidence_are_those_of_the_formula() {
    for seed in ["6", "7"] {
        let lake = Lake::new();
        let expected = python("woe.py", &[&lake.path(), seed.as_ref()]);
        let session = session_in(&lake);
        for (arguments, name) in [
            ("'city', 'y'", "city"),
            ("'city', 'y', weight => 'w'", "weighted"),
            ("'x', 'y', bins => 5", "bins"),
        ] {
            let sql = format!(
                "select count, non_event, event, event_rate, woe, iv from woe_table('./events.parquet', {arguments}) order by \"group\""
            );
            check(&run(&session, &sql).await.unwrap().rows, &expected[name]);
        }
    }
}

#[track_caller]
fn check(rows: &[Vec<String>], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(expected) {
        for (place, (found, expected)) in row.iter().zip(expected.as_array().unwrap()).enumerate() {
            let equal = match expected.as_f64() {
                None => found == "NULL",
                Some(expected) => {
                    let found: f64 = found.parse().unwrap_or(f64::NAN);
                    (found - expected).abs() <= 1e-9 * expected.abs() + 1e-14
                }
            };
            assert!(equal, "value {place} of {row:?}: {expected}");
        }
    }
}
