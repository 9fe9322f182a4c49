use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::string_agg::string_agg_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::var_samp_udaf;
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};

use super::function::{Manner, Sliding};
use crate::window_aggregate::{self, call};

fn numbers(rows: usize) -> ArrayRef {
    let value = |row: usize| (row % 7 != 3).then_some((row * 37 % 101) as f64 - 50.0);
    Arc::new((0..rows).map(value).collect::<Float64Array>())
}

fn function(
    theirs: Arc<AggregateUDF>,
    manner: Manner,
    types: &[DataType],
) -> AggregateFunctionExpr {
    let fields: Vec<FieldRef> = types
        .iter()
        .map(|data_type| Arc::new(Field::new("x", data_type.clone(), true)) as _)
        .collect();
    let mut arguments: Vec<Arc<dyn PhysicalExpr>> = vec![Arc::new(Column::new("x", 0))];
    if types.len() > 1 {
        let comma = ScalarValue::Utf8(Some(",".to_owned()));
        arguments.push(Arc::new(Literal::new(comma)));
    }
    let plain = window_aggregate::Manner {
        is_distinct: false,
        ignores_nulls: false,
    };
    call(&Sliding::over(theirs, manner), &arguments, &fields, plain).expect("it is a call")
}

/// Slides a frame over columns and compares with what each frame gives alone.
#[track_caller]
fn check(function: &AggregateFunctionExpr, columns: &[ArrayRef], frame: usize, step: usize) {
    let rows = columns[0].len();
    let slices = |start: usize, end: usize| -> Vec<ArrayRef> {
        let columns = columns.iter();
        columns
            .map(|column| column.slice(start, end - start))
            .collect()
    };
    let mut sliding = function.create_sliding_accumulator().expect("it slides");
    let (mut start, mut end) = (0, 0);
    while end < rows {
        let next = (end + step).min(rows);
        sliding.update_batch(&slices(end, next)).expect("rows come");
        end = next;
        let first = end.saturating_sub(frame);
        sliding
            .retract_batch(&slices(start, first))
            .expect("rows go");
        start = first;
        let mut alone = function.create_accumulator().expect("it adds up");
        alone.update_batch(&slices(start, end)).expect("rows come");
        let expected = alone.evaluate().expect("it has a result");
        let found = sliding.evaluate().expect("it has a result");
        assert_same(&found, &expected);
        assert_same(
            &sliding.evaluate().expect("it can be asked again"),
            &expected,
        );
    }
}

#[track_caller]
fn assert_same(found: &ScalarValue, expected: &ScalarValue) {
    match (found, expected) {
        (ScalarValue::Float64(Some(found)), ScalarValue::Float64(Some(expected))) => {
            let scale = expected.abs().max(1.0);
            assert!(
                (found - expected).abs() <= 1e-9 * scale,
                "{found} {expected}"
            );
        }
        _ => assert_eq!(found, expected),
    }
}

#[test]
fn a_frame_gives_what_its_rows_give_alone() {
    let variance = function(var_samp_udaf(), Manner::Merge, &[DataType::Float64]);
    let sum = function(sum_udaf(), Manner::Merge, &[DataType::Float64]);
    for (rows, frame, step) in [
        (40, 1, 1),
        (40, 7, 1),
        (40, 9, 4),
        (1500, 600, 1),
        (2000, 700, 13),
    ] {
        check(&variance, &[numbers(rows)], frame, step);
        check(&sum, &[numbers(rows)], frame, step);
    }
}

#[test]
fn a_frame_that_only_shrinks() {
    let sum = function(sum_udaf(), Manner::Merge, &[DataType::Float64]);
    let values = numbers(1000);
    let mut sliding = sum.create_sliding_accumulator().expect("it slides");
    sliding
        .update_batch(&[Arc::clone(&values)])
        .expect("rows come");
    for start in 1..1000 {
        sliding
            .retract_batch(&[values.slice(start - 1, 1)])
            .expect("a row goes");
        let mut alone = sum.create_accumulator().expect("it adds up");
        alone
            .update_batch(&[values.slice(start, 1000 - start)])
            .expect("rows come");
        let expected = alone.evaluate().expect("it has a result");
        assert_same(&sliding.evaluate().expect("it has a result"), &expected);
    }
}

#[test]
fn what_has_left_leaves_no_trace() {
    let sum = function(sum_udaf(), Manner::Merge, &[DataType::Float64]);
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1e20, 1.0, f64::NAN, 2.0, 3.0]));
    let mut sliding = sum.create_sliding_accumulator().expect("it slides");
    sliding
        .update_batch(&[Arc::clone(&values)])
        .expect("rows come");
    sliding
        .retract_batch(&[values.slice(0, 3)])
        .expect("rows go");
    let found = sliding.evaluate().expect("it has a result");
    assert_eq!(found, ScalarValue::Float64(Some(5.0)));
}

#[test]
fn texts_are_kept() {
    let texts: Vec<Option<String>> = (0..1300)
        .map(|row| (row % 5 != 2).then(|| row.to_string()))
        .collect();
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    let comma: ArrayRef = Arc::new(StringArray::from(vec![","; 1300]));
    let types = [DataType::Utf8, DataType::Utf8];
    let list = function(string_agg_udaf(), Manner::Keep, &types);
    check(&list, &[Arc::clone(&texts), Arc::clone(&comma)], 3, 1);
    check(&list, &[texts.slice(0, 60), comma.slice(0, 60)], 11, 5);
}
