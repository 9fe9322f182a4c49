//! Shifts by more bits than there are, or by fewer than none, are an error.
//!
//! Arrow takes the count modulo the width, so that `1 << 64` is 1 and `1 << -1` the smallest integer; DuckDB
//! refuses both.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::try_binary;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::function::{call, over_arrays};

static LEFT: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Shift::new(Direction::Left))));
static RIGHT: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Shift::new(Direction::Right))));

/// Returns the functions, for whoever looks them up by name.
pub(crate) fn functions() -> [Arc<ScalarUDF>; 2] {
    [Arc::clone(&LEFT), Arc::clone(&RIGHT)]
}

/// Puts functions that check the count in the place of shifts.
pub(crate) fn check_count(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(binary) = expression else {
        return Ok(Transformed::no(expression));
    };
    let function = match binary.op {
        Operator::BitwiseShiftLeft => &LEFT,
        Operator::BitwiseShiftRight => &RIGHT,
        _ => return Ok(Transformed::no(Expr::BinaryExpr(binary))),
    };
    match (binary.left.get_type(schema), binary.right.get_type(schema)) {
        (Ok(value), Ok(count)) if value == count && value.is_integer() => {
            let arguments = vec![*binary.left, *binary.right];
            Ok(Transformed::yes(call(function, arguments)))
        }
        _ => Ok(Transformed::no(Expr::BinaryExpr(binary))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Direction {
    Left,
    Right,
}

/// `value << count` or `value >> count`; NULL where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    direction: Direction,
    signature: Signature,
}

impl Shift {
    fn new(direction: Direction) -> Self {
        Self {
            direction,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Shift {
    fn name(&self) -> &str {
        match self.direction {
            Direction::Left => "lakesh_shift_left",
            Direction::Right => "lakesh_shift_right",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [value, count] if value.is_integer() && value == count => Ok(types.to_vec()),
            [value, count] if value.is_integer() && count.is_integer() => {
                Ok(vec![value.clone(), value.clone()])
            }
            _ => plan_err!("`{}` takes two integers", self.name()),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| match arrays {
            [values, counts] => shifted(values, counts, self.direction),
            _ => exec_err!("a shift takes two integers"),
        })
    }
}

fn shifted(values: &ArrayRef, counts: &ArrayRef, direction: Direction) -> Result<ArrayRef> {
    macro_rules! shifted {
        ($type:ty, $native:ty, $name:literal) => {
            each::<$type>(values, counts, |value: $native, count: $native| {
                let bits = u32::try_from(count).ok();
                let shifted = bits.and_then(|bits| match direction {
                    Direction::Left => value.checked_shl(bits),
                    Direction::Right => value.checked_shr(bits),
                });
                shifted.ok_or_else(|| {
                    ArrowError::InvalidArgumentError(format!(
                        "a shift by {count} bits is out of range for {}: 0 to {}",
                        $name,
                        <$native>::BITS - 1
                    ))
                })
            })
        };
    }
    match values.data_type() {
        DataType::Int8 => shifted!(Int8Type, i8, "TINYINT"),
        DataType::Int16 => shifted!(Int16Type, i16, "SMALLINT"),
        DataType::Int32 => shifted!(Int32Type, i32, "INT"),
        DataType::Int64 => shifted!(Int64Type, i64, "BIGINT"),
        DataType::UInt8 => shifted!(UInt8Type, u8, "TINYINT UNSIGNED"),
        DataType::UInt16 => shifted!(UInt16Type, u16, "SMALLINT UNSIGNED"),
        DataType::UInt32 => shifted!(UInt32Type, u32, "INT UNSIGNED"),
        DataType::UInt64 => shifted!(UInt64Type, u64, "BIGINT UNSIGNED"),
        other => exec_err!("{other} has no bits to shift"),
    }
}

fn each<T: ArrowPrimitiveType>(
    values: &ArrayRef,
    counts: &ArrayRef,
    shift: impl Fn(T::Native, T::Native) -> std::result::Result<T::Native, ArrowError>,
) -> Result<ArrayRef> {
    let (values, counts) = (values.as_primitive::<T>(), counts.as_primitive::<T>());
    let shifted: PrimitiveArray<T> = try_binary(values, counts, shift)?;
    Ok(Arc::new(shifted))
}
