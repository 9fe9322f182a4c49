//! Types that `sum` adds: in which width, and what fits the result.

use datafusion::arrow::array::{ArrowNativeTypeOp, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType,
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType, UInt64Type,
};
use datafusion::error::DataFusionError;
use lakesh_text::failure::{Failure, FailureKind, sql_type_name};

/// A type whose values are added without wrapping around.
pub(super) trait Summed: ArrowPrimitiveType + Send + Sync {
    /// What the total is kept in, and sent in from one operator to the next.
    type Wide: ArrowPrimitiveType<Native: ArrowNativeTypeOp + Send + Sync> + Send + Sync;

    /// Returns the type of the totals of a sum whose result has this type.
    fn wide_type(result: &DataType) -> DataType;

    fn widen(value: Self::Native) -> WideOf<Self>;

    /// Returns a total as a value of the result's type; `None` if it does not fit.
    fn narrow(total: WideOf<Self>, result: &DataType) -> Option<Self::Native>;

    /// Adds the values of an array without NULLs; `None` if the total leaves the wide type.
    fn add_all(values: &[Self::Native]) -> Option<WideOf<Self>> {
        let mut total = WideOf::<Self>::ZERO;
        for value in values {
            total = total.add_checked(Self::widen(*value)).ok()?;
        }
        Some(total)
    }
}

pub(super) type WideOf<T> = <<T as Summed>::Wide as ArrowPrimitiveType>::Native;

/// Returns the type in which the totals of a sum travel.
pub(super) fn total_type<T: Summed>(result: &DataType) -> DataType {
    T::wide_type(result)
}

/// Adds the values of an array, of which some may be NULL; `None` if the total leaves the wide type.
pub(super) fn added<T: Summed>(values: &PrimitiveArray<T>) -> Option<WideOf<T>> {
    use datafusion::arrow::array::Array;
    if values.null_count() == 0 {
        return T::add_all(values.values());
    }
    let mut total = WideOf::<T>::ZERO;
    for value in values.iter().flatten() {
        total = total.add_checked(T::widen(value)).ok()?;
    }
    Some(total)
}

/// Says that a sum left the range of its type.
pub(super) fn out_of_range(result: &DataType) -> DataFusionError {
    let failure = Failure::new(
        FailureKind::Execution,
        format!("a sum is out of range for {}", sql_type_name(result)),
    );
    DataFusionError::External(Box::new(match result {
        DataType::Int64 | DataType::UInt64 => {
            failure.hint("add decimals, which have 38 digits: `sum(CAST(x AS DECIMAL(38, 0)))`")
        }
        DataType::Decimal128(..) => failure.hint("add doubles: `sum(CAST(x AS DOUBLE))`"),
        _ => failure,
    }))
}

/// Integers of 64 bits: their totals have 128, which no number of rows fills.
macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Summed for $type {
            type Wide = Decimal128Type;

            fn wide_type(_: &DataType) -> DataType {
                DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)
            }

            fn widen(value: Self::Native) -> i128 {
                i128::from(value)
            }

            fn narrow(total: i128, _: &DataType) -> Option<Self::Native> {
                total.try_into().ok()
            }

            fn add_all(values: &[Self::Native]) -> Option<i128> {
                // Both halves are added on their own, which the processor does for several at a time;
                // a batch has far fewer than 2^31 rows, so neither sum leaves 64 bits.
                let mut total = 0_i128;
                for chunk in values.chunks(1 << 20) {
                    let (mut high, mut low) = (0_i64, 0_u64);
                    for value in chunk {
                        #[allow(clippy::unnecessary_cast)]
                        {
                            high += (*value >> 32) as i64;
                            low += (*value as u64) & 0xffff_ffff;
                        }
                    }
                    total += (i128::from(high) << 32) + i128::from(low);
                }
                Some(total)
            }
        }
    )*};
}

integers!(
    Int64Type,
    UInt64Type,
    DurationSecondType,
    DurationMillisecondType,
    DurationMicrosecondType,
    DurationNanosecondType
);

/// Decimals: the total must have no more digits than the result.
macro_rules! decimals {
    ($($type:ty => $wide:ty, $precision:expr, $variant:path;)*) => {$(
        impl Summed for $type {
            type Wide = $wide;

            fn wide_type(result: &DataType) -> DataType {
                let scale = match result {
                    DataType::Decimal32(_, scale)
                    | DataType::Decimal64(_, scale)
                    | DataType::Decimal128(_, scale)
                    | DataType::Decimal256(_, scale) => *scale,
                    _ => 0,
                };
                $variant($precision, scale)
            }

            fn widen(value: Self::Native) -> WideOf<Self> {
                value.into()
            }

            fn narrow(total: WideOf<Self>, result: &DataType) -> Option<Self::Native> {
                let precision = match result {
                    DataType::Decimal32(precision, _)
                    | DataType::Decimal64(precision, _)
                    | DataType::Decimal128(precision, _)
                    | DataType::Decimal256(precision, _) => *precision,
                    _ => return None,
                };
                let fits = <$wide>::is_valid_decimal_precision(total, precision);
                fits.then(|| total.try_into().ok()).flatten()
            }
        }
    )*};
}

decimals! {
    Decimal32Type => Decimal128Type, DECIMAL128_MAX_PRECISION, DataType::Decimal128;
    Decimal64Type => Decimal128Type, DECIMAL128_MAX_PRECISION, DataType::Decimal128;
    Decimal128Type => Decimal128Type, DECIMAL128_MAX_PRECISION, DataType::Decimal128;
    Decimal256Type => Decimal256Type, DECIMAL256_MAX_PRECISION, DataType::Decimal256;
}

/// Intervals: each of their parts is checked in its own width.
macro_rules! intervals {
    ($($type:ty),*) => {$(
        impl Summed for $type {
            type Wide = Self;

            fn wide_type(result: &DataType) -> DataType {
                result.clone()
            }

            fn widen(value: Self::Native) -> Self::Native {
                value
            }

            fn narrow(total: Self::Native, _: &DataType) -> Option<Self::Native> {
                Some(total)
            }
        }
    )*};
}

intervals!(
    IntervalYearMonthType,
    IntervalDayTimeType,
    IntervalMonthDayNanoType
);
