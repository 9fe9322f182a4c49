//! Tells which expressions may fail for some value, as a division or a cast of text does.
//!
//! DataFusion moves expressions as if none did (<https://github.com/apache/datafusion/issues/25136>,
//! 8927). The rules beside this one ask here before an expression is computed for rows that a filter, a
//! join or a CASE has taken out. The answer may be a needless yes, which costs a shortcut.
//!
//! A sum, a difference or a product that leaves its range does not count: it may move, as in PostgreSQL.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, Literal};
use datafusion::physical_expr::{HigherOrderFunctionExpr, ScalarFunctionExpr};

use crate::unbounded;

/// Functions of DataFusion's that refuse some values. All others of its own take every value.
const REFUSING: &[&str] = &[
    "array_repeat",
    "array_resize",
    "arrow_cast",
    "chr",
    "decode",
    "factorial",
    "from_unixtime",
    "gcd",
    "generate_series",
    "lcm",
    "log",
    "make_date",
    "make_time",
    "map",
    "power",
    "range",
    "string_to_array",
    "to_date",
    "to_local_time",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
];

/// Functions that refuse a way of computing, such as a negative length, but no value of the argument
/// that varies. Where all others are constants they refuse all rows or none.
const REFUSING_WAYS: &[&str] = &[
    "date_bin",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "round",
    "split_part",
    "substr",
    "to_char",
    "trunc",
];

/// Names of functions that are known to take every value.
static TAKING_ALL: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let own = datafusion::functions::all_default_functions();
    let nested = datafusion::functions_nested::all_default_nested_functions();
    let names = own.iter().chain(&nested);
    let names = names.map(|function| function.name().to_owned());
    names
        .filter(|name| !REFUSING.contains(&name.as_str()))
        .collect()
});

/// Says whether a logical expression may fail for some row.
///
/// A part whose type is not known may. Subqueries do not count: they are computed once, or become joins.
pub(crate) fn may_fail(expression: &Expr, schema: &DFSchema) -> bool {
    let found = expression.exists(|part| Ok(logical_part_may_fail(part, schema)));
    found.unwrap_or(true)
}

fn logical_part_may_fail(part: &Expr, schema: &DFSchema) -> bool {
    match part {
        Expr::BinaryExpr(binary) => {
            let left = binary.left.get_type(schema);
            let types = left.and_then(|left| Ok((left, binary.right.get_type(schema)?)));
            let right = match binary.right.as_ref() {
                Expr::Literal(value, _) => Some(value),
                _ => None,
            };
            operator_may_fail(binary.op, types, right)
        }
        Expr::Cast(cast) => match cast.expr.get_type(schema) {
            Ok(from) => cast_may_fail(&from, cast.field.data_type()),
            Err(_) => true,
        },
        Expr::ScalarFunction(function) => {
            let arguments = function.args.iter();
            let varying = arguments.filter(|part| !matches!(part, Expr::Literal(..)));
            function_may_fail(function.name(), varying.count())
        }
        Expr::HigherOrderFunction(_) | Expr::Unnest(_) => true,
        _ => false,
    }
}

/// Says whether a physical expression may fail for some row.
pub fn may_fail_physical(expression: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let found = expression.exists(|part| Ok(physical_part_may_fail(part, schema)));
    found.unwrap_or(true)
}

fn physical_part_may_fail(part: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    if let Some(binary) = part.downcast_ref::<BinaryExpr>() {
        let left = binary.left().data_type(schema);
        let types = left.and_then(|left| Ok((left, binary.right().data_type(schema)?)));
        let right = binary.right().downcast_ref::<Literal>();
        return operator_may_fail(*binary.op(), types, right.map(Literal::value));
    }
    if let Some(cast) = part.downcast_ref::<CastExpr>() {
        return match cast.expr().data_type(schema) {
            Ok(from) => cast_may_fail(&from, cast.cast_type()),
            Err(_) => true,
        };
    }
    if let Some(function) = part.downcast_ref::<ScalarFunctionExpr>() {
        let arguments = function.args().iter();
        let varying = arguments.filter(|argument| !argument.is::<Literal>());
        return function_may_fail(function.fun().name(), varying.count());
    }
    part.is::<HigherOrderFunctionExpr>()
}

/// Says whether a function may fail, so many of whose arguments are not constants.
fn function_may_fail(name: &str, varying: usize) -> bool {
    if name == unbounded::NAME {
        return false;
    }
    !TAKING_ALL.contains(name) || (varying > 1 && REFUSING_WAYS.contains(&name))
}

/// Says whether an operator may fail, whose right side may be a constant.
fn operator_may_fail(
    operator: Operator,
    types: Result<(DataType, DataType)>,
    right: Option<&ScalarValue>,
) -> bool {
    match operator {
        Operator::Divide | Operator::Modulo | Operator::IntegerDivide => match (types, right) {
            (Ok((left, right)), _) if left.is_floating() || right.is_floating() => false,
            (Ok(_), Some(value)) => value.is_null() || is_zero(value),
            _ => true,
        },
        // A pattern that is no constant is compiled row by row.
        Operator::RegexMatch
        | Operator::RegexIMatch
        | Operator::RegexNotMatch
        | Operator::RegexNotIMatch => right.is_none(),
        _ => false,
    }
}

