//! Products of decimals keep all digits behind their point, and decimals of 38 and of 76 digits fit together.
//!
//! DataFusion 55.2 refuses a product with more than 38 of them, and `+`, `-`, `*` and `%` between its narrow and
//! its wide decimals. Here a product is a DECIMAL of up to 76 digits; what needs more is refused.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, Operator};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use lakesh_sql::{MOST_DIGITS, PLAIN_DIGITS};

/// With fewer digits before its point a product is not left to 38 digits.
const LEAST_ROOM: u8 = 6;

/// Plans arithmetic of two decimals.
#[derive(Debug)]
pub(crate) struct ProductPlanner;

impl ExprPlanner for ProductPlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let operator = match expr.op {
            BinaryOperator::Multiply => Operator::Multiply,
            BinaryOperator::Plus => Operator::Plus,
            BinaryOperator::Minus => Operator::Minus,
            BinaryOperator::Modulo => Operator::Modulo,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let types = (expr.left.get_type(schema), expr.right.get_type(schema));
        let (Ok(left), Ok(right)) = types else {
            return Ok(PlannerResult::Original(expr));
        };
        let (Some(left), Some(right)) = (digits(&left), digits(&right)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let is_product = operator == Operator::Multiply;
        let scale = left.1.saturating_add(right.1);
        if is_product && scale > MOST_DIGITS {
            return plan_err!(
                "a product with {scale} digits behind its point: a DECIMAL has {MOST_DIGITS} at most, \
                 CAST a factor to DOUBLE or to a DECIMAL with fewer"
            );
        }
        let is_wide = left.0.max(right.0) > PLAIN_DIGITS;
        let whole = left.0.saturating_sub(left.1) + right.0.saturating_sub(right.1);
        let room = PLAIN_DIGITS.saturating_sub(scale);
        let needs_room =
            is_product && (scale > PLAIN_DIGITS || (room < LEAST_ROOM && room < whole));
        if !is_wide && !needs_room {
            return Ok(PlannerResult::Original(expr));
        }
        let wide = |operand: Expr, (precision, scale): (u8, u8)| {
            let wide = DataType::Decimal256(precision, scale as i8);
            Box::new(Expr::Cast(Cast::new(Box::new(operand), wide)))
        };
        let planned = BinaryExpr::new(wide(expr.left, left), operator, wide(expr.right, right));
        Ok(PlannerResult::Planned(Expr::BinaryExpr(planned)))
    }
}

/// Returns precision and scale of a decimal.
fn digits(data_type: &DataType) -> Option<(u8, u8)> {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some((*precision, u8::try_from(*scale).ok()?)),
        _ => None,
    }
}
