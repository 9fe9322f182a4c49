//! `sign(x)`: -1, 0 or 1.
//!
//! DataFusion has it under the name `signum` and for doubles alone, for which NaN has a sign; in PostgreSQL and
//! DuckDB that is 0. A DECIMAL stays one, as in PostgreSQL: not every one of them fits a double.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Float64Type, i256,
};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, scalar_doc_sections::DOC_SECTION_MATH,
};

use crate::function::over_arrays;

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Sign {
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sign {
    signature: Signature,
}

impl ScalarUDFImpl for Sign {
    fn name(&self) -> &str {
        "sign"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        use DataType::{
            Decimal32, Decimal64, Decimal128, Decimal256, Float64, LargeUtf8, Null, Utf8, Utf8View,
        };
        match types {
            [Decimal128(..) | Decimal256(..)] => Ok(types.to_vec()),
            [Decimal32(precision, scale) | Decimal64(precision, scale)] => {
                Ok(vec![Decimal128(*precision, *scale)])
            }
            [Null | Utf8 | LargeUtf8 | Utf8View] => Ok(vec![Float64]),
            [one] if one.is_numeric() => Ok(vec![Float64]),
            _ => plan_err!("`sign` takes one number, as in sign(-2)"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match types {
            [DataType::Decimal128(..) | DataType::Decimal256(..)] => DataType::Decimal128(1, 0),
            _ => DataType::Float64,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| match arrays {
            [numbers] => signs(numbers),
            _ => exec_err!("`sign` takes one number"),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DOC_SECTION_MATH,
                "Returns -1 for a number below zero, 1 for one above, and 0 for zero and NaN. \
                 A DECIMAL for a DECIMAL, else a DOUBLE.",
                "sign(x)",
            )
            .with_sql_example("SELECT sign(-2.5), sign(0), sign(NULL);")
            .with_argument("x", "A number.")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

fn signs(numbers: &ArrayRef) -> Result<ArrayRef> {
    match numbers.data_type() {
        DataType::Float64 => {
            let sign = |number: f64| f64::from(i8::from(number > 0.0) - i8::from(number < 0.0));
            let signs = numbers.as_primitive::<Float64Type>();
            Ok(Arc::new(signs.unary::<_, Float64Type>(sign)))
        }
        DataType::Decimal128(..) => decimal_signs::<Decimal128Type>(numbers, i128::signum),
        DataType::Decimal256(..) => decimal_signs::<Decimal256Type>(numbers, |number: i256| {
            i128::from(number.cmp(&i256::ZERO) as i8)
        }),
        other => exec_err!("{other} has no sign"),
    }
}

fn decimal_signs<T: ArrowPrimitiveType>(
    numbers: &ArrayRef,
    sign: impl Fn(T::Native) -> i128,
) -> Result<ArrayRef> {
    let signs = numbers
        .as_primitive::<T>()
        .unary::<_, Decimal128Type>(sign)
        .with_precision_and_scale(1, 0)?;
    Ok(Arc::new(signs))
}
