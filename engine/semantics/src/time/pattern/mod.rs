//! `to_char` with PostgreSQL's patterns and `date_format` with Spark's.
//!
//! DataFusion 55.2 knows chrono's patterns alone, and gives a pattern of anybody else back as it is: `to_char(ts,
//! 'YYYY-MM-DD')` was `YYYY-MM-DD` (apache/datafusion 14536). A pattern with a `%` in it still means what it did.

mod postgres;
mod shown;
mod spark;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;

use chrono::{NaiveDateTime, NaiveTime};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    ArrowTimestampType, DataType, Field, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion::arrow::temporal_conversions::as_datetime;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::functions::datetime;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::{by_unit, is_date, is_text, session_zone};
use crate::function::over_arrays;
use shown::{By, Calendar, Shown};

/// Returns both functions.
pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    [Style::Postgres, Style::Spark].map(|style| {
        Arc::new(ScalarUDF::from(Written {
            style,
            theirs: datetime::to_char(),
            signature: Signature::user_defined(Volatility::Immutable),
        }))
    })
}

/// Whose patterns a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Style {
    Postgres,
    Spark,
}

impl Style {
    fn parse(self, pattern: &str) -> std::result::Result<Pattern, String> {
        match self {
            Self::Postgres => postgres::parse(pattern).map(Pattern::Postgres),
            Self::Spark => spark::parse(pattern).map(Pattern::Spark),
        }
    }
}

/// A pattern, taken apart.
enum Pattern {
    Postgres(Vec<postgres::Piece>),
    Spark(Vec<spark::Piece>),
}

