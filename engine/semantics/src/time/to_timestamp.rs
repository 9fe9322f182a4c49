//! `to_timestamp` gives microseconds: years 1 to 9999 rather than 1677 to 2262.
//!
//! Of nanoseconds it makes nanoseconds. Numbers are seconds since 1970; a fraction that no microsecond holds is
//! rounded, where DataFusion 55.2 cuts it. As in DataFusion the result has the session's zone, if one was set.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::functions::datetime::to_timestamp_micros;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::formats::read_by_formats;
use super::local::{moments_of_clocks, moments_of_texts, zone};
use super::{Zone, is_text, is_utc};
use crate::function::over_arrays;

const MICROSECONDS_OF_A_SECOND: f64 = 1e6;

/// Returns the function for a session whose zone was not set.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ToTimestamp::new(&ConfigOptions::default()).into())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToTimestamp {
    /// DataFusion's, which documents itself.
    theirs: Arc<ScalarUDF>,
    zone: Option<Zone>,
    signature: Signature,
}

impl ToTimestamp {
    fn new(options: &ConfigOptions) -> Self {
        Self {
            theirs: to_timestamp_micros(options),
            zone: options.execution.time_zone.as_deref().map(Into::into),
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }

    fn converted(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let unit = TimeUnit::Microsecond;
        let to = DataType::Timestamp(unit, self.zone.clone());
        let elsewhere = self.zone.as_ref().filter(|zone| !is_utc(zone));
        let count = match array.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                let to = DataType::Timestamp(TimeUnit::Nanosecond, self.zone.clone());
                return match (zone, elsewhere) {
                    (None, Some(zone)) => moments_of_clocks(array, zone, false),
                    _ => Ok(cast(array, &to)?),
                };
            }
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                let is_clock = !matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
                return match elsewhere.filter(|_| is_clock) {
                    Some(zone) => {
                        let clocks = cast(array, &DataType::Timestamp(unit, None))?;
                        moments_of_clocks(&clocks, zone, false)
                    }
                    None => Ok(cast(array, &to)?),
                };
            }
            text if is_text(text) => {
                return match elsewhere {
                    Some(zone) => moments_of_texts(array, unit, zone, false),
                    None => Ok(cast(array, &to)?),
                };
            }
            number if number.is_integer() => {
                let seconds = cast(array, &DataType::Int64)?;
                seconds
                    .as_primitive::<Int64Type>()
                    .try_unary(|value| value.checked_mul(1_000_000).ok_or_else(out_of_range))?
            }
            number if number.is_floating() => {
                let seconds = cast(array, &DataType::Float64)?;
                microseconds_of_doubles(&seconds)?
            }
            number if number.is_decimal() => microseconds_of_decimals(array)?,
            DataType::Null => return Ok(cast(array, &to)?),
            other => return exec_err!("`to_timestamp` takes no {other}"),
        };
        let moments = count.reinterpret_cast::<TimestampMicrosecondType>();
        Ok(Arc::new(moments.with_timezone_opt(self.zone.clone())))
    }
}

fn microseconds_of_doubles(seconds: &ArrayRef) -> Result<Int64Array> {
    seconds
        .as_primitive::<Float64Type>()
        .try_unary(|value: f64| {
            let rounded = (value * MICROSECONDS_OF_A_SECOND).round_ties_even();
            match rounded.abs() < i64::MAX as f64 {
                true => Ok(rounded as i64),
                false => Err(out_of_range()),
            }
        })
}

fn microseconds_of_decimals(seconds: &ArrayRef) -> Result<Int64Array> {
    // Arrow rounds between decimals.
    let seconds = cast(seconds, &DataType::Decimal128(38, 6))?;
    let seconds = seconds.as_primitive::<Decimal128Type>().iter();
    seconds
        .map(|value| value.map(i64::try_from).transpose())
        .collect::<std::result::Result<Int64Array, _>>()
        .map_err(|_| out_of_range())
}

fn out_of_range() -> DataFusionError {
    exec_datafusion_err!("the timestamp is out of range")
}

impl ScalarUDFImpl for ToTimestamp {
    fn name(&self) -> &str {
        "to_timestamp"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(Self::new(options).into())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let unit = match types.first() {
            Some(DataType::Timestamp(TimeUnit::Nanosecond, _)) => TimeUnit::Nanosecond,
            _ => TimeUnit::Microsecond,
        };
        Ok(DataType::Timestamp(unit, self.zone.clone()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| match arrays {
            [array] => self.converted(array),
            [texts, formats @ ..] if is_text(texts.data_type()) => {
                let to = DataType::Timestamp(TimeUnit::Microsecond, self.zone.clone());
                let zone = zone(self.zone.as_deref().unwrap_or("UTC"))?;
                read_by_formats(texts, formats, &zone, &to)
            }
            _ => exec_err!("`to_timestamp` takes a value, and formats"),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}
