//! How many rows an operator returns, and what its columns are like, as far as bounds of files tell.
//!
//! It is asked by rules that choose between plans with the same rows; a wrong number costs time and nothing
//! else. DataFusion's own numbers are taken for scans alone: above joins they know no distinct values.

mod condition;
mod operator;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs, StatisticsContext};

pub(crate) use condition::selectivity;

/// A text of unknown length takes about so many bytes.
const TEXT_BYTES: f64 = 24.0;

/// So many rows has what nothing is known of.
const UNKNOWN_ROWS: f64 = 1000.0;

/// What is assumed of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    /// How many values there are, in the table that the column comes from; `None` for texts.
    pub(crate) distinct: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    /// The share of NULL.
    nulls: f64,
    bytes: f64,
}

/// What is assumed of an operator's rows.
#[derive(Debug, Clone)]
pub(crate) struct Estimate {
    pub(crate) rows: f64,
    pub(crate) columns: Vec<Column>,
    /// Whether the rows of all tables below are known.
    pub(crate) is_known: bool,
}

impl Estimate {
    /// The number of different values of a column, which is the number of rows where nothing is known.
    pub(crate) fn distinct(&self, column: usize) -> f64 {
        let known = self.columns.get(column).and_then(|column| column.distinct);
        known.unwrap_or(self.rows).max(1.0)
    }

    /// The bytes of a row.
    pub(crate) fn width(&self) -> f64 {
        self.columns.iter().map(|column| column.bytes).sum()
    }

    fn unknown(schema: &Schema) -> Self {
        let mut unknown = Self::of_schema(schema, UNKNOWN_ROWS);
        unknown.is_known = false;
        unknown
    }

    fn of_schema(schema: &Schema, rows: f64) -> Self {
        let columns = schema.fields().iter();
        let columns = columns.map(|field| Column::of_type(field.data_type()));
        Self {
            rows,
            columns: columns.collect(),
            is_known: true,
        }
    }
}

impl Column {
    fn of_type(kind: &DataType) -> Self {
        let bytes = kind
            .primitive_width()
            .map_or(TEXT_BYTES, |width| width as f64);
        Self {
            distinct: (*kind == DataType::Boolean).then_some(2.0),
            bytes,
            ..Self::default()
        }
    }

    /// How many values the column has in so many rows; of texts it is guessed.
    pub(crate) fn values(&self, rows: f64) -> f64 {
        let guessed = || rows.sqrt().clamp(3.0, 1000.0);
        self.distinct
            .unwrap_or_else(guessed)
            .clamp(1.0, rows.max(1.0))
    }
}

/// Makes estimates; keeps those that it has made.
#[derive(Default)]
pub(crate) struct Estimator {
    /// By the operator's address, which stays its own since it is kept here.
    made: RefCell<HashMap<usize, Made>>,
}

/// An operator and its estimate.
type Made = (Arc<dyn ExecutionPlan>, Rc<Estimate>);

impl Estimator {
    /// Estimates an operator's rows.
    pub(crate) fn of(&self, plan: &Arc<dyn ExecutionPlan>) -> Rc<Estimate> {
        let address = Arc::as_ptr(plan).cast::<()>() as usize;
        if let Some((_, made)) = self.made.borrow().get(&address) {
            return Rc::clone(made);
        }
        let estimate = Rc::new(operator::estimate(self, plan));
        let kept = (Arc::clone(plan), Rc::clone(&estimate));
        self.made.borrow_mut().insert(address, kept);
        estimate
    }
}

/// Estimates a scan, or what else nothing is known of but DataFusion's statistics.
fn of_scan(plan: &Arc<dyn ExecutionPlan>) -> Estimate {
    let schema = plan.schema();
    let found = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new());
    let Ok(found) = found else {
        return Estimate::unknown(&schema);
    };
    let Some(rows) = found.num_rows.get_value() else {
        return Estimate::unknown(&schema);
    };
    let rows = *rows as f64;
    let mut estimate = Estimate::of_schema(&schema, rows);
    for (place, column) in estimate.columns.iter_mut().enumerate() {
        let Some(statistics) = found.column_statistics.get(place) else {
            continue;
        };
        let kind = schema.field(place).data_type();
        let value = |bound: &Precision<ScalarValue>| bound.get_value().and_then(number);
        column.low = value(&statistics.min_value);
        column.high = value(&statistics.max_value);
        if let Some(nulls) = statistics.null_count.get_value() {
            column.nulls = (*nulls as f64 / rows.max(1.0)).clamp(0.0, 1.0);
        }
        let counted = statistics.distinct_count.get_value();
        let spread = match (column.low, column.high) {
            (Some(low), Some(high)) if is_stepped(kind) => Some((high - low) / step(kind) + 1.0),
            (Some(_), Some(_)) => Some(rows),
            _ => None,
        };
        let distinct = counted.map(|count| *count as f64).or(spread);
        if let Some(distinct) = distinct {
            column.distinct = Some(distinct.clamp(1.0, rows.max(1.0)));
        }
    }
    estimate
}

/// Says whether the values of a type are the multiples of one number.
fn is_stepped(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_decimal() || matches!(kind, DataType::Date32)
}

fn step(kind: &DataType) -> f64 {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => 10_f64.powi(-i32::from(*scale)),
        _ => 1.0,
    }
}

/// Returns a value as a number; `None` for texts and the like.
fn number(value: &ScalarValue) -> Option<f64> {
    Some(match value {
        ScalarValue::Int8(value) => f64::from((*value)?),
        ScalarValue::Int16(value) => f64::from((*value)?),
        ScalarValue::Int32(value) | ScalarValue::Date32(value) => f64::from((*value)?),
        ScalarValue::UInt8(value) => f64::from((*value)?),
        ScalarValue::UInt16(value) => f64::from((*value)?),
        ScalarValue::UInt32(value) => f64::from((*value)?),
        ScalarValue::Int64(value)
        | ScalarValue::Date64(value)
        | ScalarValue::TimestampSecond(value, _)
        | ScalarValue::TimestampMillisecond(value, _)
        | ScalarValue::TimestampMicrosecond(value, _)
        | ScalarValue::TimestampNanosecond(value, _) => (*value)? as f64,
        ScalarValue::UInt64(value) => (*value)? as f64,
        ScalarValue::Float32(value) => f64::from((*value)?),
        ScalarValue::Float64(value) => (*value)?,
        ScalarValue::Decimal32(value, _, scale) => f64::from((*value)?) * power(*scale),
        ScalarValue::Decimal64(value, _, scale) => (*value)? as f64 * power(*scale),
        ScalarValue::Decimal128(value, _, scale) => (*value)? as f64 * power(*scale),
        _ => return None,
    })
    .filter(|number: &f64| number.is_finite())
}

fn power(scale: i8) -> f64 {
    10_f64.powi(-i32::from(scale))
}
