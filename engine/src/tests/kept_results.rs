//! Results that later statements read.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use futures::StreamExt;
use lakesh_event::event::Event;
use lakesh_session::{EarlierResult, Session, SessionOptions};
use lakesh_text::source::{Place, Source};

const MIB: usize = 1024 * 1024;

/// A session whose temporary files lie in a folder of its own.
fn session() -> (tempfile::TempDir, Arc<Session>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SessionOptions::in_folder(folder.path());
    options.temp_folder = folder.path().join("temp");
    (folder, crate::open(options).unwrap())
}

/// A result of so many MiB whose every number is its own, with a dictionary that each batch renews.
fn result(number: usize, mebibytes: usize) -> EarlierResult {
    let rows = mebibytes * MIB / 8;
    let batches: Vec<_> = (0..4)
        .map(|part| {
            let numbers = Int64Array::from_value(number as i64, rows / 4);
            let texts = StringArray::from(vec![format!("part {part}"); rows / 4]);
            let kind = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
            let texts = cast(&texts, &kind).unwrap();
            let columns = [("n", Arc::new(numbers) as ArrayRef), ("part", texts)];
            RecordBatch::try_from_iter(columns).unwrap()
        })
        .collect();
    EarlierResult::Rows {
        schema: batches[0].schema(),
        batches,
    }
}

/// Runs a query; returns the first value of its row, or why it failed.
async fn answer(session: &Arc<Session>, sql: &str) -> Result<i64, String> {
    let source = Source::new("test", sql);
    let mut events = session.run_aside(Place::new(&source, 0..sql.len()));
    let mut answer = Err("no row".to_owned());
    while let Some(event) = events.next().await {
        match event {
            Event::Batch(batch) => {
                let column = batch.column(0).as_any().downcast_ref::<Int64Array>();
                answer = Ok(column.unwrap().value(0));
            }
            Event::Failed(failure) => answer = Err(failure.message),
            _ => {}
        }
    }
    answer
}

fn files(session: &Session) -> usize {
    let folder = session.memory().spill().path();
    folder.map_or(0, |folder| {
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries
            .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "spill"))
            .count()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_results_are_kept_on_disk() {
    let (_folder, session) = session();
    for number in 1..=4 {
        assert!(
            session
                .keep_result(number, result(number, 24))
                .await
                .is_empty()
        );
    }
    // 27 MiB each: of four, two have room in memory.
    assert_eq!(files(&session), 2);
    for number in 1..=4 {
        let sql = format!("SELECT sum(n) FROM _{number} WHERE part = 'part 3'");
        let rows = 24 * MIB / 8 / 4;
        assert_eq!(answer(&session, &sql).await, Ok((rows * number) as i64));
    }
    assert_eq!(answer(&session, "SELECT max(n) FROM _").await, Ok(4));
    // A single one that is larger than the memory goes to disk, and all others may stay.
    assert!(session.keep_result(5, result(5, 80)).await.is_empty());
    assert_eq!(answer(&session, "SELECT max(n) FROM _").await, Ok(5));
    session.memory().spill().remove();
    assert!(session.memory().spill().path().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_bounds_what_is_on_disk() {
    let (_folder, session) = session();
    answer(&session, "SET lakesh.kept_results_limit = '40MiB'")
        .await
        .unwrap_err();
    for number in 1..=4 {
        assert!(
            session
                .keep_result(number, result(number, 24))
                .await
                .is_empty()
        );
    }
    assert_eq!(files(&session), 1);
    let why = answer(&session, "SELECT max(n) FROM _1").await.unwrap_err();
    assert!(why.contains("newer results took its place"), "{why}");
    assert_eq!(answer(&session, "SELECT max(n) FROM _2").await, Ok(2));
    // One that is larger than the limit alone takes no other's place.
    let notices = session.keep_result(5, result(5, 80)).await;
    assert_eq!(
        notices.last().map(String::as_str),
        Some("result `_5` is not kept: it is larger than `lakesh.kept_results_limit`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_the_result_and_nothing_else() {
    let (_folder, session) = session();
    session.memory().spill().set_limit(MIB as u64);
    assert!(session.keep_result(1, result(1, 40)).await.is_empty());
    let notices = session.keep_result(2, result(2, 40)).await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    let expected =
        "result `_1` is not kept: temporary files would take more than their limit of 1 MiB";
    assert!(notices[0].starts_with(expected), "{notices:?}");
    assert_eq!(files(&session), 0);
    let why = answer(&session, "SELECT max(n) FROM _1").await.unwrap_err();
    assert!(
        why.starts_with("the result `_1` was not kept: temporary files"),
        "{why}"
    );
    assert_eq!(answer(&session, "SELECT max(n) FROM _2").await, Ok(2));
}
