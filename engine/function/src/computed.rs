//! The one type that stands for all functions that a kernel computes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::temporal_conversions::as_datetime_with_timezone;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use lakesh_sql::session_zone;

use crate::kernel::clock::is_below_a_day;
use crate::kernel::{Kernel, Kind, coerced};
use crate::registry::Function;

/// A function of the registry as DataFusion runs it.
pub(crate) struct KernelFunction {
    function: &'static Function,
    kernel: &'static Kernel,
    signature: Signature,
}

impl KernelFunction {
    pub(crate) fn new(function: &'static Function, kernel: &'static Kernel) -> Self {
        Self {
            function,
            kernel,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// What so many arguments are made; `None` where there are not so many.
    fn kinds(&self, count: usize) -> Option<Vec<Kind>> {
        let forms = self.kernel.forms;
        let exact = forms.iter().find(|form| form.len() == count);
        let longer = forms
            .last()
            .filter(|form| self.kernel.goes_on && form.len() <= count);
        let form = exact.or(longer)?;
        let last = form.last().copied().unwrap_or(Kind::Any);
        let kinds = form.iter().copied().chain(std::iter::repeat(last));
        Some(kinds.take(count).collect())
    }
}

/// The arguments with what the clocks of a zone show in the place of moments.
fn with_clocks(
    arguments: &ScalarFunctionArgs,
    kinds: &[Kind],
    zone: &str,
) -> Result<ScalarFunctionArgs> {
    let mut shown = arguments.clone();
    for (value, kind) in shown.args.iter_mut().zip(kinds) {
        let is_moment = matches!(value.data_type(), DataType::Timestamp(_, Some(_)));
        if let Some(clock) = clock_type(*kind).filter(|_| is_moment) {
            *value = clock_of(value, zone)?.cast_to(&clock, None)?;
        }
    }
    Ok(shown)
}

/// What the clocks of a zone show at moments.
fn clock_of(moments: &ColumnarValue, zone: &str) -> Result<ColumnarValue> {
    let zone: Tz = zone.parse()?;
    let is_scalar = matches!(moments, ColumnarValue::Scalar(_));
    let array = moments.to_array(1)?;
    let moments = array.as_primitive::<TimestampMicrosecondType>();
    let clocks = moments.iter().map(|moment| {
        let shown = as_datetime_with_timezone::<TimestampMicrosecondType>(moment?, zone)?;
        Some(shown.naive_local().and_utc().timestamp_micros())
    });
    let clocks: PrimitiveArray<TimestampMicrosecondType> = clocks.collect();
    match is_scalar {
        true => ScalarValue::try_from_array(&clocks, 0).map(ColumnarValue::Scalar),
        false => Ok(ColumnarValue::Array(Arc::new(clocks))),
    }
}

/// The type of what a clock shows, for arguments that are one.
fn clock_type(kind: Kind) -> Option<DataType> {
    match kind {
        Kind::Clock => Some(DataType::Timestamp(TimeUnit::Microsecond, None)),
        Kind::Day => Some(DataType::Date32),
        _ => None,
    }
}

/// The type that a kernel sees of an argument.
fn shown_type((data_type, kind): (DataType, Kind)) -> DataType {
    match (&data_type, clock_type(kind)) {
        (DataType::Timestamp(_, Some(_)), Some(clock)) => clock,
        _ => data_type,
    }
}

impl fmt::Debug for KernelFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.function.name)
    }
}

impl PartialEq for KernelFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for KernelFunction {}

impl Hash for KernelFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for KernelFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.function.name;
        let Some(kinds) = self.kinds(types.len()) else {
            return plan_err!(
                "`{name}` does not take {} arguments: {}",
                types.len(),
                self.function.usage
            );
        };
        let coerced = types.iter().zip(kinds).map(|(data_type, kind)| {
            if let (DataType::Timestamp(_, Some(zone)), Some(_)) = (data_type, clock_type(kind)) {
                // What its clock shows is known where the session's zone is.
                return Ok(DataType::Timestamp(
                    TimeUnit::Microsecond,
                    Some(Arc::clone(zone)),
                ));
            }
            coerced(data_type, kind).map_or_else(
                || {
                    plan_err!(
                        "`{name}` cannot take {}: {}",
                        lakesh_text::failure::sql_type_name(data_type),
                        self.function.usage
                    )
                },
                Ok,
            )
        });
        coerced.collect()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let types: Vec<DataType> = types.to_vec();
        let shown = match self.kinds(types.len()) {
            Some(kinds) => types.into_iter().zip(kinds).map(shown_type).collect(),
            None => types,
        };
        (self.kernel.returns)(&shown)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(kinds) = self.kinds(arguments.args.len()) else {
            return over_arrays(&arguments, self.kernel.compute);
        };
        let has_moments = arguments.args.iter().zip(&kinds).any(|(value, kind)| {
            clock_type(*kind).is_some()
                && matches!(value.data_type(), DataType::Timestamp(_, Some(_)))
        });
        if !has_moments {
            return over_arrays(&arguments, self.kernel.compute);
        }
        let by_clock = with_clocks(&arguments, &kinds, &session_zone(&arguments.config_options))?;
        if !self.kernel.is_by_unit {
            return over_arrays(&by_clock, self.kernel.compute);
        }
        let by_moment = with_clocks(&arguments, &kinds, "UTC")?;
        match &arguments.args[0] {
            ColumnarValue::Scalar(unit) => {
                let unit = unit.try_as_str().flatten().unwrap_or_default();
                let arguments = match is_below_a_day(unit) {
                    true => by_moment,
                    false => by_clock,
                };
                over_arrays(&arguments, self.kernel.compute)
            }
            ColumnarValue::Array(units) => {
                let units = units.as_string::<i32>();
                let is_below = |row| units.is_valid(row) && is_below_a_day(units.value(row));
                let below: BooleanArray = (0..units.len()).map(|row| Some(is_below(row))).collect();
                let rows = arguments.number_rows;
                let moments = over_arrays(&by_moment, self.kernel.compute)?.to_array(rows)?;
                let clocks = over_arrays(&by_clock, self.kernel.compute)?.to_array(rows)?;
                Ok(ColumnarValue::Array(zip(&below, &moments, &clocks)?))
            }
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

/// Computes a function of arrays; the result is a scalar where all arguments are.
fn over_arrays(
    arguments: &ScalarFunctionArgs,
    compute: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let values = &arguments.args;
    let is_scalar = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
    let all_scalar = values.iter().all(is_scalar);
    let rows = match all_scalar {
        true => 1,
        false => arguments.number_rows,
    };
    let arrays: Vec<_> = values
        .iter()
        .map(|value| value.to_array(rows))
        .collect::<Result<_>>()?;
    let computed = compute(&arrays)?;
    match all_scalar {
        true => ScalarValue::try_from_array(&computed, 0).map(ColumnarValue::Scalar),
        false => Ok(ColumnarValue::Array(computed)),
    }
}
