//! The merge against a search of all pairs, over random rows in batches of random sizes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, UnboundedMemoryPool};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::executor::block_on;
use futures::stream;

use super::{Matching, Merge, Side};

/// A key, a time, and the row's place among the rows of its side.
type Row = (Option<i64>, Option<i64>, i64);

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// One of few numbers, so that many are equal; now and then none.
    fn value(&mut self, bound: u64) -> Option<i64> {
        (self.below(10) > 0).then(|| i64::try_from(self.below(bound)).unwrap())
    }

    /// Rows in the order that the merge needs: by key and time, those without one first.
    fn rows(&mut self, has_keys: bool) -> Vec<Row> {
        let count = self.below(20);
        let mut rows: Vec<Row> = (0..count)
            .map(|_| {
                let key = if has_keys { self.value(3) } else { Some(0) };
                (key, self.value(6), 0)
            })
            .collect();
        rows.sort();
        for (place, row) in rows.iter_mut().enumerate() {
            row.2 = i64::try_from(place).unwrap();
        }
        rows
    }

    fn side(&mut self, rows: &[Row], has_keys: bool) -> Side {
        let mut batches: Vec<Result<RecordBatch, DataFusionError>> = Vec::new();
        let mut rest = rows;
        while !rest.is_empty() {
            let size = usize::try_from(self.below(5)).unwrap().min(rest.len());
            let (now, later) = rest.split_at(size);
            batches.push(Ok(batch(now)));
            rest = later;
        }
        let stream = RecordBatchStreamAdapter::new(schema(), stream::iter(batches));
        let column =
            |name: &str, place| Arc::new(Column::new(name, place)) as Arc<dyn PhysicalExpr>;
        let (keys, types) = match has_keys {
            true => (vec![column("k", 0)], vec![DataType::Int64]),
            false => (Vec::new(), Vec::new()),
        };
        let time = column("t", 1);
        Side::new(Box::pin(stream), keys, time, &types, &DataType::Int64).unwrap()
    }
}

fn schema() -> SchemaRef {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![field("k"), field("t"), field("id")]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let column = |of: &dyn Fn(&Row) -> Option<i64>| {
        Arc::new(rows.iter().map(of).collect::<Int64Array>()) as Arc<dyn Array>
    };
    let columns = vec![
        column(&|row| row.0),
        column(&|row| row.1),
        column(&|row| Some(row.2)),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// The rows that belong together, as the merge finds them.
fn merged(left: Side, right: Side, matching: Matching, size: usize) -> Vec<(i64, Option<i64>)> {
    let fields = schema()
        .fields()
        .iter()
        .chain(schema().fields())
        .cloned()
        .collect::<Vec<_>>();
    let both = Arc::new(Schema::new(fields));
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let reservation = MemoryConsumer::new("test").register(&pool);
    let mut merge = Merge::new(left, right, matching, both, schema(), size, reservation);
    let mut pairs = Vec::new();
    block_on(async {
        while let Some(batch) = merge.next().await.unwrap() {
            assert!(batch.num_rows() > 0 && batch.num_rows() <= size);
            let of_left = batch.column(2).as_primitive::<Int64Type>();
            let of_right = batch.column(5).as_primitive::<Int64Type>();
            pairs.extend(of_left.values().iter().copied().zip(of_right.iter()));
        }
    });
    pairs
}

/// The same, by looking at all right rows for each left row.
fn searched(left: &[Row], right: &[Row], matching: Matching) -> Vec<(i64, Option<i64>)> {
    let mut pairs = Vec::new();
    for (key, time, id) in left {
        let fits = |other: &&Row| {
            let (Some(_), Some(time), Some(of_other)) = (key, time, other.1) else {
                return false;
            };
            let in_time = match (matching.backward, matching.or_equal) {
                (true, true) => of_other <= *time,
                (true, false) => of_other < *time,
                (false, true) => of_other >= *time,
                (false, false) => of_other > *time,
            };
            other.0 == *key && in_time
        };
        // Of several rows of the best time, the one that is nearest in the order of the rows.
        let found = match matching.backward {
            true => right.iter().rfind(fits),
            false => right.iter().find(fits),
        };
        if found.is_some() || matching.outer {
            pairs.push((*id, found.map(|row| row.2)));
        }
    }
    pairs
}

#[test]
fn the_merge_finds_what_a_search_finds() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut matches = 0;
    for round in 0..2000_u32 {
        let matching = Matching {
            backward: round & 1 == 0,
            or_equal: round & 2 == 0,
            outer: round & 4 == 0,
        };
        let has_keys = round & 8 == 0;
        let (of_left, of_right) = (random.rows(has_keys), random.rows(has_keys));
        let expected = searched(&of_left, &of_right, matching);
        matches += expected.iter().filter(|(_, found)| found.is_some()).count();
        let left = random.side(&of_left, has_keys);
        let right = random.side(&of_right, has_keys);
        let size = 1 + usize::try_from(random.below(6)).unwrap();
        let found = merged(left, right, matching, size);
        assert_eq!(found, expected, "{matching:?} {of_left:?} {of_right:?}");
    }
    assert!(matches > 2000, "{matches}");
}
