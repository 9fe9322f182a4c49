//! `now()` and what agrees with it: the moment at which a statement began, and what the session's clock showed.
//!
//! DataFusion 55.2 gives nanoseconds, without a zone unless the session has one, and asks for the zone only when
//! a session begins. It knows no LOCALTIME and no LOCALTIMESTAMP.

use std::sync::Arc;

use chrono::{DateTime, Timelike, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::local::clock;
use super::{Zone, session_zone};

/// Returns the functions for a session whose zone was not set.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    [Shown::Moment, Shown::Clock, Shown::TimeOfDay]
        .into_iter()
        .map(|shown| Arc::new(Now::new(shown, "UTC".into()).into()))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shown {
    Moment,
    Clock,
    TimeOfDay,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    shown: Shown,
    zone: Zone,
    signature: Signature,
    aliases: Vec<String>,
}

impl Now {
    fn new(shown: Shown, zone: Zone) -> Self {
        let aliases = match shown {
            Shown::Moment => vec!["current_timestamp".to_owned()],
            Shown::TimeOfDay => vec!["current_time".to_owned()],
            Shown::Clock => Vec::new(),
        };
        Self {
            shown,
            zone,
            signature: Signature::nullary(Volatility::Stable),
            aliases,
        }
    }

    fn data_type(&self) -> DataType {
        match self.shown {
            Shown::Moment => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.zone)))
            }
            Shown::Clock => DataType::Timestamp(TimeUnit::Microsecond, None),
            // As CURRENT_TIME and the type TIME.
            Shown::TimeOfDay => DataType::Time64(TimeUnit::Nanosecond),
        }
    }

    fn value(&self, start: DateTime<Utc>) -> Option<ScalarValue> {
        if self.shown == Shown::Moment {
            let moment = Some(start.timestamp_micros());
            let zone = Some(Arc::clone(&self.zone));
            return Some(ScalarValue::TimestampMicrosecond(moment, zone));
        }
        let zone: Tz = self.zone.parse().ok()?;
        let local = clock(start.naive_utc(), &zone)?;
        Some(match self.shown {
            Shown::TimeOfDay => {
                let seconds = i64::from(local.num_seconds_from_midnight());
                let microseconds = seconds * 1_000_000 + i64::from(local.nanosecond() / 1_000);
                ScalarValue::Time64Nanosecond(Some(microseconds * 1_000))
            }
            _ => ScalarValue::TimestampMicrosecond(Some(local.and_utc().timestamp_micros()), None),
        })
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        match self.shown {
            Shown::Moment => "now",
            Shown::Clock => "localtimestamp",
            Shown::TimeOfDay => "localtime",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(Self::new(self.shown, session_zone(options)).into())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.data_type())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.data_type(), false)))
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("`{}` is a constant of its statement", self.name())
    }

    fn simplify(
        &self,
        arguments: Vec<Expr>,
        context: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        let start = context.query_execution_start_time();
        Ok(match start.and_then(|start| self.value(start)) {
            Some(value) => ExprSimplifyResult::Simplified(Expr::Literal(value, None)),
            None => ExprSimplifyResult::Original(arguments),
        })
    }
}
