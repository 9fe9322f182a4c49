//! The rows of a chart, read from what its query returned.

use std::cmp::Ordering;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use lakesh_engine::format::{self, FormatOptions, ResultEnd};
use serde_json::{Map, Value};

/// What values a column has, in Vega-Lite's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Quantitative,
    Temporal,
    Nominal,
}

impl Scale {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Quantitative => "quantitative",
            Self::Temporal => "temporal",
            Self::Nominal => "nominal",
        }
    }

    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Self::Temporal,
            DataType::Dictionary(_, value) => Self::of(value),
            other if other.is_numeric() => Self::Quantitative,
            _ => Self::Nominal,
        }
    }
}

/// The rows of a chart.
#[derive(Debug, Default)]
pub(super) struct Points {
    pub(super) rows: Vec<Map<String, Value>>,
    scales: Vec<(String, Scale)>,
}

impl Points {
    /// Reads rows; `None` if they cannot be written as JSON.
    pub(super) fn read(schema: &SchemaRef, batches: &[RecordBatch]) -> Option<Self> {
        let mut writer = format::find("json")?.writer(&FormatOptions::default());
        let mut text = Vec::new();
        writer.start(schema, &mut text).ok()?;
        for batch in batches {
            writer.batch(batch, &mut text).ok()?;
        }
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let end = ResultEnd {
            rows,
            complete: true,
        };
        writer.finish(&end, &mut text).ok()?;
        let fields = schema.fields().iter();
        let mut points = Self {
            rows: serde_json::from_slice(&text).ok()?,
            scales: fields
                .map(|field| (field.name().clone(), Scale::of(field.data_type())))
                .collect(),
        };
        points.make_numbers();
        Some(points)
    }

    /// Decimals and NaN are texts in JSON; a chart wants numbers, or nothing.
    fn make_numbers(&mut self) {
        for (name, _) in self
            .scales
            .iter()
            .filter(|(_, scale)| *scale == Scale::Quantitative)
        {
            for row in &mut self.rows {
                if let Some(value) = row.get_mut(name)
                    && let Some(text) = value.as_str()
                {
                    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                    *value = number.into();
                }
            }
        }
    }

    /// Takes the values of columns one by one, also where they are numbers or days.
    pub(super) fn separate(&mut self, names: &[&str]) {
        for (name, scale) in &mut self.scales {
            if names.contains(&name.as_str()) {
                *scale = Scale::Nominal;
            }
        }
    }

    /// Returns the different values of a column as texts, in ascending order.
    pub(super) fn ordered_values(&self, name: &str) -> Vec<String> {
        let mut values = self.values(name);
        values.sort_by(|left, right| compared(left, right));
        values
    }

    pub(super) fn scale(&self, name: &str) -> Option<Scale> {
        let found = self.scales.iter().find(|(known, _)| known == name);
        found.map(|(_, scale)| *scale)
    }

    /// Returns the rows that have this value in a column.
    pub(super) fn only(&self, name: &str, value: &str) -> Self {
        let rows = self.rows.iter();
        Self {
            rows: rows
                .filter(|row| shown(row.get(name)) == value)
                .cloned()
                .collect(),
            scales: self.scales.clone(),
        }
    }

    /// Returns the different values of a column as texts, in the order of their first row.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for row in &self.rows {
            let shown = shown(row.get(name));
            if !values.contains(&shown) {
                values.push(shown);
            }
        }
        values
    }
}

/// Compares labels: numbers come before texts, NULL comes last.
fn compared(left: &str, right: &str) -> Ordering {
    let null = |label: &str| label == NULL;
    let number = |label: &str| label.parse::<f64>().ok();
    null(left)
        .cmp(&null(right))
        .then_with(|| match (number(left), number(right)) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => left.cmp(right),
        })
}

/// The label of what is missing.
const NULL: &str = "NULL";

/// Writes a value as a label.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => NULL.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(float) if !number.is_i64() && !number.is_u64() => rounded(float),
            _ => number.to_string(),
        },
        Some(other) => other.to_string(),
    }
}

