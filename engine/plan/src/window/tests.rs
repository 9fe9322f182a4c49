use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use lakesh_memory::runtime::{MemorySettings, build_runtime};

use super::ChargeWindows;

const MIB: u64 = 1024 * 1024;

fn context(limit: u64, charged: bool) -> SessionContext {
    let settings = MemorySettings {
        limit: Some(limit),
        ..MemorySettings::new(std::env::temp_dir())
    };
    let (runtime, _) = build_runtime(&settings).expect("a runtime");
    let config = SessionConfig::new()
        .with_batch_size(64)
        .with_target_partitions(3);
    let builder = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime);
    let builder = match charged {
        true => builder.with_physical_optimizer_rule(Arc::new(ChargeWindows)),
        false => builder,
    };
    SessionContext::new_with_state(builder.build())
}

async fn answer(context: &SessionContext, sql: &str) -> Result<String, DataFusionError> {
    let batches = context.sql(sql).await?.collect().await?;
    for batch in &batches {
        assert!(batch.num_rows() <= 64, "{sql}: {} rows", batch.num_rows());
    }
    Ok(pretty_format_batches(&batches)?.to_string())
}

#[tokio::test]
async fn rows_are_those_of_the_operator_that_gathers_all() {
    let rows = "(SELECT value AS n, value / 100 AS k, value % 7 AS m, CASE WHEN value % 11 > 0 THEN 'x' || value END AS s FROM generate_series(1, 1000))";
    for window in [
        "count(*) OVER ()",
        "count(*) OVER (PARTITION BY k)",
        "count(*) OVER (PARTITION BY m), max(s) OVER (PARTITION BY m)",
        "first_value(s) OVER (PARTITION BY k ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
        "sum(n) OVER (PARTITION BY s ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
        "ntile(4) OVER (PARTITION BY k, m ORDER BY n), percent_rank() OVER (PARTITION BY k, m ORDER BY n)",
        "sum(n) OVER (PARTITION BY n)",
        "count(*) OVER (PARTITION BY CASE WHEN n > 500 THEN 1 END)",
        "array_agg(s) OVER (PARTITION BY k), count(*) OVER (PARTITION BY k)",
    ] {
        let sql = format!("SELECT n, {window} FROM {rows} ORDER BY n");
        let sql = format!("SELECT * FROM ({sql}) ORDER BY n");
        let ours = answer(&context(64 * MIB, true), &sql).await.expect(&sql);
        let theirs = context(64 * MIB, false).sql(&sql).await.expect(&sql);
        let theirs = theirs.collect().await.expect(&sql);
        assert_eq!(
            ours,
            pretty_format_batches(&theirs).expect(&sql).to_string(),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn what_is_gathered_is_charged() {
    let all = "SELECT max(value) OVER () FROM generate_series(1, 3000000)";
    let refused = answer(&context(16 * MIB, true), all).await.expect_err(all);
    let text = refused.to_string();
    assert!(text.contains("window functions"), "{text}");
    // A partition at a time fits.
    let each = "SELECT count(*) FROM (SELECT count(*) OVER (PARTITION BY value) AS n FROM generate_series(1, 300000)) WHERE n = 1";
    let fits = answer(&context(32 * MIB, true), each).await.expect(each);
    assert!(fits.contains("300000"), "{fits}");
}

#[tokio::test]
async fn lists_of_a_few_partitions_are_held_at_a_time() {
    // Each partition's rows get a list of all of them: some 240 MB in all.
    let lists = "SELECT sum(array_length(a)) FROM (SELECT array_agg(s) OVER (PARTITION BY k) AS a FROM (SELECT value / 100 AS k, repeat('x', 20) AS s FROM generate_series(1, 100000)))";
    let fits = answer(&context(32 * MIB, true), lists).await.expect(lists);
    assert!(fits.contains("9999802"), "{fits}");
}
