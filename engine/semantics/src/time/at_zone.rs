//! `timezone(zone, ts)`, which AT TIME ZONE is: what clocks in a zone show at a moment, or the moment at which
//! they show it.
//!
//! DataFusion 55.2 casts to TIMESTAMPTZ in both directions, and takes no zone that is not a literal; PostgreSQL
//! and DuckDB make a TIMESTAMP of a TIMESTAMPTZ.

use std::sync::Arc;

use datafusion::arrow::array::new_null_array;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::local::{clocks_of_moments, moments_of_clocks};
use super::{Zone, is_date, is_text, session_zone};
use crate::function::over_arrays;

/// Returns the function for a session whose zone was not set.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(AtZone::new("UTC".into()).into())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtZone {
    session: Zone,
    signature: Signature,
}

impl AtZone {
    fn new(session: Zone) -> Self {
        Self {
            session,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn moved(&self, values: &ArrayRef, zone: &Zone) -> Result<ArrayRef> {
        match values.data_type() {
            DataType::Timestamp(_, Some(_)) => clocks_of_moments(values, zone),
            DataType::Timestamp(unit, None) => {
                let to = DataType::Timestamp(*unit, Some(Arc::clone(&self.session)));
                Ok(cast(&moments_of_clocks(values, zone, false)?, &to)?)
            }
            other => exec_err!("AT TIME ZONE takes a timestamp, not {other}"),
        }
    }
}

impl ScalarUDFImpl for AtZone {
    fn name(&self) -> &str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(Self::new(session_zone(options)).into())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [zone, value] = types else {
            return plan_err!("`timezone` takes the name of a zone and a timestamp");
        };
        if !is_text(zone) && !zone.is_null() {
            return plan_err!("AT TIME ZONE takes the name of a zone, not {zone}");
        }
        let value = match value {
            DataType::Timestamp(..) => value.clone(),
            // A midnight without a zone, as in DuckDB; a moment in PostgreSQL. `d + INTERVAL '30 days'` is a DATE
            // here and a TIMESTAMP in both of them, and so gives what both of them give.
            other if is_date(other) => DataType::Timestamp(TimeUnit::Microsecond, None),
            // As in PostgreSQL these are moments.
            other if other.is_null() || is_text(other) => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.session)))
            }
            other => return plan_err!("AT TIME ZONE takes a timestamp, not {other}"),
        };
        Ok(vec![DataType::Utf8, value])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match &types[1] {
            DataType::Timestamp(unit, Some(_)) => Ok(DataType::Timestamp(*unit, None)),
            DataType::Timestamp(unit, None) => {
                let session = Some(Arc::clone(&self.session));
                Ok(DataType::Timestamp(*unit, session))
            }
            other => plan_err!("AT TIME ZONE takes a timestamp, not {other}"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let to = arguments.return_field.data_type().clone();
        let one_zone = match &arguments.args[0] {
            ColumnarValue::Scalar(name) => name.try_as_str().flatten().map(Zone::from),
            ColumnarValue::Array(_) => None,
        };
        over_arrays(&arguments, |arrays| {
            let [names, values] = arrays else {
                return exec_err!("`timezone` takes the name of a zone and a timestamp");
            };
            if let Some(zone) = &one_zone {
                return self.moved(values, zone);
            }
            let names = names.as_string::<i32>();
            let rows = (0..names.len()).map(|row| match names.is_valid(row) {
                true => self.moved(&values.slice(row, 1), &names.value(row).into()),
                false => Ok(new_null_array(&to, 1)),
            });
            let rows: Vec<ArrayRef> = rows.collect::<Result<_>>()?;
            let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
            match rows.is_empty() {
                true => Ok(new_null_array(&to, 0)),
                false => Ok(concat(&rows)?),
            }
        })
    }
}
