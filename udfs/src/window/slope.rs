//! `trend_slope`: the slope of the line of least squares through a frame.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit, UInt8Type};
use datafusion::common::{Result, ScalarValue, not_impl_err};

use super::{AggregateBehaviour, Call, Implementation};
use crate::frame_rule::FrameUse;
use crate::kernel::{Formula, Line, Point, Rolling, RollingFormula, Strays, TwoStack};
use crate::number::{Numbers, Twofold, divisor};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, number, number_or_time};

pub(super) static TREND_SLOPE: Function = Function {
    name: "trend_slope",
    usage: "trend_slope(x [, t]) OVER (…)",
    summary: "Returns the slope of the line of least squares through the frame: for each row, or with t for each day of a date or timestamp and for each 1 of a number.",
    nulls: "Rows whose x or t is NULL are left out but keep their position; NULL of fewer than two values, or if t does not vary.",
    examples: &[
        "SELECT trend_slope(x) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM (VALUES (1, 2.0), (2, 4.0), (3, 9.0)) AS s(t, x);",
        "SELECT trend_slope(x, day) FROM (VALUES (DATE '2026-01-01', 2.0), (DATE '2026-01-03', 4.0)) AS s(day, x);",
    ],
    parameters: &["x", "t"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| {
            check_count("trend_slope", types, 1..=2)?;
            let mut coerced = vec![number("trend_slope", &types[0])?];
            if let Some(time) = types.get(1) {
                coerced.push(number_or_time("trend_slope", time)?);
            }
            Ok(coerced)
        },
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::PositionUnless { arguments: 2 },
        state: |_| {
            let mut state: Vec<_> = PARTS
                .into_iter()
                .map(|part| (part, DataType::Float64))
                .collect();
            state.push(("strays", DataType::UInt8));
            state
        },
        implementation: Implementation::Rolling(make),
    }),
};

const PARTS: [&str; 7] = [
    "count",
    "at",
    "at_rest",
    "value",
    "value_rest",
    "squares",
    "products",
];

fn make(call: &Call, slides: bool) -> Result<Box<dyn Rolling>> {
    let time = call.types.get(1);
    Ok(Box::new(RollingFormula::new(TrendSlope {
        rows: TwoStack::new(slides),
        has_time: time.is_some(),
        factor: time.map_or(1.0, units_a_day) / divisor(&call.types[0]),
    })))
}

/// How many units of a type of time make a day; of a number the digits that make 1.
fn units_a_day(time: &DataType) -> f64 {
    match time {
        DataType::Timestamp(TimeUnit::Second, _) => 86_400.0,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 86_400e3,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 86_400e6,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 86_400e9,
        other => divisor(other),
    }
}

#[derive(Debug)]
struct TrendSlope {
    rows: TwoStack<Line>,
    has_time: bool,
    factor: f64,
}

impl Formula for TrendSlope {
    type Item = Point;
    type Output = f64;

    fn columns(&self) -> usize {
        if self.has_time { 2 } else { 1 }
    }

    fn read(&self, columns: &[Numbers], row: usize, position: u64) -> Option<Point> {
        let value = columns[0].get(row)?;
        let at = match self.has_time {
            true => columns[1].get(row)?,
            false => Twofold::from(i128::from(position)),
        };
        Some(Point { at, value })
    }

    fn push(&mut self, position: u64, item: Point) {
        self.rows.push(position, item);
    }

    fn expire(&mut self, first: u64) {
        self.rows.expire(first);
    }

    fn value(&self, _current: Option<Point>) -> Option<f64> {
        self.rows.summary().slope().map(|slope| slope * self.factor)
    }

    fn collect(&self, values: Vec<Option<f64>>) -> Result<ArrayRef> {
        Ok(Arc::new(Float64Array::from(values)))
    }

    fn clear(&mut self) {
        self.rows.clear();
    }

    fn size(&self) -> usize {
        self.rows.size()
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        if !self.has_time {
            return not_impl_err!("`trend_slope` of a group needs a time: trend_slope(x, t)");
        }
        let line = self.rows.summary();
        let Twofold { high, low } = line.at;
        let numbers = [
            line.count,
            high,
            low,
            line.value.high,
            line.value.low,
            line.squares,
            line.products,
        ];
        let mut state: Vec<ScalarValue> = numbers.into_iter().map(ScalarValue::from).collect();
        state.push(line.strays.bits().into());
        Ok(state)
    }

    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let strays = states[PARTS.len()].as_primitive::<UInt8Type>();
        let number =
            |place: usize, row: usize| states[place].as_primitive::<Float64Type>().value(row);
        for row in 0..strays.len() {
            let twofold = |place: usize| Twofold {
                high: number(place, row),
                low: number(place + 1, row),
            };
            self.rows.merge(&Line {
                count: number(0, row),
                at: twofold(1),
                value: twofold(3),
                squares: number(5, row),
                products: number(6, row),
                strays: Strays::from_bits(strays.value(row)),
            });
        }
        Ok(())
    }
}
