//! Observations of plans that ran, against what is known of their data.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use super::{Considered, Estimate, Observation, Operator};

fn batch(values: std::ops::Range<i64>) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("a", DataType::Int64, false)]);
    let column = Int64Array::from_iter_values(values);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]).unwrap()
}

/// A context with `t`: a file of 4,000 ascending numbers in four row groups.
async fn context(folder: &tempfile::TempDir) -> SessionContext {
    let path = folder.path().join("t.parquet");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(1000))
        .build();
    let rows = batch(0..4000);
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let config = SessionConfig::new().with_target_partitions(2);
    let context = SessionContext::new_with_config(config);
    let path = path.to_str().unwrap();
    context
        .register_parquet("t", path, ParquetReadOptions::default())
        .await
        .unwrap();
    context
}

async fn plan(context: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    let frame = context.sql(sql).await.unwrap();
    frame.create_physical_plan().await.unwrap()
}

async fn ran(context: &SessionContext, sql: &str) -> Observation {
    let plan = plan(context, sql).await;
    collect(Arc::clone(&plan), context.task_ctx())
        .await
        .unwrap();
    Observation::of(&plan)
}

#[track_caller]
fn named<'a>(observation: &'a Observation, name: &str) -> &'a Operator {
    let mut found = observation.operators.iter();
    found.find(|operator| operator.name == name).unwrap()
}

#[tokio::test]
async fn a_scan_tells_what_it_read_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(&folder).await;
    let observed = ran(&context, "SELECT a FROM t WHERE a >= 3500").await;
    let scan = named(&observed, "DataSourceExec");
    assert_eq!(scan.row_groups, Some(Considered { all: 4, pruned: 3 }));
    assert_eq!(scan.files, Some(Considered { all: 1, pruned: 0 }));
    assert_eq!(observed.row_groups(), scan.row_groups);
    assert!(scan.bytes_scanned > Some(0), "{scan:?}");
    assert_eq!(observed.bytes_scanned(), scan.bytes_scanned);
    assert!(scan.line.starts_with("DataSourceExec: "), "{}", scan.line);
    assert!(scan.elapsed > Some(Duration::ZERO), "{scan:?}");
    assert_eq!(named(&observed, "FilterExec").rows, Some(500));
    assert_eq!(scan.count("files_opened"), scan.count("files_processed"));
}

#[tokio::test]
async fn nodes_come_in_preorder_and_know_their_pipelines() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(&folder).await;
    let sql = "SELECT l.a % 10 AS k, count(*) AS n FROM t l JOIN t r ON l.a = r.a + 1 \
               GROUP BY k ORDER BY n";
    let observed = ran(&context, sql).await;
    for (position, operator) in observed.operators.iter().enumerate() {
        assert_eq!(operator.id, position);
        let parent = operator.parent.map(|parent| &observed.operators[parent]);
        assert_eq!(parent.map_or(0, |parent| parent.depth + 1), operator.depth);
        if let Some(parent) = parent {
            assert!(
                observed
                    .children(parent.id)
                    .any(|child| child.id == position)
            );
        }
    }
    assert_eq!(observed.subtree(0).len(), observed.operators.len());
    let join = named(&observed, "HashJoinExec");
    assert_eq!(join.rows, Some(3999));
    let inputs: Vec<_> = observed.children(join.id).collect();
    assert_eq!(inputs.len(), 2);
    // The build side waits; the other one flows on with the join.
    assert_ne!(inputs[0].pipeline, join.pipeline);
    assert_eq!(inputs[1].pipeline, join.pipeline);
    let sort = named(&observed, "SortExec");
    assert!(
        observed
            .children(sort.id)
            .all(|child| child.pipeline > sort.pipeline)
    );
    let exchange = named(&observed, "RepartitionExec");
    assert_eq!(exchange.repartitioned_rows, exchange.rows);
    assert!(exchange.repartitioned_rows.is_some());
    assert!(join.peak_memory > Some(0), "{join:?}");
}

#[tokio::test]
async fn estimates_are_there_before_a_plan_runs() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(&folder).await;
    let plan = plan(&context, "SELECT a FROM t").await;
    let before = Observation::of(&plan);
    let scan = named(&before, "DataSourceExec");
    let rows = Estimate {
        value: 4000,
        exact: true,
    };
    assert_eq!(scan.estimated_rows, Some(rows));
    assert_eq!((scan.rows, scan.misestimate()), (None, None));
    assert_eq!(scan.files, Some(Considered { all: 1, pruned: 0 }));
    collect(Arc::clone(&plan), context.task_ctx())
        .await
        .unwrap();
    let after = Observation::of(&plan);
    assert_eq!(named(&after, "DataSourceExec").misestimate(), Some(1.0));
}

#[tokio::test]
async fn a_large_partition_is_skew() {
    let config = SessionConfig::new().with_target_partitions(2);
    let context = SessionContext::new_with_config(config);
    let parts = vec![vec![batch(0..1000)], vec![batch(0..100)]];
    let table = MemTable::try_new(batch(0..1).schema(), parts).unwrap();
    context.register_table("m", Arc::new(table)).unwrap();
    let observed = ran(&context, "SELECT a FROM m WHERE a >= 0").await;
    assert_eq!(named(&observed, "FilterExec").skew, Some(10.0));
    assert_eq!(observed.files(), None);
    let mut operator = named(&observed, "FilterExec").clone();
    operator.estimated_rows = Some(Estimate {
        value: 11,
        exact: false,
    });
    assert_eq!(operator.misestimate(), Some(100.0));
}
