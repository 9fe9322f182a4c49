//! What the names of SQL's types of time mean: `TIMESTAMP` has microseconds, with and without a zone.
//!
//! DataFusion 55.2 makes nanoseconds of them, and drops WITH TIME ZONE where the session has none.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType as SqlType, TimezoneInfo};

use super::normalized;
use super::types::{known_type, plain_type};

/// Returns the session's time zone, which is UTC unless it was set.
pub fn session_zone(options: &ConfigOptions) -> Arc<str> {
    let set = options.execution.time_zone.as_deref();
    set.filter(|zone| !zone.is_empty()).unwrap_or("UTC").into()
}

/// Plans the types of time for a session in a zone.
#[derive(Debug)]
pub struct TimeTypes {
    zone: Arc<str>,
}

impl TimeTypes {
    /// Makes a planner whose TIMESTAMPTZ is shown in a zone.
    pub fn new(zone: Arc<str>) -> Self {
        Self { zone }
    }
}

impl TypePlanner for TimeTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let (unit, has_zone) = match sql_type {
            SqlType::Timestamp(digits, info) => {
                let has_zone = matches!(info, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone);
                (unit(*digits), has_zone)
            }
            SqlType::TimestampNtz(digits) | SqlType::Datetime(digits) => (unit(*digits), false),
            SqlType::Custom(name, arguments) if arguments.is_empty() => {
                named(&name.to_string().to_lowercase())
            }
            _ => (None, false),
        };
        let time = unit.map(|unit| {
            let zone = has_zone.then(|| Arc::clone(&self.zone));
            DataType::Timestamp(unit, zone)
        });
        let known = time.or_else(|| known_type(sql_type));
        let known = match (known, sql_type) {
            (None, SqlType::Map(key, value)) => self.map(key, value)?,
            (known, _) => known,
        };
        Ok(known.map(|data_type| Arc::new(Field::new("", data_type, true))))
    }
}

impl TimeTypes {
    /// The type of a map, which DataFusion does not plan.
    fn map(&self, key: &SqlType, value: &SqlType) -> Result<Option<DataType>> {
        let (Some(key), Some(value)) = (self.whole(key)?, self.whole(value)?) else {
            return Ok(None);
        };
        let entries = Fields::from(vec![
            Field::new("key", key, false),
            Field::new("value", value, true),
        ]);
        let entries = Field::new("entries", DataType::Struct(entries), false);
        Ok(Some(DataType::Map(Arc::new(entries), false)))
    }

    /// Any type that may stand in a map.
    fn whole(&self, sql_type: &SqlType) -> Result<Option<DataType>> {
        if let Some(field) = self.plan_type_field(sql_type)? {
            return Ok(Some(field.data_type().clone()));
        }
        Ok(match sql_type {
            SqlType::Array(
                ArrayElemTypeDef::SquareBracket(inner, None)
                | ArrayElemTypeDef::AngleBracket(inner)
                | ArrayElemTypeDef::Parenthesis(inner),
            ) => self
                .whole(inner)?
                .map(|inner| DataType::new_list(inner, true)),
            SqlType::Struct(fields, _) => {
                let mut planned = Vec::with_capacity(fields.len());
                for field in fields {
                    let (Some(name), Some(data_type)) =
                        (&field.field_name, self.whole(&field.field_type)?)
                    else {
                        return Ok(None);
                    };
                    planned.push(Field::new(normalized(name), data_type, true));
                }
                Some(DataType::Struct(Fields::from(planned)))
            }
            plain => plain_type(plain),
        })
    }
}

/// Returns the unit that holds so many digits of a second.
fn unit(digits: Option<u64>) -> Option<TimeUnit> {
    match digits {
        Some(0) => Some(TimeUnit::Second),
        Some(3) => Some(TimeUnit::Millisecond),
        None | Some(6) => Some(TimeUnit::Microsecond),
        Some(9) => Some(TimeUnit::Nanosecond),
        Some(_) => None,
    }
}

/// Knows Spark's and DuckDB's names.
fn named(name: &str) -> (Option<TimeUnit>, bool) {
    match name {
        "timestamp_ltz" => (Some(TimeUnit::Microsecond), true),
        "timestamp_s" => (Some(TimeUnit::Second), false),
        "timestamp_ms" => (Some(TimeUnit::Millisecond), false),
        "timestamp_us" => (Some(TimeUnit::Microsecond), false),
        "timestamp_ns" => (Some(TimeUnit::Nanosecond), false),
        "timestamptz_ns" => (Some(TimeUnit::Nanosecond), true),
        _ => (None, false),
    }
}
