//! Queries over several times their memory limit give the rows of an unlimited run.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::error::Result;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use futures::StreamExt;
use lakesh_text::consumer::NESTED_LOOP_JOIN;
use tempfile::TempDir;

use super::planning::{adjust, adjust_for_files, adjust_for_spilling_joins};
use super::runtime::{Memory, MemorySettings, build_runtime};

const MIB: u64 = 1024 * 1024;
const FILES: i64 = 4;
const ROWS_A_FILE: i64 = 75_000;
const ROWS_A_BATCH: i64 = 8_192;
const THREADS: usize = 4;

/// The data of all tests, made once and removed with the last of them.
static DATA: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());

fn data() -> Arc<TempDir> {
    let mut data = DATA.lock().unwrap();
    if let Some(folder) = data.upgrade() {
        return folder;
    }
    let folder = Arc::new(tempfile::tempdir().unwrap());
    for file in 0..FILES {
        write_file(&folder.path().join(format!("{file}.parquet")), file);
    }
    *data = Arc::downgrade(&folder);
    folder
}

/// About 100 bytes a row in memory: a number in order, the same shuffled, and a text.
fn write_file(path: &Path, file: i64) {
    let mut writer = None;
    for start in (0..ROWS_A_FILE).step_by(usize::try_from(ROWS_A_BATCH).unwrap()) {
        let end = (start + ROWS_A_BATCH).min(ROWS_A_FILE);
        let ids: Vec<i64> = (start..end).map(|row| file * ROWS_A_FILE + row).collect();
        // The count has no factor in common with the multiplier, so that every key comes once.
        let keys = ids.iter().map(|id| id * 104_729 % (FILES * ROWS_A_FILE));
        let texts = ids.iter().map(|id| format!("{:0>70}", id % 99_991));
        let columns: [(&str, ArrayRef); 3] = [
            ("id", Arc::new(Int64Array::from(ids.clone()))),
            ("key", Arc::new(Int64Array::from_iter_values(keys))),
            ("text", Arc::new(StringArray::from_iter_values(texts))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let writer = writer.get_or_insert_with(|| {
            ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
        if writer.in_progress_rows() >= 30_000 {
            writer.flush().unwrap();
        }
    }
    writer.unwrap().close().unwrap();
}

/// What came out: rows, an order-free sum over them, and whether each row's first column ascends.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    rows: usize,
    sum: u64,
    ascending: bool,
}

async fn run(context: &SessionContext, sql: &str) -> Result<Outcome> {
    let mut stream = context.sql(sql).await?.execute_stream().await?;
    let mut outcome = Outcome {
        rows: 0,
        sum: 0,
        ascending: true,
    };
    let mut last = i64::MIN;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        outcome.rows += batch.num_rows();
        outcome.sum = outcome.sum.wrapping_add(sum_of(&batch));
        if let Some(first) = batch.column(0).as_any().downcast_ref::<Int64Array>() {
            for value in first.values() {
                outcome.ascending &= *value >= last;
                last = *value;
            }
        }
    }
    Ok(outcome)
}

/// A sum of the rows' hashes, the same in any order.
fn sum_of(batch: &RecordBatch) -> u64 {
    let mut hashes = vec![0; batch.num_rows()];
    create_hashes(batch.columns(), &RandomState::default(), &mut hashes).unwrap();
    hashes.iter().fold(0, |sum, hash| sum.wrapping_add(*hash))
}

/// A session over the data, as the real one is set up.
struct Limited {
    context: SessionContext,
    memory: Memory,
    _temp: TempDir,
}

async fn session(
    data: &Path,
    limit: u64,
    change: impl Fn(SessionConfig) -> SessionConfig,
) -> Limited {
    let temp = tempfile::tempdir().unwrap();
    let settings = MemorySettings {
        limit: Some(limit),
        ..MemorySettings::new(temp.path().to_owned())
    };
    let (runtime, memory) = build_runtime(&settings).unwrap();
    let config = change(adjust(SessionConfig::new(), limit, THREADS));
    let context = SessionContext::new_with_config_rt(config, runtime);
    let folder = data.to_str().unwrap();
    context
        .register_parquet("t", folder, ParquetReadOptions::default())
        .await
        .unwrap();
    Limited {
        context,
        memory,
        _temp: temp,
    }
}

/// Runs under a limit, with joins that sort if that is what the failure asks for.
async fn run_limited(data: &Path, limit: u64, sql: &str) -> Result<(Outcome, bool)> {
    let first = session(data, limit, |config| config).await;
    let result = run(&first.context, sql).await;
    let (result, used, retried) = match result {
        Err(error)
            if first
                .memory
                .exhausted_by(&error)
                .is_some_and(|found| found.was_join) =>
        {
            let second = session(data, limit, adjust_for_spilling_joins).await;
            (run(&second.context, sql).await, second, true)
        }
        result => (result, first, false),
    };
    let outcome = result?;
    assert!(used.memory.spill().path().is_some(), "it spilled");
    assert_eq!(used.memory.usage().used, 0, "all memory came back");
    assert_eq!(
        used.memory.spill().used(),
        0,
        "all temporary files are gone"
    );
    Ok((outcome, retried))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs a query within `limit` MiB and without limit, and compares.
#[track_caller]
fn check(limit: u64, sql: &str, retried: bool) {
    let data = data();
    let (limited, unlimited) = runtime().block_on(async {
        let limited = run_limited(data.path(), limit * MIB, sql).await;
        let unlimited = session(data.path(), 8 * 1024 * MIB, |config| config).await;
        (limited, run(&unlimited.context, sql).await.unwrap())
    });
    match limited {
        Ok((outcome, was_retried)) => {
            assert_eq!(outcome.rows, unlimited.rows, "{sql}");
            assert_eq!(outcome.sum, unlimited.sum, "{sql}");
            assert_eq!(was_retried, retried, "{sql}");
            if sql.contains("ORDER BY") {
                assert!(outcome.ascending, "{sql}");
            }
        }
        Err(error) => panic!("{sql}: {error}"),
    }
}

/// Copies within `limit` MiB, and compares what the files hold with what was to be copied.
#[track_caller]
fn check_copy(
    limit: u64,
    target: &str,
    clause: &str,
    change: impl Fn(SessionConfig) -> SessionConfig,
) {
    let data = data();
    let output = tempfile::tempdir().unwrap();
    let path = output.path().join(target).to_str().unwrap().to_owned();
    let columns = "SELECT id, key, text, id % 7 AS part FROM";
    let copy = format!("COPY ({columns} t) TO '{path}' STORED AS PARQUET {clause}");
    let (copied, expected) = runtime().block_on(async {
        let limited = session(data.path(), limit * MIB, change).await;
        let rows = limited
            .context
            .sql(&copy)
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        assert_eq!(rows[0].num_rows(), 1);
        let usage = limited.memory.usage();
        assert!(usage.peak <= limit * MIB && usage.used == 0, "{usage:?}");
        let unlimited = session(data.path(), 8 * 1024 * MIB, |config| config).await;
        let part = "part".to_owned();
        let mut options = ParquetReadOptions::default();
        if clause.contains("PARTITIONED") {
            options = options.table_partition_cols(vec![(part, DataType::Int64)]);
        }
        unlimited
            .context
            .register_parquet("copied", &path, options)
            .await
            .unwrap();
        let copied = run(&unlimited.context, "SELECT id, key, text, part FROM copied").await;
        let expected = run(&unlimited.context, &format!("{columns} t")).await;
        (copied.unwrap(), expected.unwrap())
    });
    assert_eq!(
        (copied.rows, copied.sum),
        (expected.rows, expected.sum),
        "{clause}"
    );
}

#[test]
fn a_sort_spills() {
    check(24, "SELECT key, id, text FROM t ORDER BY key", false);
}

#[test]
fn a_sort_by_several_columns_spills() {
    check(
        24,
        "SELECT key % 7, text, key FROM t ORDER BY key % 7, text, key",
        false,
    );
}

#[test]
fn an_aggregation_with_many_groups_spills() {
    let sql = "SELECT key, text, count(*), sum(id), min(text), avg(id) FROM t GROUP BY key, text";
    check(24, sql, false);
}

#[test]
fn a_join_of_large_sides_is_tried_again_and_spills() {
    let sql = "SELECT a.id, b.key, a.text, b.text FROM t a JOIN t b ON a.id = b.key";
    check(24, sql, true);
}

#[test]
fn a_join_aggregated_and_sorted_spills() {
    let sql = "SELECT a.key, count(*), max(a.text), max(b.text) FROM t a JOIN t b ON a.key = b.id \
               GROUP BY a.key ORDER BY a.key";
    check(32, sql, true);
}

#[test]
fn a_nested_loop_join_that_does_not_fit_fails_in_place_of_giving_wrong_rows() {
    let data = data();
    let sql = "SELECT a.id, a.text FROM t a LEFT SEMI JOIN t b \
               ON a.id < b.key - 299990 AND length(a.text) > length(b.text)";
    for stealing in [true, false] {
        let change = |mut config: SessionConfig| {
            config
                .options_mut()
                .execution
                .enable_file_stream_work_stealing = stealing;
            config
        };
        runtime().block_on(async {
            let limited = session(data.path(), 24 * MIB, change).await;
            let error = run(&limited.context, sql).await.unwrap_err();
            let exhausted = limited.memory.exhausted_by(&error).unwrap();
            assert_eq!(exhausted.consumer, NESTED_LOOP_JOIN, "{error}");
            assert!(!exhausted.was_join);
        });
    }
}

#[test]
fn a_copy_to_one_file_stays_within_its_limit() {
    check_copy(24, "all.parquet", "", |config| config);
}

#[test]
fn a_copy_to_several_files_stays_within_its_limit() {
    check_copy(24, "folder/", "", |config| config);
}

#[test]
fn a_partitioned_copy_stays_within_its_limit() {
    let prepared = |config| adjust_for_files(config, 24 * MIB, 7);
    check_copy(24, "parts/", "PARTITIONED BY (part)", prepared);
}
