//! The operator against DataFusion's: the same rows in the same order, whatever types, NULLs and memory.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int16Array, Int64Array, RecordBatch,
    StringArray, UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::catalog::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::SessionContext;
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use tokio::runtime::Runtime;

use super::{KeySortExec, SortByKeys};
use crate::FeatureCodec;
use crate::testing::{Random, rows, session};

fn with_rule(session: &SessionContext) -> SessionContext {
    let state = SessionStateBuilder::new_from_existing(session.state())
        .with_physical_optimizer_rule(Arc::new(SortByKeys))
        .build();
    SessionContext::new_with_state(state)
}

fn with_memory(session: &SessionContext, bytes: usize) -> SessionContext {
    let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(bytes));
    let environment = RuntimeEnvBuilder::new().with_memory_pool(pool);
    let mut config = session.copied_config();
    config.options_mut().execution.sort_spill_reservation_bytes = 200_000;
    let state = SessionStateBuilder::new_from_existing(session.state())
        .with_config(config)
        .with_runtime_env(environment.build_arc().unwrap())
        .build();
    SessionContext::new_with_state(state)
}

/// Values of one kind, some of them NULL.
fn values<T>(
    random: &mut Random,
    rows: usize,
    nulls: u64,
    mut value: impl FnMut(&mut Random) -> T,
) -> Vec<Option<T>> {
    let mut one =
        |random: &mut Random| (nulls == 0 || !random.one_in(nulls)).then(|| value(random));
    (0..rows).map(|_| one(random)).collect()
}

fn wide_integer(random: &mut Random) -> i64 {
    match random.below(8) {
        0 => i64::MIN,
        1 => i64::MAX,
        2 => -1,
        _ => random.next().cast_signed(),
    }
}

fn float(random: &mut Random) -> f64 {
    const ODD: [f64; 8] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        f64::MIN_POSITIVE,
        -1e300,
        f64::MAX,
    ];
    match random.below(24) {
        place @ 0..8 => ODD[place as usize],
        _ => f64::from(random.next() as i32) / 1000.0,
    }
}

/// A table with a column of each kind of key, `id` being the place of the row.
fn table(random: &mut Random, batches: &[usize], nulls: u64) -> (MemTable, Vec<String>) {
    let mut first = 0;
    let mut made = Vec::new();
    let mut names = Vec::new();
    for rows in batches {
        let rows = *rows;
        let small: ArrayRef = Arc::new(Int64Array::from(values(random, rows, nulls, |random| {
            random.below(5) as i64 - 2
        })));
        let wide: ArrayRef = Arc::new(Int64Array::from(values(random, rows, nulls, wide_integer)));
        let unsigned: ArrayRef =
            Arc::new(UInt64Array::from(values(random, rows, nulls, Random::next)));
        let double: ArrayRef = Arc::new(Float64Array::from(values(random, rows, nulls, float)));
        let single: ArrayRef =
            Arc::new(Float32Array::from(values(random, rows, nulls, |random| {
                float(random) as f32
            })));
        let flag: ArrayRef = Arc::new(BooleanArray::from(values(random, rows, nulls, |random| {
            random.one_in(2)
        })));
        let short: ArrayRef = Arc::new(Int16Array::from(values(random, rows, nulls, |random| {
            random.next() as i16
        })));
        let of_type = |array: &ArrayRef, data_type| cast(array, &data_type).unwrap();
        let text = values(random, rows, nulls, |random| {
            format!("é{}", random.below(9))
        });
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                "id",
                Arc::new(Int64Array::from_iter_values(first..first + rows as i64)),
            ),
            (
                "date",
                of_type(&of_type(&short, DataType::Int32), DataType::Date32),
            ),
            (
                "time",
                of_type(
                    &of_type(&small, DataType::Int32),
                    DataType::Time32(TimeUnit::Second),
                ),
            ),
            (
                "ts",
                of_type(
                    &wide,
                    DataType::Timestamp(TimeUnit::Microsecond, Some("+02:00".into())),
                ),
            ),
            (
                "duration",
                of_type(&wide, DataType::Duration(TimeUnit::Nanosecond)),
            ),
            (
                "nothing",
                of_type(
                    &(Arc::new(Int64Array::from(vec![None; rows])) as ArrayRef),
                    DataType::Int32,
                ),
            ),
            ("constant", Arc::new(Int64Array::from(vec![7; rows]))),
            ("half", of_type(&single, DataType::Float16)),
            ("text", Arc::new(StringArray::from(text))),
            ("small", small),
            ("wide", wide),
            ("unsigned", unsigned),
            ("double", double),
            ("single", single),
            ("flag", flag),
            ("short", short),
        ];
        first += rows as i64;
        names = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let fields = columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = columns.into_iter().map(|(_, array)| array).collect();
        made.push(RecordBatch::try_new(schema, columns).unwrap());
    }
    names.retain(|name| name != "id" && name != "text");
    (
        MemTable::try_new(made[0].schema(), vec![made]).unwrap(),
        names,
    )
}

fn keys(random: &mut Random, names: &[String]) -> String {
    let count = 1 + random.below(3);
    let one = |random: &mut Random| {
        let name = &names[random.below(names.len() as u64) as usize];
        let direction =
            ["", " asc nulls first", " desc", " desc nulls last"][random.below(4) as usize];
        format!("{name}{direction}")
    };
    let keys: Vec<_> = (0..count).map(|_| one(random)).collect();
    keys.join(", ")
}

fn plan(runtime: &Runtime, session: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    runtime.block_on(async {
        let frame = session.sql(sql).await.unwrap();
        frame.create_physical_plan().await.unwrap()
    })
}