impl Pattern {
    fn write(&self, shown: &Shown, out: &mut String) -> std::result::Result<(), String> {
        match self {
            Self::Postgres(pieces) => pieces.iter().try_for_each(|piece| piece.write(shown, out)),
            Self::Spark(pieces) => pieces.iter().try_for_each(|piece| piece.write(shown, out)),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Written {
    style: Style,
    /// DataFusion's, for chrono's patterns.
    theirs: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Written {
    fn name(&self) -> &str {
        match self.style {
            Style::Postgres => "to_char",
            Style::Spark => "date_format",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, pattern] = types else {
            return plan_err!("`{}` takes a date or time and a pattern", self.name());
        };
        if !is_text(pattern) && !pattern.is_null() {
            return plan_err!("the pattern of `{}` is a text, not {pattern}", self.name());
        }
        let value = match value {
            DataType::Timestamp(..)
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Duration(_) => value.clone(),
            day if is_date(day) => day.clone(),
            other if other.is_null() || is_text(other) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            other => {
                return plan_err!("`{}` takes a date or time, not {other}", self.name());
            }
        };
        Ok(vec![value, DataType::Utf8])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let session = session_zone(&arguments.config_options);
        let value = &mut arguments.args[0];
        if let DataType::Timestamp(unit, Some(_)) = value.data_type() {
            let here = DataType::Timestamp(unit, Some(Arc::clone(&session)));
            *value = value.cast_to(&here, None)?;
            arguments.arg_fields[0] = Arc::new(Field::new("", here, true));
        }
        let is_span = matches!(value.data_type(), DataType::Duration(_));
        let is_chronos = |pattern: &str| is_span || pattern.contains('%');
        if let ColumnarValue::Scalar(pattern) = &arguments.args[1] {
            let Some(pattern) = pattern.try_as_str().flatten() else {
                return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None)));
            };
            if is_chronos(pattern) {
                let minutes = ScalarValue::from(with_minutes(pattern));
                arguments.args[1] = ColumnarValue::Scalar(minutes);
                return self.theirs.invoke_with_args(arguments);
            }
        }
        let by = By::new(&session)?;
        let fallback = arguments.clone();
        over_arrays(&arguments, |arrays| {
            let [values, patterns] = arrays else {
                return exec_err!("`{}` takes a date or time and a pattern", self.name());
            };
            let patterns = patterns.as_string::<i32>();
            let has_chronos = patterns.iter().flatten().any(is_chronos);
            if has_chronos {
                return self.mixed(&fallback, values, patterns, &by);
            }
            self.written(values, patterns, &by)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

/// Writes chrono's pattern for minutes in the place of MySQL's, which chrono lacks.
fn with_minutes(pattern: &str) -> String {
    let mut characters = pattern.chars();
    let mut changed = String::with_capacity(pattern.len());
    while let Some(character) = characters.next() {
        changed.push(character);
        if character == '%'
            && let Some(next) = characters.next()
        {
            changed.push(if next == 'i' { 'M' } else { next });
        }
    }
    changed
}

impl Written {
    fn written(&self, values: &ArrayRef, patterns: &StringArray, by: &By) -> Result<ArrayRef> {
        let shown = shown(values, by)?;
        let mut known: Option<(&str, Pattern)> = None;
        let rows = shown.into_iter().zip(patterns.iter());
        let texts = rows.map(|(shown, pattern)| {
            let (Some(shown), Some(text)) = (shown, pattern) else {
                return Ok(None);
            };
            if known.as_ref().is_none_or(|(known, _)| *known != text) {
                let parsed = self.style.parse(text);
                known = Some((text, parsed.map_err(|problem| self.wrong(text, &problem))?));
            }
            let mut out = String::with_capacity(text.len() + 8);
            if let Some((_, pattern)) = &known {
                let written = pattern.write(&shown, &mut out);
                written.map_err(|problem| self.wrong(text, &problem))?;
            }
            Ok(Some(out))
        });
        Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
    }

    /// Writes a column of patterns of which some are chrono's.
    fn mixed(
        &self,
        arguments: &ScalarFunctionArgs,
        values: &ArrayRef,
        patterns: &StringArray,
        by: &By,
    ) -> Result<ArrayRef> {
        let row = |row: usize| {
            let (value, pattern) = (values.slice(row, 1), patterns.slice(row, 1));
            let is_chronos = pattern.is_valid(0) && pattern.value(0).contains('%');
            if !is_chronos {
                let text = self.written(&value, &pattern, by)?;
                return ScalarValue::try_from_array(&text, 0);
            }
            let pattern = ScalarValue::from(with_minutes(pattern.value(0)));
            let one = ScalarFunctionArgs {
                args: vec![ColumnarValue::Array(value), ColumnarValue::Scalar(pattern)],
                number_rows: 1,
                ..arguments.clone()
            };
            let text = self.theirs.invoke_with_args(one)?.to_array(1)?;
            ScalarValue::try_from_array(&text, 0)
        };
        let rows: Vec<ScalarValue> = (0..values.len()).map(row).collect::<Result<_>>()?;
        let texts = rows.iter().map(|text| text.try_as_str().flatten());
        Ok(Arc::new(texts.collect::<StringArray>()))
    }

    fn wrong(&self, pattern: &str, problem: &str) -> datafusion::common::DataFusionError {
        exec_datafusion_err!("`{}`: {problem} in the pattern '{pattern}'", self.name())
    }
}

/// Returns what calendar and clock show for each value.
fn shown(values: &ArrayRef, by: &By) -> Result<Vec<Option<Shown>>> {
    match values.data_type() {
        DataType::Timestamp(unit, its_zone) => {
            let by = its_zone.is_some().then_some(by);
            Ok(by_unit!(unit, shown_at(values, by)))
        }
        DataType::Date32 | DataType::Date64 => {
            let values = cast(values, &DataType::Timestamp(TimeUnit::Second, None))?;
            Ok(shown_at::<TimestampSecondType>(&values, None))
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let values = cast(values, &DataType::Time64(TimeUnit::Nanosecond))?;
            let times = values.as_primitive::<Time64NanosecondType>().iter();
            let times = times.map(|time| {
                let time = time?;
                let seconds = u32::try_from(time / 1_000_000_000).ok()?;
                let rest = u32::try_from(time % 1_000_000_000).ok()?;
                let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest)?;
                Some(Shown {
                    clock: NaiveDateTime::default().date().and_time(time),
                    calendar: Calendar::None,
                    zone: None,
                })
            });
            Ok(times.collect())
        }
        other => exec_err!("{other} is no date or time"),
    }
}

fn shown_at<T: ArrowTimestampType>(values: &ArrayRef, by: Option<&By>) -> Vec<Option<Shown>> {
    let values = values.as_primitive::<T>().iter();
    let shown = values.map(|value| Shown::at(as_datetime::<T>(value?)?, by));
    shown.collect()
}
