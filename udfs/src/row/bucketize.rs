//! `bucketize`: the number of the interval into which a value falls.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, GenericListArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;

use super::{RowArguments, RowBehaviour};
use crate::number::{NAN_KEY, Numbers};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, common};

pub(super) static BUCKETIZE: Function = Function {
    name: "bucketize",
    usage: "bucketize(x, edges)",
    summary: "Returns the number of the bucket of x, from 1: the edges, in ascending order, each begin one, and before the first there is bucket 1.",
    nulls: "NULL if x or edges is NULL or x is NaN; edges out of order, NULL or NaN are an error.",
    examples: &["SELECT bucketize(age, [18, 30, 65]) FROM (VALUES (17), (18), (70)) AS t(age);"],
    parameters: &["x", "edges"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce,
        returns: |_| Ok(DataType::Int64),
        compute,
        simplify: None,
        makes_nulls: true,
    }),
};

fn coerce(types: &[DataType]) -> Result<Vec<DataType>> {
    check_count("bucketize", types, 2..=2)?;
    let element = match &types[1] {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            field.data_type().clone()
        }
        DataType::Null => DataType::Null,
        other => {
            return plan_err!("`bucketize` takes a list of edges such as [1, 2], not {other}");
        }
    };
    let both = common("bucketize", &[types[0].clone(), element])?;
    let edges = DataType::List(Field::new_list_field(both.clone(), true).into());
    Ok(vec![both, edges])
}

fn compute(arguments: &RowArguments) -> Result<ArrayRef> {
    let column = arguments.column(0)?;
    let is_float = column.data_type() == &DataType::Float64;
    let values = Numbers::of(&column)?;
    let key = |row: usize| {
        let key = values.key(row);
        key.filter(|key| !is_float || *key != i128::from(NAN_KEY))
    };
    let bucket = |edges: &[i128], key: i128| edges.partition_point(|edge| *edge <= key) as i64 + 1;
    let buckets: Int64Array = match &arguments.values[1] {
        ColumnarValue::Scalar(ScalarValue::List(list)) => {
            let edges = edges_of(list, 0)?;
            let rows = 0..arguments.rows;
            rows.map(|row| Some(bucket(edges.as_deref()?, key(row)?)))
                .collect()
        }
        other => {
            let lists = other.to_array(arguments.rows)?;
            let lists = lists.as_list::<i32>();
            let mut buckets = Vec::with_capacity(arguments.rows);
            for row in 0..arguments.rows {
                let edges = edges_of(lists, row)?;
                buckets.push(edges.and_then(|edges| Some(bucket(&edges, key(row)?))));
            }
            buckets.into()
        }
    };
    Ok(Arc::new(buckets))
}

/// Reads the edges of a row; `None` if they are NULL.
fn edges_of(lists: &GenericListArray<i32>, row: usize) -> Result<Option<Vec<i128>>> {
    if lists.is_null(row) {
        return Ok(None);
    }
    let edges = lists.value(row);
    let is_float = edges.data_type() == &DataType::Float64;
    let numbers = Numbers::of(&edges)?;
    let mut keys = Vec::with_capacity(edges.len());
    for edge in 0..edges.len() {
        match numbers.key(edge) {
            Some(key) if !is_float || key != i128::from(NAN_KEY) => keys.push(key),
            _ => return exec_err!("`bucketize`: an edge is NULL or NaN"),
        }
    }
    if keys.windows(2).any(|pair| pair[0] >= pair[1]) {
        return exec_err!("`bucketize`: the edges are not in ascending order");
    }
    Ok(Some(keys))
}