fn sort_of(plan: &Arc<dyn ExecutionPlan>) -> &KeySortExec {
    let shown = displayable(plan.as_ref()).indent(true).to_string();
    let mut node = plan;
    loop {
        if let Some(sort) = node.downcast_ref() {
            return sort;
        }
        let children = node.children();
        node = children
            .first()
            .unwrap_or_else(|| panic!("no KeySortExec: {shown}"));
    }
}

#[test]
fn rows_come_in_the_order_of_datafusion() {
    let runtime = Runtime::new().unwrap();
    let mut random = Random(11);
    for round in 0..60 {
        let nulls = [0, 2, 10][round % 3];
        let batches: &[usize] = [&[700, 1, 299][..], &[1], &[1000, 1500, 10]][round / 3 % 3];
        let (table, names) = table(&mut random, batches, nulls);
        let portable = session(1, [8192, 100, 7][round % 3]);
        portable.register_table("t", Arc::new(table)).unwrap();
        let session = with_rule(&portable);
        let keys = keys(&mut random, &names);
        // Rows of equal keys keep their order, so that `id` must make no difference, where the keys fit.
        let with = format!("select * from t order by {keys}, id");
        let without = format!("select * from t order by {keys}");
        sort_of(&plan(&runtime, &session, &without));
        let expected = runtime.block_on(rows(&portable, &with)).unwrap();
        assert_eq!(expected.len(), batches.iter().sum::<usize>());
        let wide = ["wide", "ts", "duration", "unsigned", "double"];
        let wide = names
            .iter()
            .filter(|name| wide.contains(&name.as_str()) && keys.contains(*name));
        let sql = if wide.count() > 1 { with } else { without };
        let found = runtime.block_on(rows(&session, &sql)).unwrap();
        assert!(found == expected, "{sql}, NULL one in {nulls}");
    }
}

#[test]
fn where_memory_is_refused_datafusion_takes_over_and_nothing_is_lost() {
    let runtime = Runtime::new().unwrap();
    let (table, _) = table(&mut Random(5), &[2000; 20], 10);
    let portable = session(1, 8192);
    portable.register_table("t", Arc::new(table)).unwrap();
    let sql = "select * from t order by small desc, date, id";
    let expected = runtime.block_on(rows(&portable, sql)).unwrap();
    for (bytes, spills) in [(30_000_000, false), (2_000_000, true), (1_000_000, true)] {
        let session = with_memory(&with_rule(&portable), bytes);
        let found = runtime.block_on(rows(&session, sql)).unwrap();
        assert!(found == expected, "{bytes} bytes");
        let plan = plan(&runtime, &session, sql);
        let collected = runtime
            .block_on(collect(Arc::clone(&plan), session.task_ctx()))
            .unwrap();
        assert_eq!(
            collected.iter().map(RecordBatch::num_rows).sum::<usize>(),
            40_000
        );
        let metrics = sort_of(&plan).metrics().unwrap();
        assert_eq!(metrics.output_rows(), Some(40_000));
        assert_eq!(
            metrics.spill_count().unwrap_or(0) > 0,
            spills,
            "{bytes} bytes"
        );
        assert_eq!(session.runtime_env().memory_pool.reserved(), 0);
    }
}

#[test]
fn keys_that_are_too_wide_are_left_to_datafusion() {
    let runtime = Runtime::new().unwrap();
    let (table, _) = table(&mut Random(8), &[1000, 1000], 10);
    let portable = session(1, 8192);
    portable.register_table("t", Arc::new(table)).unwrap();
    let session = with_rule(&portable);
    // Two columns of 65 bits.
    let sql = "select * from t order by wide, double desc, id";
    let plan = plan(&runtime, &session, sql);
    sort_of(&plan);
    let found = runtime.block_on(rows(&session, sql)).unwrap();
    assert!(found == runtime.block_on(rows(&portable, sql)).unwrap());
}

#[test]
fn other_sorts_are_left_alone() {
    let runtime = Runtime::new().unwrap();
    let (table, _) = table(&mut Random(8), &[10], 0);
    let portable = session(1, 8192);
    portable.register_table("t", Arc::new(table)).unwrap();
    let session = with_rule(&portable);
    for sql in [
        "select * from t order by text",
        "select * from t order by small, text",
        "select * from t order by id limit 3",
        "select * from t order by random()",
        "select id::decimal(30, 2) as d from t order by d",
    ] {
        let plan = plan(&runtime, &session, sql);
        let shown = displayable(plan.as_ref()).indent(true).to_string();
        assert!(
            shown.contains("SortExec") && !shown.contains("KeySortExec"),
            "{sql}: {shown}"
        );
    }
}

#[test]
fn the_operator_comes_back_from_the_wire() {
    let runtime = Runtime::new().unwrap();
    let (table, _) = table(&mut Random(8), &[100], 0);
    let portable = session(3, 10);
    portable.register_table("t", Arc::new(table)).unwrap();
    let session = with_rule(&portable);
    let values =
        "select * from (values (3, 1.5), (1, 2.5), (2, 0.5)) as v(a, b) order by a desc nulls last";
    let planned = plan(&runtime, &session, values);
    let bytes =
        physical_plan_to_bytes_with_extension_codec(Arc::clone(&planned), &FeatureCodec).unwrap();
    let back =
        physical_plan_from_bytes_with_extension_codec(&bytes, &session.task_ctx(), &FeatureCodec)
            .unwrap();
    let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
    assert_eq!(shown(&back), shown(&planned));
    assert_eq!(
        sort_of(&back).original().expr(),
        sort_of(&planned).original().expr()
    );
    let collected = |plan| runtime.block_on(collect(plan, session.task_ctx())).unwrap();
    assert_eq!(collected(back), collected(planned));
}
