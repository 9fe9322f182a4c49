//! Quotients of decimals are rounded, and have digits enough.
//!
//! DataFusion 55.2 gives a quotient four digits more than its dividend has and cuts what is left: `1.25 / 3` is
//! 0.416666, `1.0 / 3` 0.33333. PostgreSQL rounds to at least 16 significant digits. Here a quotient has 16
//! digits after its point where 38 in all allow it, and never fewer than DataFusion gives; it is rounded half
//! away from zero, as PostgreSQL rounds.

mod kernel;

pub(crate) use kernel::rounded_wide;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{DFSchema, Result, exec_err, plan_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use lakesh_sql::{MOST_DIGITS, PLAIN_DIGITS};

use crate::function::{call, over_arrays};

/// How many digits after its point a quotient has where nothing forbids it.
const DIGITS: u8 = 16;
/// How many digits DataFusion gives it beyond those of the dividend.
const DIGITS_OF_DATAFUSION: u8 = 4;

static QUOTIENT: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Quotient::new())));

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&QUOTIENT)
}

/// Plans `/` where a decimal is divided, or divides, and the other is a decimal or an integer.
#[derive(Debug)]
pub(crate) struct QuotientPlanner;

impl ExprPlanner for QuotientPlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::Divide {
            return Ok(PlannerResult::Original(expr));
        }
        let types = (expr.left.get_type(schema), expr.right.get_type(schema));
        let (Ok(left), Ok(right)) = types else {
            return Ok(PlannerResult::Original(expr));
        };
        let is_ours = left.is_decimal() || right.is_decimal();
        let is_wide = |data_type: &DataType| matches!(data_type, DataType::Decimal256(..));
        if is_ours
            && (is_wide(&left) || is_wide(&right))
            && let (Some(left), Some(right)) = (wide(&left), wide(&right))
        {
            return Ok(PlannerResult::Planned(wide_quotient(expr, left, right)));
        }
        if !is_ours || exact(&left).is_none() || exact(&right).is_none() {
            return Ok(PlannerResult::Original(expr));
        }
        let arguments = vec![expr.left, expr.right];
        Ok(PlannerResult::Planned(call(&QUOTIENT, arguments)))
    }
}

/// Precision and scale of a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digits {
    precision: u8,
    scale: u8,
}

/// Returns the digits of the decimal that a number can be taken for; `None` for what is not exact or not of
/// 128 bits.
fn exact(data_type: &DataType) -> Option<Digits> {
    let integer = |precision| {
        Some(Digits {
            precision,
            scale: 0,
        })
    };
    match data_type {
        DataType::Int8 | DataType::UInt8 => integer(3),
        DataType::Int16 | DataType::UInt16 => integer(5),
        DataType::Int32 | DataType::UInt32 => integer(10),
        DataType::Int64 | DataType::UInt64 => integer(20),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => Some(Digits {
            precision: *precision,
            scale: u8::try_from(*scale).ok()?,
        }),
        _ => None,
    }
}

/// Returns the digits of an exact number, for numbers of which one has more than 128 bits.
fn wide(data_type: &DataType) -> Option<Digits> {
    match data_type {
        DataType::Decimal256(precision, scale) => Some(Digits {
            precision: *precision,
            scale: u8::try_from(*scale).ok()?,
        }),
        other => exact(other),
    }
}

/// Divides as DataFusion does, with digits enough, of which the last is rounded away.
fn wide_quotient(quotient: RawBinaryExpr, dividend: Digits, divisor: Digits) -> Expr {
    let cast = |operand, precision: u8, scale: u8| {
        let wide = DataType::Decimal256(precision.min(MOST_DIGITS), scale as i8);
        Box::new(Expr::Cast(Cast::new(Box::new(operand), wide)))
    };
    let wanted = dividend.scale.max(DIGITS + 1 - DIGITS_OF_DATAFUSION);
    let raised = wanted.min(dividend.scale + (MOST_DIGITS - dividend.precision));
    let precision = dividend.precision + raised - dividend.scale;
    let whole = dividend.precision - dividend.scale + divisor.scale;
    let scale = (raised + DIGITS_OF_DATAFUSION).min(MOST_DIGITS) - 1;
    let quotient = BinaryExpr::new(
        cast(quotient.left, precision, raised),
        Operator::Divide,
        cast(quotient.right, divisor.precision, divisor.scale),
    );
    *cast(
        Expr::BinaryExpr(quotient),
        whole.saturating_add(scale),
        scale,
    )
}

/// Returns the digits of a quotient.
fn quotient_digits(dividend: Digits, divisor: Digits) -> Digits {
    // The smallest divisor is 10 to the minus its scale.
    let whole = dividend.precision - dividend.scale + divisor.scale;
    let wanted = DIGITS.max(dividend.scale).max(divisor.scale);
    let room = PLAIN_DIGITS.saturating_sub(whole);
    let least = dividend.scale.saturating_add(DIGITS_OF_DATAFUSION);
    let scale = wanted.min(room).max(least).min(PLAIN_DIGITS);
    Digits {
        precision: whole.saturating_add(scale).min(PLAIN_DIGITS),
        scale,
    }
}

/// `a / b` for decimals; NULL where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Quotient {
    signature: Signature,
}

impl Quotient {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Quotient {
    fn name(&self) -> &'static str {
        "lakesh_quotient"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let decimal = |data_type: &DataType| match exact(data_type) {
            Some(digits) => Ok(DataType::Decimal128(digits.precision, digits.scale as i8)),
            None => plan_err!("`lakesh_quotient` takes two exact numbers"),
        };
        match types {
            [_, _] => types.iter().map(decimal).collect(),
            _ => plan_err!("`lakesh_quotient` takes two exact numbers"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let (Some(dividend), Some(divisor)) = (exact(&types[0]), exact(&types[1])) else {
            return plan_err!("`lakesh_quotient` takes two exact numbers");
        };
        let digits = quotient_digits(dividend, divisor);
        Ok(DataType::Decimal128(digits.precision, digits.scale as i8))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = arguments.return_field.data_type().clone();
        over_arrays(&arguments, |arrays| {
            let [dividends, divisors] = arrays else {
                return exec_err!("`lakesh_quotient` takes two numbers");
            };
            let scales = (exact(dividends.data_type()), exact(divisors.data_type()));
            let ((Some(dividend), Some(divisor)), Some(quotient)) = (scales, exact(&result)) else {
                return exec_err!("`lakesh_quotient` takes two exact numbers");
            };
            // A quotient of the raw numbers has the scale `dividend.scale - divisor.scale`.
            let raised = quotient.scale + divisor.scale - dividend.scale;
            kernel::quotients(
                dividends.as_primitive::<Decimal128Type>(),
                divisors.as_primitive::<Decimal128Type>(),
                raised,
                &result,
            )
        })
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        // As DataFusion names its quotients.
        match arguments {
            [left, right] => Ok(format!("{} / {}", left.schema_name(), right.schema_name())),
            _ => plan_err!("`lakesh_quotient` takes two numbers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dividend: (u8, u8), divisor: (u8, u8), expect: (u8, u8)) {
        let digits = |(precision, scale)| Digits { precision, scale };
        let quotient = quotient_digits(digits(dividend), digits(divisor));
        assert_eq!(quotient, digits(expect));
    }

    #[test]
    fn a_quotient_has_sixteen_digits_where_they_fit() {
        check((3, 2), (20, 0), (17, 16));
        check((20, 0), (3, 2), (38, 16));
        check((38, 4), (38, 4), (38, 8));
        check((38, 0), (20, 0), (38, 4));
        check((38, 38), (38, 38), (38, 38));
    }
}
