//! `floor` and `ceil` of a DECIMAL are a DECIMAL without a fraction, of a digit more.
//!
//! DataFusion 55.2 keeps the type, in which `ceil(9.5)`, a DECIMAL(2, 1), has no room: an error.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowNativeType, ArrowNativeTypeOp, ArrowPrimitiveType, DataType, Decimal128Type,
    Decimal256Type, DecimalType, Field, FieldRef,
};
use datafusion::common::{Result, exec_err};
use datafusion::functions::math;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::function::over_arrays;

/// Returns `floor` and `ceil`.
pub(crate) fn functions() -> [Arc<ScalarUDF>; 2] {
    [(math::floor(), false), (math::ceil(), true)].map(|(theirs, up)| {
        Arc::new(ScalarUDF::from(Whole {
            theirs,
            up,
            signature: Signature::user_defined(Volatility::Immutable),
        }))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Whole {
    theirs: Arc<ScalarUDF>,
    up: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Whole {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let fields = types.iter().map(|data_type| {
            let field = Field::new("", data_type.clone(), true);
            Arc::new(field)
        });
        let fields: Vec<FieldRef> = fields.collect();
        let coerced = fields_with_udf(&fields, self.theirs.as_ref())?;
        let types = coerced.iter().map(|field| match field.data_type() {
            DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
                DataType::Decimal128(*precision, *scale)
            }
            other => other.clone(),
        });
        Ok(types.collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match types {
            [DataType::Decimal128(precision, scale)] if *scale > 0 => {
                let digits = whole_digits(*precision, *scale, Decimal128Type::MAX_PRECISION);
                DataType::Decimal128(digits, 0)
            }
            [DataType::Decimal256(precision, scale)] if *scale > 0 => {
                let digits = whole_digits(*precision, *scale, Decimal256Type::MAX_PRECISION);
                DataType::Decimal256(digits, 0)
            }
            _ => self.theirs.return_type(types)?,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scale = match arguments.arg_fields.first().map(|field| field.data_type()) {
            Some(DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => *scale,
            _ => return self.theirs.invoke_with_args(arguments),
        };
        over_arrays(&arguments, |arrays| {
            match (arrays, arguments.return_type()) {
                ([numbers], _) if scale <= 0 => Ok(Arc::clone(numbers)),
                ([numbers], DataType::Decimal128(digits, _)) => {
                    whole::<Decimal128Type>(numbers, scale, self.up, *digits)
                }
                ([numbers], DataType::Decimal256(digits, _)) => {
                    whole::<Decimal256Type>(numbers, scale, self.up, *digits)
                }
                _ => exec_err!("`{}` takes one number", self.name()),
            }
        })
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.theirs.output_ordering(input)
    }

    /// A range of doubles; that of a DECIMAL would be one of the type that DataFusion gives.
    fn preimage(
        &self,
        arguments: &[Expr],
        literal: &Expr,
        context: &SimplifyContext,
    ) -> Result<PreimageResult> {
        match arguments {
            [value] if !context.get_data_type(value)?.is_decimal() => {
                self.theirs.preimage(arguments, literal, context)
            }
            _ => Ok(PreimageResult::None),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

/// Returns the digits before the point, and one more for 9.5.
fn whole_digits(precision: u8, scale: i8, most: u8) -> u8 {
    let before = precision.saturating_sub(scale.unsigned_abs());
    before.saturating_add(1).min(most)
}

fn whole<T>(numbers: &ArrayRef, scale: i8, up: bool, digits: u8) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType + DecimalType,
{
    let power = T::Native::usize_as(10).pow_checked(u32::from(scale.unsigned_abs()))?;
    let zero = T::Native::ZERO;
    let rounded = |number: T::Native| {
        let (quotient, rest) = (number.div_wrapping(power), number.mod_wrapping(power));
        match up {
            true if rest.is_gt(zero) => quotient.add_wrapping(T::Native::ONE),
            false if rest.is_lt(zero) => quotient.sub_wrapping(T::Native::ONE),
            _ => quotient,
        }
    };
    let rounded: PrimitiveArray<T> = numbers.as_primitive::<T>().unary(rounded);
    Ok(Arc::new(rounded.with_precision_and_scale(digits, 0)?))
}
