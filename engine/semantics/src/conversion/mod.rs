//! Casts that lose something are functions of our own, so that nothing takes them for what they are not.
//!
//! DataFusion 55.2 moves a cast from a column to the literal that it is compared with:
//! `CAST(d AS DECIMAL(20, 2)) = 1.23` over DECIMAL(20, 4) becomes `d = 1.2300`, which 1.2345 does not meet
//! (apache/datafusion 23095); it does so in the logical and in the physical simplifier and before it prunes.
//! Both leave functions alone. Besides, its casts from DOUBLE and DECIMAL to integers cut where PostgreSQL
//! and DuckDB round, a DECIMAL of more than 15 digits becomes a DOUBLE beside the nearest, a timestamp becomes
//! text with a `T` in it, a text the one element of a list, a difference of more than 292 years no INTERVAL, a day the midnight of UTC in every zone, and an hour that summer time repeats or leaves
//! out an error.

mod exponent;
mod kernel;
mod list;
mod record;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::function::{call, over_arrays};
use crate::time::{is_date, is_text, is_utc};
use kernel::{OnFailure, clock_of, converted, is_finer};
use record::{is_by_place, is_text_of_struct};

static CAST: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Conversion::new(OnFailure::Error))));
static TRY_CAST: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Conversion::new(OnFailure::Null))));

/// Returns the functions, for whoever looks them up by name.
pub(crate) fn functions() -> [Arc<ScalarUDF>; 2] {
    [Arc::clone(&CAST), Arc::clone(&TRY_CAST)]
}

/// Puts our functions in the place of casts that lose something.
pub(crate) fn convert(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some((inner, on_failure)) = cast_of(&expression) else {
        return Ok(Transformed::no(expression));
    };
    let (Ok(from), Ok(to)) = (inner.get_type(schema), expression.get_type(schema)) else {
        return Ok(Transformed::no(expression));
    };
    let may_be_null = on_failure == OnFailure::Null && is_ordered(&from, &to);
    let ours = rounds_or_writes(&from, &to)
        || loses(&from, &to)
        || may_be_null
        || (is_text(&from) && is_clock(&to) && !is_without_offset(inner));
    if from == to || !ours {
        return Ok(Transformed::no(expression));
    }
    let function = match on_failure {
        OnFailure::Error => &CAST,
        OnFailure::Null => &TRY_CAST,
    };
    let arguments = vec![inner.clone(), lit(to.to_string())];
    Ok(Transformed::yes(call(function, arguments)))
}

fn is_clock(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, None))
}

/// Says whether an expression is a text that is known to have no offset, which Arrow would go by.
fn is_without_offset(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(value, _) => match value.try_as_str() {
            Some(Some(text)) => clock_of(text).is_none(),
            _ => true,
        },
        _ => false,
    }
}

/// Takes a cast apart; some functions become casts when they are simplified.
fn cast_of(expression: &Expr) -> Option<(&Expr, OnFailure)> {
    match expression {
        Expr::Cast(cast) => Some((&cast.expr, OnFailure::Error)),
        Expr::TryCast(cast) => Some((&cast.expr, OnFailure::Null)),
        Expr::ScalarFunction(call) => {
            let on_failure = match call.func.name() {
                "arrow_cast" | "cast_to_type" => OnFailure::Error,
                "arrow_try_cast" | "try_cast_to_type" => OnFailure::Null,
                _ => return None,
            };
            Some((call.args.first()?, on_failure))
        }
        _ => None,
    }
}

/// Says whether our cast gives another value than DataFusion's.
fn rounds_or_writes(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        // Arrow cuts what a coarser unit does not hold.
        (from, DataType::Timestamp(unit @ (TimeUnit::Second | TimeUnit::Millisecond), _))
            if is_text(from) || is_finer(from, *unit) =>
        {
            true
        }
        (DataType::Timestamp(..), to) => is_text(to),
        // Arrow casts no text to a struct, and no row by its places.
        (from, to) if is_text_of_struct(from, to) || is_by_place(from, to) => true,
        // Arrow makes a list of one text of it.
        (from, DataType::List(_)) if is_text(from) => true,
        // Arrow takes digits for nanoseconds.
        (from, DataType::Time32(_) | DataType::Time64(_)) if is_text(from) => true,
        // Arrow reads no exponents.
        (from, to) if is_text(from) && to.is_decimal() => true,
        // Seconds are what days are added as.
        (DataType::Duration(unit), to) => {
            let is_interval = *to == DataType::Interval(IntervalUnit::MonthDayNano);
            is_interval && *unit != TimeUnit::Second
        }
        (from, DataType::Timestamp(_, Some(zone))) if is_text(from) || is_date(from) => {
            !is_utc(zone)
        }
        (from, to) => {
            let is_number = from.is_floating() || from.is_decimal();
            (is_number && to.is_integer()) || (has_many_digits(from) && to.is_floating())
        }
    }
}

/// Says whether several values of a type can become one of the other, or whether they are moved.
fn loses(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        // DataFusion itself leaves casts to a coarser unit alone.
        (DataType::Timestamp(_, from), DataType::Timestamp(_, to)) => match (from, to) {
            (None, Some(zone)) | (Some(zone), None) => !is_utc(zone),
            _ => false,
        },
        (from, to) => match (decimal_scale(from), decimal_scale(to)) {
            (Some(from), Some(to)) => to < from,
            _ => false,
        },
    }
}

/// Says whether types are among those whose casts DataFusion moves; where one fails, TRY_CAST gives NULL,
/// which a comparison without the cast does not.
fn is_ordered(from: &DataType, to: &DataType) -> bool {
    let is_ordered = |data_type: &DataType| {
        data_type.is_integer() || data_type.is_decimal() || data_type.is_temporal()
    };
    is_ordered(from) && is_ordered(to)
}

/// Says whether a decimal has more digits than any DOUBLE keeps.
fn has_many_digits(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal64(precision, _)
        | DataType::Decimal128(precision, _)
        | DataType::Decimal256(precision, _) => *precision > 15,
        _ => false,
    }
}

fn decimal_scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

/// `lakesh_cast(value, 'type')`: the value as the type, which is spelt as `arrow_typeof` spells it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Conversion {
    on_failure: OnFailure,
    signature: Signature,
}

impl Conversion {
    fn new(on_failure: OnFailure) -> Self {
        Self {
            on_failure,
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Conversion {
    fn name(&self) -> &str {
        match self.on_failure {
            OnFailure::Error => "lakesh_cast",
            OnFailure::Null => "lakesh_try_cast",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the type of a cast depends on its second argument")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [_, Some(to)] = arguments.scalar_arguments else {
            return plan_err!("`{}` takes a value and the name of a type", self.name());
        };
        let nullable = match self.on_failure {
            OnFailure::Error => arguments.arg_fields[0].is_nullable(),
            OnFailure::Null => true,
        };
        Ok(Arc::new(Field::new(self.name(), named_type(to)?, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let to = arguments.return_field.data_type().clone();
        let value = ScalarFunctionArgs {
            args: arguments.args.into_iter().take(1).collect(),
            ..arguments
        };
        over_arrays(&value, |arrays| match arrays {
            [array] => converted(array, &to, self.on_failure),
            _ => exec_err!("a cast takes one value"),
        })
    }
}

fn named_type(name: &ScalarValue) -> Result<DataType> {
    match name.try_as_str() {
        Some(Some(name)) => Ok(name.parse()?),
        _ => plan_err!("a type has a name"),
    }
}
