//! `clip`: a value held between two bounds.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type,
};
use datafusion::common::{Result, exec_err, internal_err};

use super::{RowArguments, RowBehaviour};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, common};

pub(super) static CLIP: Function = Function {
    name: "clip",
    usage: "clip(x, low, high)",
    summary: "Returns x, but no less than low and no more than high; numbers, dates and timestamps.",
    nulls: "NULL if x is NULL; a bound that is NULL or NaN is no bound; NaN stays NaN. low > high is an error.",
    examples: &["SELECT clip(12, 0, 10), clip(-1.5, 0, NULL);"],
    parameters: &["x", "low", "high"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: |types| {
            check_count("clip", types, 3..=3)?;
            Ok(vec![common("clip", types)?; 3])
        },
        returns: |types| Ok(types[0].clone()),
        compute,
        simplify: None,
        makes_nulls: false,
    }),
};

fn compute(arguments: &RowArguments) -> Result<ArrayRef> {
    match arguments.returns {
        DataType::Float64 => clip::<Float64Type>(arguments),
        DataType::Int64 => clip::<Int64Type>(arguments),
        DataType::UInt64 => clip::<UInt64Type>(arguments),
        DataType::Decimal128(..) => clip::<Decimal128Type>(arguments),
        DataType::Date32 => clip::<Date32Type>(arguments),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => clip::<TimestampSecondType>(arguments),
            TimeUnit::Millisecond => clip::<TimestampMillisecondType>(arguments),
            TimeUnit::Microsecond => clip::<TimestampMicrosecondType>(arguments),
            TimeUnit::Nanosecond => clip::<TimestampNanosecondType>(arguments),
        },
        other => internal_err!("clip of {other}"),
    }
}

fn clip<T>(arguments: &RowArguments) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: PartialOrd + std::fmt::Display,
{
    let columns = arguments.columns()?;
    let [values, lows, highs] = [0, 1, 2].map(|place| columns[place].as_primitive::<T>());
    let mut clipped = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        let low = lows.is_valid(row).then(|| lows.value(row));
        let high = highs.is_valid(row).then(|| highs.value(row));
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            return exec_err!("`clip`: the lower bound {low} is above the upper bound {high}");
        }
        // Comparisons with NaN are false: a NaN stays, and bounds nothing.
        let value = values.value(row);
        let value = match (low, high) {
            (Some(low), _) if value < low => low,
            (_, Some(high)) if value > high => high,
            _ => value,
        };
        clipped.push(value);
    }
    let clipped = PrimitiveArray::<T>::new(clipped.into(), values.nulls().cloned());
    Ok(Arc::new(clipped.with_data_type(arguments.returns.clone())))
}