/// Writes a number with at most four significant digits behind the point.
pub(crate) fn rounded(number: f64) -> String {
    if number == 0.0 || (number.abs() >= 1e-3 && number.abs() < 1e9) {
        let text = format!("{number:.4}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    format!("{number:.3e}")
}

/// Places values along an axis, from 0 to 1.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    /// The values, where they have an order of their own only.
    labels: Option<Vec<String>>,
    field: &'static str,
    scale: Scale,
}

impl Axis {
    /// Makes an axis for a column; with `zero` it reaches down to zero.
    pub(super) fn new(points: &Points, field: &'static str, fields: &[&str], zero: bool) -> Self {
        let scale = points.scale(field).unwrap_or(Scale::Nominal);
        let mut axis = Self {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            labels: None,
            field,
            scale,
        };
        if scale == Scale::Nominal {
            let labels = points.values(field);
            axis.low = -0.5;
            axis.high = labels.len() as f64 - 0.5;
            axis.labels = Some(labels);
            return axis;
        }
        for row in &points.rows {
            for field in fields {
                if let Some(number) = number(row.get(*field)) {
                    axis.low = axis.low.min(number);
                    axis.high = axis.high.max(number);
                }
            }
        }
        if axis.low > axis.high {
            (axis.low, axis.high) = (0.0, 1.0);
        }
        if zero {
            axis.low = axis.low.min(0.0);
            axis.high = axis.high.max(0.0);
        }
        if axis.low == axis.high {
            axis.high += 1.0;
        }
        axis
    }

    /// Returns where a row is; `None` where its value is NULL.
    pub(super) fn place(&self, row: &Map<String, Value>) -> Option<f64> {
        self.place_of(row.get(self.field))
    }

    pub(super) fn place_of(&self, value: Option<&Value>) -> Option<f64> {
        let number = match &self.labels {
            Some(labels) => {
                let shown = shown(value);
                labels.iter().position(|label| *label == shown)? as f64
            }
            None => number(value)?,
        };
        Some((number - self.low) / (self.high - self.low))
    }

    /// Returns some labels with their places.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if let Some(labels) = &self.labels {
            let step = labels.len().div_ceil(most.max(1)).max(1);
            let span = self.high - self.low;
            let labelled = labels.iter().enumerate().step_by(step);
            return labelled
                .map(|(index, label)| ((index as f64 - self.low) / span, label.clone()))
                .collect();
        }
        let steps = most.clamp(2, 5) - 1;
        (0..=steps)
            .map(|step| {
                let share = step as f64 / steps as f64;
                let number = self.low + share * (self.high - self.low);
                let label = match self.scale {
                    Scale::Temporal => moment(number),
                    _ => rounded(number),
                };
                (share, label)
            })
            .collect()
    }
}

/// Reads a number, or a day or moment as seconds.
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => seconds(text),
        _ => None,
    }
}

fn seconds(text: &str) -> Option<f64> {
    let moment = text.replace(' ', "T");
    let parsed = chrono::DateTime::parse_from_rfc3339(&moment).map(|moment| moment.naive_utc());
    let parsed = parsed
        .or_else(|_| moment.parse::<chrono::NaiveDateTime>())
        .or_else(|_| {
            let day = moment.parse::<chrono::NaiveDate>();
            day.map(|day| day.and_time(chrono::NaiveTime::MIN))
        });
    Some(parsed.ok()?.and_utc().timestamp_millis() as f64 / 1000.0)
}

fn moment(seconds: f64) -> String {
    match chrono::DateTime::from_timestamp(seconds as i64, 0) {
        Some(moment) if moment.time() == chrono::NaiveTime::MIN => {
            moment.format("%Y-%m-%d").to_string()
        }
        Some(moment) => moment.format("%Y-%m-%d %H:%M").to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::compared;

    #[test]
    fn labels_have_an_order() {
        let mut labels = ["b", "NULL", "10", "2a", "9", "-1.5", "a"];
        labels.sort_by(|left, right| compared(left, right));
        assert_eq!(labels, ["-1.5", "9", "10", "2a", "a", "b", "NULL"]);
    }
}
