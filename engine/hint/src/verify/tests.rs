//! No result that differs passes as the same: mutated results of random rows.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::answer::{Answer, WHOLE};

/// A generator whose numbers are the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    id: Option<i64>,
    name: Option<String>,
    x: Option<f64>,
    y: Option<f64>,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("x", DataType::Float64, true),
        Field::new("y", DataType::Float64, true),
    ]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.id).collect::<Int64Array>()),
        Arc::new(
            rows.iter()
                .map(|row| row.name.clone())
                .collect::<StringArray>(),
        ),
        Arc::new(rows.iter().map(|row| row.x).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.y).collect::<Float64Array>()),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn rows(random: &mut Random, count: usize) -> Vec<Row> {
    let some = |random: &mut Random| random.below(12) > 0;
    (0..count)
        .map(|_| Row {
            id: some(random).then(|| random.below(count / 2 + 1) as i64),
            name: some(random).then(|| format!("n{}", random.below(9))),
            x: some(random).then(|| random.below(100_000) as f64 / 7.0),
            y: some(random).then(|| random.below(50) as f64 - 25.0),
        })
        .collect()
}

fn answer(rows: &[Row], order: &[usize], whole: usize) -> Answer {
    let mut answer = Answer::new(&schema(), order, whole);
    let all = batch(rows);
    let half = all.num_rows() / 2;
    answer.push(&all.slice(0, half)).unwrap();
    answer
        .push(&all.slice(half, all.num_rows() - half))
        .unwrap();
    answer
}

fn sorted(rows: &[Row]) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort();
    texts
}

/// Changes rows as a wrong rewrite would.
fn mutated(random: &mut Random, rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    let (one, other) = (random.below(rows.len()), random.below(rows.len()));
    match random.below(12) {
        0 => drop(rows.remove(one)),
        1 => rows.push(rows[one].clone()),
        2 => rows[one].id = rows[one].id.map_or(Some(0), |id| Some(id + 1)),
        3 => rows[one].name = None,
        4 => rows[one].x = rows[one].x.map(|x| x * (1.0 + 1e-6) + 1e-4),
        5 => rows[one].y = None,
        6 => {
            let id = rows[one].id;
            rows[one].id = rows[other].id;
            rows[other].id = id;
        }
        7 => {
            let x = rows[one].x;
            rows[one].x = rows[other].x;
            rows[other].x = x;
        }
        8 => {
            let y = rows[one].y;
            rows[one].y = rows[other].y;
            rows[other].y = y;
        }
        9 => rows[one] = rows[other].clone(),
        10 => rows[one].x = Some(f64::NAN),
        _ => rows[one].name = rows[one].name.as_ref().map(|name| format!("{name} ")),
    }
    rows
}

#[test]
fn mutated_results_do_not_pass() {
    let mut random = Random(20_260_401);
    let mut different = 0;
    for round in 0..4000 {
        let count = 2 + random.below(60);
        let before = rows(&mut random, count);
        let after = mutated(&mut random, &before);
        // Digests have to tell apart what is compared row by row where it is small.
        let whole = if round % 2 == 0 { WHOLE } else { 0 };
        let same = sorted(&before) == sorted(&after);
        different += usize::from(!same);
        let found = answer(&before, &[], whole).differs_from(&answer(&after, &[], whole));
        assert_eq!(
            found.is_none(),
            same,
            "round {round}: {before:?} and {after:?}"
        );
    }
    assert!(different >= 1000, "{different}");
}

#[test]
fn another_order_passes_only_where_none_is_asked_for() {
    let mut random = Random(7);
    for whole in [WHOLE, 0] {
        let mut before = rows(&mut random, 200);
        before.iter_mut().enumerate().for_each(|(place, row)| {
            row.id = Some(place as i64);
            row.x = Some(place as f64);
        });
        let all = batch(&before);
        let turned: UInt32Array = (0..200_u32).rev().collect();
        let turned = take_record_batch(&all, &turned).unwrap();
        for (order, same) in [(vec![], true), (vec![0], false), (vec![2], false)] {
            let mut one = Answer::new(&schema(), &order, whole);
            one.push(&all).unwrap();
            let mut other = Answer::new(&schema(), &order, whole);
            other.push(&turned).unwrap();
            assert_eq!(
                one.differs_from(&other).is_none(),
                same,
                "{order:?} {whole}"
            );
            assert_eq!(one.differs_from(&one), None);
        }
    }
}

#[test]
fn numbers_within_the_tolerance_pass() {
    let mut random = Random(99);
    for whole in [WHOLE, 0] {
        let before = rows(&mut random, 300);
        let mut after = before.clone();
        after.reverse();
        for row in &mut after {
            row.x = row.x.map(|x| x * (1.0 + 1e-13));
        }
        let found = answer(&before, &[], whole).differs_from(&answer(&after, &[], whole));
        assert_eq!(found, None);
    }
}

#[test]
fn other_columns_do_not_pass() {
    let one = Answer::new(&schema(), &[], WHOLE);
    let other = Schema::new(vec![Field::new("id", DataType::Int64, true)]);
    let other = Answer::new(&Arc::new(other), &[], WHOLE);
    assert!(one.differs_from(&other).is_some());
}

#[test]
fn a_large_number_does_not_hide_small_ones() {
    let mut random = Random(5);
    for whole in [WHOLE, 0] {
        let mut before = rows(&mut random, 4);
        let mut after = before.clone();
        for (place, (large, small)) in [(1e15, 1e15), (36.67, 10.0)].into_iter().enumerate() {
            before[place].x = Some(large);
            after[place].x = Some(small);
        }
        let found = answer(&before, &[], whole).differs_from(&answer(&after, &[], whole));
        assert!(found.is_some(), "{whole}");
    }
}

fn times(pairs: &[(u64, u64)]) -> Vec<super::Times> {
    let millis = std::time::Duration::from_millis;
    let pairs = pairs.iter();
    pairs
        .map(|(baseline, hinted)| (millis(*baseline), millis(*hinted)))
        .collect()
}

#[test]
fn a_small_gain_is_measured_longer_and_counts_only_if_it_is_steady() {
    assert!(super::wants_more(&[]));
    assert!(super::wants_more(&times(&[(100, 10), (100, 10)])));
    // Large, or none: three pairs tell.
    assert!(!super::wants_more(&times(&[(100, 10); 3])));
    assert!(!super::wants_more(&times(&[(100, 99); 3])));
    assert!(super::wants_more(&times(&[(100, 80); 3])));
    assert!(super::wants_more(&times(&[(100, 80); 8])));
    assert!(!super::wants_more(&times(&[(100, 80); 9])));

    assert!(super::is_faster(&times(&[(100, 80); 3])));
    assert!(!super::is_faster(&times(&[(100, 95); 9])), "too little");
    assert!(!super::is_faster(&times(&[
        (100, 50),
        (100, 50),
        (100, 120)
    ])));
    let mut nine = times(&[(100, 80); 8]);
    nine.extend(times(&[(100, 120)]));
    assert!(super::is_faster(&nine));
    nine[0] = nine[8];
    assert!(!super::is_faster(&nine), "by chance");
}
