//! Functions of the first four moments: `skewness`, `kurtosis`, `weighted_mean`, `weighted_std`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, UInt8Array};
use datafusion::arrow::datatypes::{DataType, Float64Type, UInt8Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::weights::Weights;
use crate::frame_rule::FrameUse;
use crate::kernel::{Mergeable, Shape, Strays};
use crate::number::{Numbers, Twofold, divisor};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, double, number};
use crate::window::{AggregateBehaviour, Call, Implementation, State};

pub(super) static SKEWNESS: Function = Function {
    name: "skewness",
    usage: "skewness(x [, weight])",
    summary: "Returns the adjusted skewness G1 of a sample; a weight says how often a row counts.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL of fewer than 3 values or if all are equal.",
    examples: &["SELECT skewness(x) FROM (VALUES (1), (2), (9)) AS t(x);"],
    parameters: &["x", "weight"],
    behaviour: shape_of(
        |types| coerce("skewness", types, 1),
        |call| accumulator(call, |shape, _| shape.sample_skewness()),
        |call| groups(call, |shape, _| shape.sample_skewness()),
    ),
};

pub(super) static SKEWNESS_POP: Function = Function {
    name: "skewness_pop",
    usage: "skewness_pop(x [, weight])",
    summary: "Returns the skewness g1 of a whole population; a weight says how often a row counts.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL of no values or if all are equal.",
    examples: &["SELECT skewness_pop(x) FROM (VALUES (1), (2), (9)) AS t(x);"],
    parameters: &["x", "weight"],
    behaviour: shape_of(
        |types| coerce("skewness_pop", types, 1),
        |call| accumulator(call, |shape, _| shape.skewness()),
        |call| groups(call, |shape, _| shape.skewness()),
    ),
};

pub(super) static KURTOSIS: Function = Function {
    name: "kurtosis",
    usage: "kurtosis(x [, weight])",
    summary: "Returns the adjusted excess kurtosis G2 of a sample; a weight says how often a row counts.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL of fewer than 4 values or if all are equal.",
    examples: &["SELECT kurtosis(x) FROM (VALUES (1), (2), (3), (9)) AS t(x);"],
    parameters: &["x", "weight"],
    behaviour: shape_of(
        |types| coerce("kurtosis", types, 1),
        |call| accumulator(call, |shape, _| shape.sample_kurtosis()),
        |call| groups(call, |shape, _| shape.sample_kurtosis()),
    ),
};

pub(super) static KURTOSIS_POP: Function = Function {
    name: "kurtosis_pop",
    usage: "kurtosis_pop(x [, weight])",
    summary: "Returns the excess kurtosis g2 of a whole population; a weight says how often a row counts.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL of no values or if all are equal.",
    examples: &["SELECT kurtosis_pop(x) FROM (VALUES (1), (2), (3), (9)) AS t(x);"],
    parameters: &["x", "weight"],
    behaviour: shape_of(
        |types| coerce("kurtosis_pop", types, 1),
        |call| accumulator(call, |shape, _| shape.kurtosis()),
        |call| groups(call, |shape, _| shape.kurtosis()),
    ),
};

pub(super) static WEIGHTED_MEAN: Function = Function {
    name: "weighted_mean",
    usage: "weighted_mean(x, weight)",
    summary: "Returns the mean of x, each row counted as often as its weight says.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL if the weights sum up to 0.",
    examples: &["SELECT weighted_mean(x, w) FROM (VALUES (1, 3), (5, 1)) AS t(x, w);"],
    parameters: &["x", "weight"],
    behaviour: shape_of(
        |types| coerce("weighted_mean", types, 2),
        |call| accumulator(call, |shape, divisor| Some(shape.mean()? / divisor)),
        |call| groups(call, |shape, divisor| Some(shape.mean()? / divisor)),
    ),
};

pub(super) static WEIGHTED_STD: Function = Function {
    name: "weighted_std",
    usage: "weighted_std(x, weight)",
    summary: "Returns the standard deviation of x (of a sample, n - 1), each row counted as often as its weight says.",
    nulls: "Rows whose x or weight is NULL are left out; a negative weight is an error; NULL if the weights sum up to 1 or less.",
    examples: &["SELECT weighted_std(x, w) FROM (VALUES (1, 3), (5, 1)) AS t(x, w);"],
    parameters: &["x", "weight"],
    behaviour: shape_of(
        |types| coerce("weighted_std", types, 2),
        |call| accumulator(call, |shape, divisor| Some(shape.deviation()? / divisor)),
        |call| groups(call, |shape, divisor| Some(shape.deviation()? / divisor)),
    ),
};

/// What a function makes of the moments; the second argument is what digits are divided by.
type Finish = fn(&Shape, f64) -> Option<f64>;

const fn shape_of(
    coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    accumulator: fn(&Call) -> Result<Box<dyn Accumulator>>,
    groups: fn(&Call) -> Result<Box<dyn GroupsAccumulator>>,
) -> Behaviour {
    Behaviour::Aggregate(AggregateBehaviour {
        coerce,
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::Growing,
        state: |_| state(),
        implementation: Implementation::Groups(accumulator, Some(groups)),
    })
}

