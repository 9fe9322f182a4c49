//! `minmax_range`: the largest value of a frame less the smallest.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, IntervalMonthDayNanoArray,
};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, IntervalUnit, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};

use super::{AggregateBehaviour, Call, Implementation};
use crate::frame_rule::FrameUse;
use crate::kernel::{Extremes, Formula, Rolling, RollingFormula};
use crate::number::{Numbers, key_float};
use crate::registry::{Behaviour, Function};
use crate::subtract::{interval, subtraction};
use crate::types::{check_count, number_or_time};

pub(super) static MINMAX_RANGE: Function = Function {
    name: "minmax_range",
    usage: "minmax_range(x) OVER (…)",
    summary: "Returns the largest value of the frame less the smallest, exactly: integers give BIGINT, dates and timestamps an interval.",
    nulls: "Rows whose x is NULL are left out; NULL of no values; NaN if the frame holds NaN.",
    examples: &[
        "SELECT minmax_range(x) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM (VALUES (1, 2.0), (2, 4.0), (3, 9.0)) AS s(t, x);",
        "SELECT minmax_range(x) FROM (VALUES (2), (9)) AS s(x);",
    ],
    parameters: &["x"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce: |types| {
            check_count("minmax_range", types, 1..=1)?;
            Ok(vec![number_or_time("minmax_range", &types[0])?])
        },
        returns: |types| Ok(subtraction("minmax_range", &types[0], &types[0])?.result),
        frame: FrameUse::Any,
        state: |_| vec![("smallest", KEY), ("largest", KEY)],
        implementation: Implementation::Rolling(make),
    }),
};

/// The type in which keys travel: integers of 128 bits.
const KEY: DataType = DataType::Decimal128(38, 0);

fn make(call: &Call, slides: bool) -> Result<Box<dyn Rolling>> {
    let data_type = call.types[0].clone();
    let result = subtraction(call.name, &data_type, &data_type)?.result;
    Ok(Box::new(RollingFormula::new(MinMaxRange {
        rows: Extremes::new(slides),
        data_type,
        result,
    })))
}

#[derive(Debug)]
struct MinMaxRange {
    rows: Extremes<i128>,
    data_type: DataType,
    result: DataType,
}

impl Formula for MinMaxRange {
    type Item = i128;
    type Output = (i128, i128);

    fn read(&self, columns: &[Numbers], row: usize, _position: u64) -> Option<i128> {
        columns[0].key(row)
    }

    fn push(&mut self, position: u64, item: i128) {
        self.rows.push(position, item);
    }

    fn expire(&mut self, first: u64) {
        self.rows.expire(first);
    }

    fn value(&self, _current: Option<i128>) -> Option<(i128, i128)> {
        self.rows.bounds()
    }

    fn collect(&self, values: Vec<Option<(i128, i128)>>) -> Result<ArrayRef> {
        let too_large = || exec_datafusion_err!("`minmax_range` does not fit into {}", self.result);
        let float = |(smallest, largest): (i128, i128)| {
            // Keys of floats are made of 64 bits. Infinity less itself would be NaN.
            match key_float(largest as i64) {
                largest_value if largest == smallest && !largest_value.is_nan() => 0.0,
                largest_value => largest_value - key_float(smallest as i64),
            }
        };
        Ok(match &self.result {
            DataType::Float64 => {
                let ranges = values.into_iter().map(|bounds| bounds.map(float));
                Arc::new(ranges.collect::<Float64Array>())
            }
            DataType::Int64 => {
                let range = |(smallest, largest): (i128, i128)| {
                    i64::try_from(largest - smallest).map_err(|_| too_large())
                };
                let ranges = values
                    .into_iter()
                    .map(|bounds| bounds.map(range).transpose());
                Arc::new(ranges.collect::<Result<Int64Array>>()?)
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                let unit = self.unit();
                let range = |(smallest, largest): (i128, i128)| {
                    interval("minmax_range", largest - smallest, unit)
                };
                let ranges = values
                    .into_iter()
                    .map(|bounds| bounds.map(range).transpose());
                let ranges = ranges.collect::<Result<Vec<_>>>()?;
                Arc::new(IntervalMonthDayNanoArray::from(ranges))
            }
            decimal => {
                let range = |(smallest, largest): (i128, i128)| {
                    largest.checked_sub(smallest).ok_or_else(too_large)
                };
                let ranges = values
                    .into_iter()
                    .map(|bounds| bounds.map(range).transpose());
                let ranges = ranges.collect::<Result<Decimal128Array>>()?;
                Arc::new(ranges.with_data_type(decimal.clone()))
            }
        })
    }

    fn clear(&mut self) {
        self.rows.clear();
    }

    fn size(&self) -> usize {
        self.rows.size()
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let bounds = self.rows.bounds();
        let key = |key: Option<i128>| ScalarValue::Decimal128(key, 38, 0);
        Ok(vec![
            key(bounds.map(|bounds| bounds.0)),
            key(bounds.map(|bounds| bounds.1)),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        for column in &states[..2] {
            let keys = column.as_primitive::<Decimal128Type>().iter();
            keys.flatten().for_each(|key| self.rows.push(0, key));
        }
        Ok(())
    }
}

impl MinMaxRange {
    fn unit(&self) -> Option<TimeUnit> {
        match self.data_type {
            DataType::Timestamp(unit, _) => Some(unit),
            _ => None,
        }
    }
}
