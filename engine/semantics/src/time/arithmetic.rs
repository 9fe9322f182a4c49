//! Sums and differences of moments, days, times of day and intervals, in the zone of the session.
//!
//! DataFusion 55.2 makes nanoseconds of a day that meets a moment or a time, refuses moments of two zones, and
//! adds a day in the zone of the column, where PostgreSQL and DuckDB go by that of the session.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::sides::{as_timestamp, cast};
use super::{Zone, is_date, is_same_zone};
use crate::function::call;

/// Plans sums and differences for a session in a zone.
#[derive(Debug)]
pub struct TimeArithmetic {
    zone: Zone,
}

impl TimeArithmetic {
    /// Makes a planner for a session in a zone.
    pub fn new(zone: Zone) -> Self {
        Self { zone }
    }

    /// Returns both operands as they can be added or subtracted.
    fn operands(
        &self,
        (left, left_type): (Expr, &DataType),
        (right, right_type): (Expr, &DataType),
        is_difference: bool,
    ) -> [Expr; 2] {
        let here = |unit: &TimeUnit| DataType::Timestamp(*unit, Some(Arc::clone(&self.zone)));
        match (left_type, right_type) {
            (
                DataType::Timestamp(left_unit, left_zone),
                DataType::Timestamp(right_unit, right_zone),
            ) if is_difference && left_zone != right_zone => [
                as_timestamp(left, left_type, &here(left_unit), &self.zone),
                as_timestamp(right, right_type, &here(right_unit), &self.zone),
            ],
            (DataType::Timestamp(..), day) if is_difference && is_date(day) => {
                let right = as_timestamp(right, day, left_type, &self.zone);
                [left, right]
            }
            (day, DataType::Timestamp(..)) if is_difference && is_date(day) => {
                let left = as_timestamp(left, day, right_type, &self.zone);
                [left, right]
            }
            (DataType::Timestamp(unit, Some(zone)), DataType::Interval(_))
                if !is_same_zone(zone, &self.zone) =>
            {
                [cast(left, here(unit)), right]
            }
            (DataType::Interval(_), DataType::Timestamp(unit, Some(zone)))
                if !is_same_zone(zone, &self.zone) =>
            {
                [left, cast(right, here(unit))]
            }
            (day, time) if is_day_or_clock(day) && is_time(time) => {
                [moment(left, day), since_midnight(right)]
            }
            (time, day) if is_day_or_clock(day) && is_time(time) && !is_difference => {
                [since_midnight(left), moment(right, day)]
            }
            _ => [left, right],
        }
    }
}

impl ExprPlanner for TimeArithmetic {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let is_difference = match expr.op {
            BinaryOperator::Minus => true,
            BinaryOperator::Plus => false,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let (Ok(left_type), Ok(right_type)) =
            (expr.left.get_type(schema), expr.right.get_type(schema))
        else {
            return Ok(PlannerResult::Original(expr));
        };
        let RawBinaryExpr { op, left, right } = expr;
        let [left, right] = self.operands((left, &left_type), (right, &right_type), is_difference);
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }

    fn plan_extract(&self, arguments: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let part = call(&super::parts::function(), arguments);
        Ok(PlannerResult::Planned(part))
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Time32(_) | DataType::Time64(_))
}

fn is_day_or_clock(data_type: &DataType) -> bool {
    is_date(data_type) || matches!(data_type, DataType::Timestamp(..))
}

fn moment(value: Expr, data_type: &DataType) -> Expr {
    match is_date(data_type) {
        true => cast(value, DataType::Timestamp(TimeUnit::Microsecond, None)),
        false => value,
    }
}

/// Returns a time of day as a span since midnight.
fn since_midnight(time: Expr) -> Expr {
    let time = cast(time, DataType::Time64(TimeUnit::Microsecond));
    let microseconds = cast(time, DataType::Int64);
    cast(microseconds, DataType::Duration(TimeUnit::Microsecond))
}