fn is_zero(value: &ScalarValue) -> bool {
    ScalarValue::new_zero(&value.data_type()).is_ok_and(|zero| zero == *value)
}

/// Says whether some value of a type has no place in another one.
fn cast_may_fail(from: &DataType, to: &DataType) -> bool {
    if let DataType::Dictionary(_, values) = from {
        return cast_may_fail(values, to);
    }
    if let DataType::Dictionary(_, values) = to {
        return cast_may_fail(from, values);
    }
    if from == to || from.is_null() || to.is_string() && !is_binary(from) {
        return false;
    }
    if is_binary(to) {
        return !from.is_string() && !is_binary(from);
    }
    if is_moment(from) && is_moment(to) {
        return false;
    }
    let number = from.is_numeric() || *from == DataType::Boolean;
    if number && (to.is_floating() || *to == DataType::Boolean) {
        return false;
    }
    match (whole_digits(from), whole_digits(to)) {
        // 9.99 with one decimal less is 10.0.
        (Some(digits), Some(wider)) if decimals(from) > decimals(to) => {
            !digits.carried().fit(wider)
        }
        (Some(digits), Some(wider)) => !digits.fit(wider),
        _ => true,
    }
}

fn is_binary(kind: &DataType) -> bool {
    use DataType::{Binary, BinaryView, LargeBinary};
    matches!(kind, Binary | LargeBinary | BinaryView)
}

/// Dates and times, whose conversions fail far outside of all calendars alone.
fn is_moment(kind: &DataType) -> bool {
    use DataType::{Date32, Date64, Timestamp};
    matches!(kind, Date32 | Date64 | Timestamp(..))
}

/// How many digits before the point a number may have, and whether it may be negative.
#[derive(Clone, Copy)]
struct WholeDigits {
    /// So many digits may a value of the type have.
    needed: i16,
    /// Of so many digits every combination is a value of the type.
    held: i16,
    signed: bool,
}

impl WholeDigits {
    /// One digit more, as rounding may make it.
    fn carried(self) -> Self {
        Self {
            needed: self.needed + 1,
            ..self
        }
    }

    fn fit(self, wider: Self) -> bool {
        self.needed <= wider.held && (wider.signed || !self.signed)
    }
}

/// Returns how many digits behind the point a type has.
fn decimals(kind: &DataType) -> i8 {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// Returns the digits of a type of whole or decimal numbers, or of truth values.
fn whole_digits(kind: &DataType) -> Option<WholeDigits> {
    let (needed, signed) = match kind {
        DataType::Boolean => (1, false),
        DataType::Int8 => (3, true),
        DataType::Int16 => (5, true),
        DataType::Int32 => (10, true),
        DataType::Int64 => (19, true),
        DataType::UInt8 => (3, false),
        DataType::UInt16 => (5, false),
        DataType::UInt32 => (10, false),
        DataType::UInt64 => (20, false),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let whole = i16::from(*precision) - i16::from(*scale);
            return Some(WholeDigits {
                needed: whole,
                held: whole,
                signed: true,
            });
        }
        _ => return None,
    };
    Some(WholeDigits {
        needed,
        // 2147483647 has ten digits, but so has 9999999999.
        held: needed - 1,
        signed,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{Field, TimeUnit};
    use datafusion::logical_expr::{cast, col, lit, try_cast};

    #[test]
    fn expressions_that_may_fail_are_known() {
        let fields = vec![
            Field::new("k", DataType::Int64, true),
            Field::new("f", DataType::Float64, true),
            Field::new("s", DataType::Utf8, true),
        ];
        let schema = DFSchema::try_from(Schema::new(fields)).unwrap();
        let cases = [
            (col("k").gt(lit(1_i64)), false),
            (lit(10_i64) / col("k"), true),
            ((lit(10_i64) / col("k")).gt(lit(1_i64)), true),
            (lit(10.0) / col("f"), false),
            (col("k") / lit(2_i64), false),
            (col("k") / lit(0_i64), true),
            (col("k") + lit(1_i64), false),
            (cast(col("s"), DataType::Int64), true),
            (try_cast(col("s"), DataType::Int64), false),
            (cast(col("k"), DataType::Int32), true),
            (cast(col("k"), DataType::Utf8), false),
            (cast(col("k"), DataType::Float64), false),
        ];
        for (expression, fails) in cases {
            assert_eq!(may_fail(&expression, &schema), fails, "{expression}");
        }
    }

    #[test]
    fn casts_between_numbers_and_times() {
        use DataType::{Date32, Decimal128, Int8, Int32, Int64, Timestamp, UInt32, UInt64};
        let cases = [
            (Int32, Int64, false),
            (UInt32, Int32, true),
            (UInt32, Int64, false),
            (Int64, Int32, true),
            (Int64, UInt64, true),
            (UInt64, Int64, true),
            (UInt64, Decimal128(20, 0), false),
            (Int64, Decimal128(20, 4), true),
            (Int8, Decimal128(5, 2), false),
            (Decimal128(10, 2), Decimal128(12, 2), false),
            (Decimal128(10, 2), Decimal128(12, 4), false),
            (Decimal128(10, 2), Decimal128(10, 4), true),
            (Date32, Timestamp(TimeUnit::Microsecond, None), false),
        ];
        for (from, to, fails) in cases {
            assert_eq!(cast_may_fail(&from, &to), fails, "{from} {to}");
        }
    }
}
