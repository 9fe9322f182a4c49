//! Comparisons of moments, days and texts, exact and without a range of their own.
//!
//! Nanoseconds cannot hold the year 9999 and microseconds no nanosecond: where both meet, the finer side is
//! rounded down and up, as `x < m` for whole m says the same of x and of x rounded down.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::sides::{as_timestamp, cast, finer};
use super::{Zone, is_date, is_text};
use crate::function::{call, over_arrays};

static DOWN: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(Rounded::new(false).into()));
static UP: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(Rounded::new(true).into()));

/// Returns the functions, for whoever looks them up by name.
pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    [Arc::clone(&DOWN), Arc::clone(&UP)]
}

/// Returns the comparison that two values of time ask for; `None` where DataFusion's is right.
pub(super) fn compared(
    left: &Expr,
    op: Operator,
    right: &Expr,
    schema: &DFSchema,
    session: &Zone,
) -> Result<Option<Expr>> {
    if !is_comparison(op) {
        return Ok(None);
    }
    let (Ok(left_type), Ok(right_type)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(None);
    };
    let Some([left, right]) = sides((left, &left_type), (right, &right_type), session) else {
        return Ok(None);
    };
    let unit = |side: &Expr| match side.get_type(schema) {
        Ok(DataType::Timestamp(unit, _)) => Some(unit),
        _ => None,
    };
    Ok(Some(match (unit(&left), unit(&right)) {
        (Some(TimeUnit::Nanosecond), Some(other)) if other != TimeUnit::Nanosecond => {
            finer_with_coarser(left, op, in_microseconds(right, schema))
        }
        (Some(other), Some(TimeUnit::Nanosecond)) if other != TimeUnit::Nanosecond => {
            let swapped = op.swap().unwrap_or(op);
            finer_with_coarser(right, swapped, in_microseconds(left, schema))
        }
        _ => binary(left, op, right),
    }))
}

/// Returns both sides as timestamps of one zone; `None` where they are timestamps of one type, or none.
pub(super) fn sides(
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
    session: &Zone,
) -> Option<[Expr; 2]> {
    match (left_type, right_type) {
        _ if left_type == right_type => None,
        (
            DataType::Timestamp(left_unit, left_zone),
            DataType::Timestamp(right_unit, right_zone),
        ) => {
            // A column stays bare where it can, so that files are still left out.
            let keeps_right = left_zone.is_none()
                || (right_zone.is_some() && is_constant(left) && !is_constant(right));
            let (left, right) = (left.clone(), right.clone());
            if keeps_right {
                let to = DataType::Timestamp(*left_unit, right_zone.clone());
                return Some([as_timestamp(left, left_type, &to, session), right]);
            }
            let to = DataType::Timestamp(*right_unit, left_zone.clone());
            Some([left, as_timestamp(right, right_type, &to, session)])
        }
        (DataType::Timestamp(unit, zone), other) => {
            let other = met(right, other, *unit, zone.as_ref(), session)?;
            Some([left.clone(), other])
        }
        (other, DataType::Timestamp(unit, zone)) => {
            let other = met(left, other, *unit, zone.as_ref(), session)?;
            Some([other, right.clone()])
        }
        _ => None,
    }
}

/// Returns a day or a text as a timestamp that can be compared with one of a unit and a zone.
fn met(
    value: &Expr,
    data_type: &DataType,
    unit: TimeUnit,
    zone: Option<&Zone>,
    session: &Zone,
) -> Option<Expr> {
    let as_unit = |unit| {
        let to = DataType::Timestamp(unit, zone.cloned());
        as_timestamp(value.clone(), data_type, &to, session)
    };
    if is_date(data_type) {
        return Some(as_unit(match unit {
            TimeUnit::Nanosecond => TimeUnit::Microsecond,
            unit => unit,
        }));
    }
    if !is_text(data_type) {
        return None;
    }
    let unit = finer(unit, TimeUnit::Microsecond);
    let is_far = || constant(&as_unit(unit)).is_none();
    Some(as_unit(match unit {
        TimeUnit::Nanosecond if is_constant(value) && is_far() => TimeUnit::Microsecond,
        unit => unit,
    }))
}

