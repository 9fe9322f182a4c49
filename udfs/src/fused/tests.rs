//! The operator against the portable functions: the same rows, bit by bit, however batches are cut.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::SessionContext;
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use datafusion_proto::physical_plan::{DefaultPhysicalProtoConverter, PhysicalExtensionCodec};
use tokio::runtime::Runtime;

use super::{FeatureCodec, FuseFeatures};
use crate::testing::{rows, session};

fn fusing(session: &SessionContext) -> SessionContext {
    let state = SessionStateBuilder::new_from_existing(session.state())
        .with_physical_optimizer_rule(Arc::new(FuseFeatures))
        .build();
    SessionContext::new_with_state(state)
}

/// Rows in groups of many sizes, with NULL, odd values, ties, and a NULL group.
const EVENTS: &str = "(select value as id,
    case when value % 1009 < 300 then value % 5 when value % 1009 < 600 then null else value / 400 end as g,
    case when value % 11 = 0 then null when value % 97 = 5 then 'NaN'::double when value % 89 = 5 then 1e16
         when value % 13 = 0 then value % 3 else sin(value) * 1000 end as x,
    case when value % 17 = 0 then null else (value * 7919) % 1000 end as n,
    to_timestamp(1767225600 + value * 1020) as ts
    from generate_series(1, 3000))";

const CALLS: [&str; 16] = [
    "momentum(x)",
    "momentum(x, 'ratio')",
    "momentum(n::decimal(12, 3))",
    "volatility(x)",
    "volatility(n, 'cv')",
    "trend_slope(x)",
    "trend_slope(n, ts)",
    "rolling_rank(x)",
    "rolling_rank(n, 'dense')",
    "rolling_rank(n::decimal(12, 3), 'max', true)",
    "minmax_range(x)",
    "minmax_range(ts)",
    "delta(n)",
    "delta(ts, 3)",
    "delta(x, 40)",
    "pct_change(n, 2)",
];

fn query(frame: &str, others: &str) -> String {
    let calls = CALLS.map(|call| format!("{call} over w")).join(", ");
    format!(
        "select id, {others} {calls} from {EVENTS} window w as (partition by g order by id {frame}) order by id"
    )
}

fn plan(runtime: &Runtime, session: &SessionContext, sql: &str) -> String {
    let found = runtime.block_on(rows(session, &format!("explain {sql}")));
    found.unwrap().join("\n")
}

#[test]
fn the_operator_gives_what_the_functions_give() {
    let runtime = Runtime::new().unwrap();
    for frame in [
        "rows between 6 preceding and current row",
        "rows between 200 preceding and current row",
        "rows unbounded preceding",
        "rows between current row and current row",
    ] {
        let sql = query(frame, "");
        let expected = runtime.block_on(rows(&session(1, 8192), &sql)).unwrap();
        assert_eq!(expected.len(), 3000);
        for (partitions, batch_size) in [(1, 8192), (4, 3), (2, 100)] {
            let session = fusing(&session(partitions, batch_size));
            let plan = plan(&runtime, &session, &sql);
            assert!(plan.contains("FeatureWindowExec"), "{plan}");
            assert!(!plan.contains("WindowAggExec"), "{plan}");
            let found = runtime.block_on(rows(&session, &sql)).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{frame}, batches of {batch_size}");
            }
            assert_eq!(found.len(), expected.len());
        }
    }
}

#[test]
fn other_functions_stay_with_datafusion() {
    let runtime = Runtime::new().unwrap();
    for others in [
        "row_number() over w as place, sum(n) over w as total,",
        "lead(n) over w as next, max(n) over (partition by g order by id rows between 1 preceding and unbounded following) as most,",
        "volatility(x) over (partition by g order by id rows between 1 preceding and 1 following) as around,",
    ] {
        let sql = query("rows between 6 preceding and current row", others);
        let portable = session(2, 500);
        let session = fusing(&portable);
        let plan = plan(&runtime, &session, &sql);
        assert!(plan.contains("FeatureWindowExec"), "{plan}");
        assert!(plan.contains("WindowAggExec"), "{plan}");
        let expected = runtime.block_on(rows(&portable, &sql)).unwrap();
        let found = runtime.block_on(rows(&session, &sql)).unwrap();
        assert!(found == expected, "{others}");
    }
}

