//! Arithmetic that DataFusion lacks: an interval or duration times a number, or divided by one.
//!
//! As in PostgreSQL a fraction of a month becomes days of 30 to the month, and a fraction of a day
//! becomes time.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, DurationMicrosecondArray, IntervalMonthDayNanoArray,
};
use datafusion::arrow::datatypes::{
    DataType, DurationMicrosecondType, Float64Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const DURATION: DataType = DataType::Duration(TimeUnit::Microsecond);
const DAYS_OF_A_MONTH: f64 = 30.0;
const NANOSECONDS_OF_A_DAY: f64 = 86_400_000_000_000.0;

/// Plans `interval * n`, `n * interval` and `interval / n`.
#[derive(Debug)]
pub struct IntervalPlanner;

impl ExprPlanner for IntervalPlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let operation = match expr.op {
            BinaryOperator::Multiply => Operation::Times,
            BinaryOperator::Divide => Operation::DividedBy,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema))
        else {
            return Ok(PlannerResult::Original(expr));
        };
        let arguments = match (is_span(&left), is_span(&right)) {
            (true, false) if is_number(&right) => vec![expr.left, expr.right],
            (false, true) if is_number(&left) && operation == Operation::Times => {
                vec![expr.right, expr.left]
            }
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let function = ScalarUDF::from(ScaledSpan::new(operation));
        Ok(PlannerResult::Planned(Expr::ScalarFunction(
            ScalarFunction::new_udf(Arc::new(function), arguments),
        )))
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_null()
}

fn is_span(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Times,
    DividedBy,
}

/// `span * n` or `span / n`; NULL where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ScaledSpan {
    operation: Operation,
    signature: Signature,
}

impl ScaledSpan {
    fn new(operation: Operation) -> Self {
        Self {
            operation,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ScaledSpan {
    fn name(&self) -> &'static str {
        match self.operation {
            Operation::Times => "interval_times",
            Operation::DividedBy => "interval_divided_by",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [span, number] = types else {
            return plan_err!("`{}` takes a span of time and a number", self.name());
        };
        let span = match span {
            DataType::Duration(_) => DURATION,
            _ => INTERVAL,
        };
        let is_exact = number.is_integer() && self.operation == Operation::Times;
        let number = match is_exact {
            true => DataType::Int64,
            false => DataType::Float64,
        };
        Ok(vec![span, number])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = arguments
            .args
            .iter()
            .all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { arguments.number_rows };
        let [span, number] = arguments.args.as_slice() else {
            return exec_err!("`{}` takes two arguments", self.name());
        };
        let (span, number) = (span.to_array(rows)?, number.to_array(rows)?);
        let scaled = scaled(&span, &number, self.operation)?;
        match is_scalar {
            true => ScalarValue::try_from_array(&scaled, 0).map(ColumnarValue::Scalar),
            false => Ok(ColumnarValue::Array(scaled)),
        }
    }
}

fn scaled(span: &ArrayRef, number: &ArrayRef, operation: Operation) -> Result<ArrayRef> {
    let factors = factors(number, operation)?;
    if let Some(spans) = span.as_primitive_opt::<DurationMicrosecondType>() {
        let scaled = spans.iter().zip(factors).map(|(span, factor)| {
            let both = span.zip(factor);
            both.map(|(span, factor)| whole(factor.of(span)))
                .transpose()
        });
        let scaled: DurationMicrosecondArray = scaled.collect::<Result<_>>()?;
        return Ok(Arc::new(scaled));
    }
    let spans = span.as_primitive::<IntervalMonthDayNanoType>();
    let scaled = spans.iter().zip(factors).map(|(span, factor)| {
        let both = span.zip(factor);
        both.map(|(span, factor)| scaled_interval(span, factor))
            .transpose()
    });
    let scaled: IntervalMonthDayNanoArray = scaled.collect::<Result<_>>()?;
    Ok(Arc::new(scaled))
}

/// What a span is multiplied by.
#[derive(Debug, Clone, Copy)]
enum Factor {
    Whole(i64),
    Real(f64),
}

/// A product in its whole part and the rest.
struct Product {
    whole: i128,
    rest: f64,
}

impl Factor {
    fn of(self, count: i64) -> Product {
        match self {
            Self::Whole(factor) => Product {
                whole: i128::from(count) * i128::from(factor),
                rest: 0.0,
            },
            Self::Real(factor) => {
                let product = count as f64 * factor;
                Product {
                    whole: product.trunc() as i128,
                    rest: product.fract(),
                }
            }
        }
    }
}

fn factors(number: &ArrayRef, operation: Operation) -> Result<Vec<Option<Factor>>> {
    if let Some(numbers) = number.as_primitive_opt::<Int64Type>() {
        return Ok(numbers
            .iter()
            .map(|number| number.map(Factor::Whole))
            .collect());
    }
    let numbers = number.as_primitive::<Float64Type>().iter();
    let factor = |number: f64| match operation {
        Operation::Times if number.is_finite() => Ok(Factor::Real(number)),
        Operation::DividedBy if number == 0.0 => {
            Err(DataFusionError::from(ArrowError::DivideByZero))
        }
        Operation::DividedBy if number.is_finite() => Ok(Factor::Real(number.recip())),
        _ => exec_err!("an interval cannot be scaled by {number}"),
    };
    numbers
        .map(|number| number.map(factor).transpose())
        .collect()
}

/// Rounds to a whole number.
fn whole(product: Product) -> Result<i64> {
    let rounded = product.whole + product.rest.round() as i128;
    i64::try_from(rounded).or_else(|_| out_of_range())
}

fn scaled_interval(span: IntervalMonthDayNano, factor: Factor) -> Result<IntervalMonthDayNano> {
    let months = factor.of(span.months.into());
    let mut days = factor.of(span.days.into());
    let days_of_months = months.rest * DAYS_OF_A_MONTH;
    days.whole += days_of_months.trunc() as i128;
    let nanoseconds = factor.of(span.nanoseconds);
    let rest_of_days = (days.rest + days_of_months.fract()) * NANOSECONDS_OF_A_DAY;
    let nanoseconds = Product {
        whole: nanoseconds.whole + rest_of_days.trunc() as i128,
        rest: nanoseconds.rest + rest_of_days.fract(),
    };
    let narrow = |count: i128| i32::try_from(count).or_else(|_| out_of_range());
    Ok(IntervalMonthDayNano {
        months: narrow(months.whole)?,
        days: narrow(days.whole)?,
        nanoseconds: whole(nanoseconds)?,
    })
}

fn out_of_range<T>() -> Result<T> {
    exec_err!("an interval is out of range")
}