/// Compares nanoseconds with something coarser.
fn finer_with_coarser(fine: Expr, op: Operator, coarse: Expr) -> Expr {
    // Where nanoseconds hold the other side, the column stays as it is.
    if let Some(value) = constant(&coarse)
        && let DataType::Timestamp(_, zone) = value.data_type()
    {
        let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, zone);
        if let Ok(value) = value.cast_to(&nanoseconds) {
            return binary(fine, op, Expr::Literal(value, None));
        }
    }
    let down = || call(&DOWN, vec![fine.clone()]);
    let up = || call(&UP, vec![fine.clone()]);
    let both = |with| {
        let (down, up) = (down(), up());
        let (one, other) = (
            binary(down, op, coarse.clone()),
            binary(up, op, coarse.clone()),
        );
        binary(one, with, other)
    };
    match op {
        Operator::Lt | Operator::GtEq => binary(down(), op, coarse),
        Operator::Gt | Operator::LtEq => binary(up(), op, coarse),
        Operator::NotEq | Operator::IsDistinctFrom => both(Operator::Or),
        _ => both(Operator::And),
    }
}

fn in_microseconds(value: Expr, schema: &DFSchema) -> Expr {
    match value.get_type(schema) {
        Ok(DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, zone)) => {
            cast(value, DataType::Timestamp(TimeUnit::Microsecond, zone))
        }
        _ => value,
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(
        op,
        Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom
    )
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// Says whether an expression is a literal, perhaps cast.
pub(super) fn is_constant(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(..) => true,
        Expr::Cast(cast) => is_constant(&cast.expr),
        _ => false,
    }
}

/// Returns the value of a constant, unless its type cannot hold it.
fn constant(expression: &Expr) -> Option<ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) => constant(&cast.expr)?.cast_to(cast.field.data_type()).ok(),
        _ => None,
    }
}

/// `lakesh_time_down(ts)` and `lakesh_time_up(ts)`: nanoseconds as microseconds, rounded to one side.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rounded {
    up: bool,
    signature: Signature,
}

impl Rounded {
    fn new(up: bool) -> Self {
        Self {
            up,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Rounded {
    fn name(&self) -> &str {
        match self.up {
            true => "lakesh_time_up",
            false => "lakesh_time_down",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let zone = match types {
            [DataType::Timestamp(_, zone)] => zone.clone(),
            _ => None,
        };
        Ok(DataType::Timestamp(TimeUnit::Microsecond, zone))
    }

    /// Returns the nanoseconds that are rounded to a microsecond, so that files are left out by them.
    fn preimage(
        &self,
        arguments: &[Expr],
        literal: &Expr,
        context: &SimplifyContext,
    ) -> Result<PreimageResult> {
        let ([value], Expr::Literal(ScalarValue::TimestampMicrosecond(Some(rounded), _), _)) =
            (arguments, literal)
        else {
            return Ok(PreimageResult::None);
        };
        let zone = match context.get_data_type(value)? {
            DataType::Timestamp(_, zone) => zone,
            _ => None,
        };
        let ends = rounded.checked_mul(1_000).and_then(|whole| match self.up {
            true => Some((whole.checked_sub(999)?, whole.checked_add(1)?)),
            false => Some((whole, whole.checked_add(1_000)?)),
        });
        let Some((from, to)) = ends else {
            return Ok(PreimageResult::None);
        };
        let bound = |value| ScalarValue::TimestampNanosecond(Some(value), zone.clone());
        Ok(PreimageResult::Range {
            expr: value.clone(),
            interval: Box::new(Interval::try_new(bound(from), bound(to))?),
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| {
            let [array] = arrays else {
                return exec_err!("`{}` takes one timestamp", self.name());
            };
            let Some(fine) = array.as_primitive_opt::<TimestampNanosecondType>() else {
                return exec_err!("`{}` takes nanoseconds", self.name());
            };
            let down = |value: i64| value.div_euclid(1_000);
            let rounded: PrimitiveArray<TimestampMicrosecondType> = match self.up {
                false => fine.unary(down),
                true => fine.unary(|value| down(value) + i64::from(value.rem_euclid(1_000) != 0)),
            };
            let rounded = rounded.with_timezone_opt(fine.timezone());
            Ok(Arc::new(rounded) as ArrayRef)
        })
    }
}
