//! A date and an interval that can hold hours make a timestamp, as in PostgreSQL and DuckDB.
//!
//! DataFusion 55.2 gives DATE the type of every such sum, and `DATE '2024-01-01' + INTERVAL '1 hour'` is that
//! day again (apache/datafusion 19527). Where an interval is known to hold whole days the sum stays a DATE, as the standard says.

use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable};
use datafusion::sql::sqlparser::ast::BinaryOperator;

const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;
const MILLISECONDS_OF_A_DAY: i32 = 86_400_000;

/// Casts the date of a sum or difference to a timestamp where the interval may hold a part of a day.
#[derive(Debug)]
pub(crate) struct DatePlanner;

impl ExprPlanner for DatePlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = expr;
        let original =
            |left, right, op| Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        let is_sum = op == BinaryOperator::Plus;
        if !is_sum && op != BinaryOperator::Minus {
            return original(left, right, op);
        }
        match (left.get_type(schema), right.get_type(schema)) {
            (Ok(DataType::Date32), Ok(DataType::Interval(unit)))
                if !is_whole(&right, unit, schema) =>
            {
                original(timestamp(left), right, op)
            }
            (Ok(DataType::Interval(unit)), Ok(DataType::Date32))
                if is_sum && !is_whole(&left, unit, schema) =>
            {
                original(left, timestamp(right), op)
            }
            _ => original(left, right, op),
        }
    }
}

fn timestamp(date: Expr) -> Expr {
    let to = DataType::Timestamp(TimeUnit::Microsecond, None);
    Expr::Cast(Cast::new(Box::new(date), to))
}

/// Says whether an interval is known to consist of whole days.
fn is_whole(interval: &Expr, unit: IntervalUnit, schema: &DFSchema) -> bool {
    match interval {
        _ if unit == IntervalUnit::YearMonth => true,
        Expr::Literal(ScalarValue::IntervalMonthDayNano(span), _) => {
            span.is_none_or(|span| span.nanoseconds % NANOSECONDS_OF_A_DAY == 0)
        }
        Expr::Literal(ScalarValue::IntervalDayTime(span), _) => {
            span.is_none_or(|span| span.milliseconds % MILLISECONDS_OF_A_DAY == 0)
        }
        Expr::Negative(interval) => is_whole(interval, unit, schema),
        // `k * INTERVAL '1 day'`, as our planner plans it.
        Expr::ScalarFunction(call) if call.name() == "interval_times" => {
            let [span, factor] = call.args.as_slice() else {
                return false;
            };
            let factor = factor.get_type(schema);
            is_whole(span, unit, schema) && factor.is_ok_and(|factor| factor.is_integer())
        }
        _ => false,
    }
}