fn coerce(name: &str, types: &[DataType], least: usize) -> Result<Vec<DataType>> {
    check_count(name, types, least..=2)?;
    let mut coerced = vec![number(name, &types[0])?];
    if let Some(weight) = types.get(1) {
        coerced.push(double(name, weight)?);
    }
    Ok(coerced)
}

fn state() -> State {
    let parts = ["weight", "mean", "mean_rest", "second", "third", "fourth"];
    let mut state: State = parts.map(|part| (part, DataType::Float64)).into();
    state.push(("strays", DataType::UInt8));
    state
}

fn accumulator(call: &Call, finish: Finish) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(ShapeAccumulator {
        name: call.name,
        shape: Shape::default(),
        finish,
        divisor: divisor(&call.types[0]),
    }))
}

fn groups(call: &Call, finish: Finish) -> Result<Box<dyn GroupsAccumulator>> {
    Ok(Box::new(ShapeGroups {
        name: call.name,
        shapes: Vec::new(),
        finish,
        divisor: divisor(&call.types[0]),
    }))
}

/// Calls a function with each row that counts: its number, value and weight.
fn each(
    name: &'static str,
    columns: &[ArrayRef],
    mut take: impl FnMut(usize, Twofold, f64),
) -> Result<()> {
    let values = Numbers::of(&columns[0])?;
    let weights = Weights::of(name, columns.get(1));
    for row in 0..values.rows() {
        if let (Some(value), Some(weight)) = (values.get(row), weights.get(row)?) {
            take(row, value, weight);
        }
    }
    Ok(())
}

/// Makes the columns of a state.
fn columns_of<'a>(shapes: impl Iterator<Item = &'a Shape>) -> Vec<ArrayRef> {
    let mut numbers: [Vec<f64>; 6] = Default::default();
    let mut strays = Vec::new();
    for shape in shapes {
        let parts = [
            shape.weight,
            shape.mean.high,
            shape.mean.low,
            shape.second,
            shape.third,
            shape.fourth,
        ];
        for (column, part) in numbers.iter_mut().zip(parts) {
            column.push(part);
        }
        strays.push(shape.strays.bits());
    }
    let numbers = numbers.into_iter();
    let mut columns: Vec<ArrayRef> = numbers
        .map(|column| Arc::new(Float64Array::from(column)) as ArrayRef)
        .collect();
    columns.push(Arc::new(UInt8Array::from(strays)));
    columns
}

/// Reads the states of a batch.
fn shapes_of(columns: &[ArrayRef]) -> impl Iterator<Item = Shape> + '_ {
    let number = |place: usize, row: usize| columns[place].as_primitive::<Float64Type>().value(row);
    let strays = columns[6].as_primitive::<UInt8Type>();
    (0..strays.len()).map(move |row| Shape {
        weight: number(0, row),
        mean: Twofold {
            high: number(1, row),
            low: number(2, row),
        },
        second: number(3, row),
        third: number(4, row),
        fourth: number(5, row),
        strays: Strays::from_bits(strays.value(row)),
    })
}

#[derive(Debug)]
struct ShapeAccumulator {
    name: &'static str,
    shape: Shape,
    finish: Finish,
    divisor: f64,
}

impl Accumulator for ShapeAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let shape = &mut self.shape;
        each(self.name, values, |_, value, weight| {
            shape.add((value, weight));
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64((self.finish)(
            &self.shape,
            self.divisor,
        )))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        columns_of(std::iter::once(&self.shape))
            .iter()
            .map(|column| ScalarValue::try_from_array(column, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for shape in shapes_of(states) {
            self.shape = self.shape.merge(&shape);
        }
        Ok(())
    }
}

struct ShapeGroups {
    name: &'static str,
    shapes: Vec<Shape>,
    finish: Finish,
    divisor: f64,
}

impl GroupsAccumulator for ShapeGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.shapes.resize(group_count, Shape::default());
        let shapes = &mut self.shapes;
        each(self.name, values, |row, value, weight| {
            if passes(filter, row) {
                shapes[groups[row]].add((value, weight));
            }
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let shapes = emit_to.take_needed(&mut self.shapes);
        let finished = shapes
            .iter()
            .map(|shape| (self.finish)(shape, self.divisor));
        Ok(Arc::new(finished.collect::<Float64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(columns_of(emit_to.take_needed(&mut self.shapes).iter()))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        group_count: usize,
    ) -> Result<()> {
        self.shapes.resize(group_count, Shape::default());
        for (shape, group) in shapes_of(values).zip(groups) {
            self.shapes[*group] = self.shapes[*group].merge(&shape);
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut shapes = vec![Shape::default(); values[0].len()];
        each(self.name, values, |row, value, weight| {
            if passes(filter, row) {
                shapes[row].add((value, weight));
            }
        })?;
        Ok(columns_of(shapes.iter()))
    }

    fn size(&self) -> usize {
        self.shapes.capacity() * size_of::<Shape>()
    }
}

/// Says whether a row passes the FILTER of its call.
pub(super) fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}