#[test]
fn a_whole_table_is_one_partition() {
    let runtime = Runtime::new().unwrap();
    let sql = "select value, trend_slope(value) over (order by value rows between 3 preceding and current row), delta(value, 2) over (order by value) from generate_series(1, 50) order by value";
    let portable = session(2, 7);
    let expected = runtime.block_on(rows(&portable, sql)).unwrap();
    let found = runtime.block_on(rows(&fusing(&portable), sql)).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn what_frames_hold_is_charged_to_the_pool() {
    let runtime = Runtime::new().unwrap();
    let portable = session(1, 8192);
    let pool = Arc::new(GreedyMemoryPool::new(2_000_000));
    let environment = RuntimeEnvBuilder::new().with_memory_pool(pool);
    let state = SessionStateBuilder::new_from_existing(portable.state())
        .with_runtime_env(environment.build_arc().unwrap())
        .with_physical_optimizer_rule(Arc::new(FuseFeatures))
        .build();
    let session = SessionContext::new_with_state(state);
    let sql = |rows: usize| {
        format!(
            "select max(v) from (select volatility(value) over (order by value rows between {rows} preceding and current row) as v from generate_series(1, 100000))"
        )
    };
    let small = runtime.block_on(rows(&session, &sql(1000)));
    assert_eq!(small.unwrap().len(), 1);
    let error = runtime.block_on(rows(&session, &sql(90_000))).unwrap_err();
    assert!(error.to_string().contains("FeatureWindow"), "{error}");
}

#[test]
fn the_operator_comes_back_from_the_wire() {
    let runtime = Runtime::new().unwrap();
    for (partitions, others) in [(1, ""), (3, ""), (3, "avg(x) over w, ")] {
        let session = fusing(&session(partitions, 100));
        let sql = query("rows between 6 preceding and current row", others);
        let planned = runtime.block_on(async {
            let frame = session.sql(&sql).await.unwrap();
            frame.create_physical_plan().await.unwrap()
        });
        let bytes =
            physical_plan_to_bytes_with_extension_codec(Arc::clone(&planned), &FeatureCodec)
                .unwrap();
        let context = session.task_ctx();
        let back =
            physical_plan_from_bytes_with_extension_codec(&bytes, &context, &FeatureCodec).unwrap();
        let shown =
            |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
        assert_eq!(shown(&back), shown(&planned));
        assert!(shown(&back).contains("FeatureWindowExec"));
        let collected = |plan| runtime.block_on(collect(plan, session.task_ctx())).unwrap();
        let text = |batches: &[RecordBatch]| pretty_format_batches(batches).unwrap().to_string();
        assert_eq!(text(&collected(back)), text(&collected(planned)));
    }
}

#[test]
fn the_codec_refuses_what_is_not_its_own() {
    let session = session(1, 100);
    let context = session.task_ctx();
    let converter = DefaultPhysicalProtoConverter {};
    let foreign: Arc<dyn ExecutionPlan> = Arc::new(EmptyExec::new(Arc::new(Schema::empty())));
    assert!(
        FeatureCodec
            .try_encode(Arc::clone(&foreign), &mut Vec::new(), &converter)
            .is_err()
    );
    for bytes in [
        &b""[..],
        b"other",
        b"lakesh.FeatureWindowExec.1\xff\xff",
        b"lakesh.FeatureWindowExec.1",
    ] {
        assert!(
            FeatureCodec
                .try_decode(bytes, &[Arc::clone(&foreign)], &context, &converter)
                .is_err()
        );
    }
}
