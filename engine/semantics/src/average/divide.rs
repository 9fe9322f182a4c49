//! Divides sums of decimals by counts.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal256Array, Float64Array};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{
    DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, DecimalType, UInt64Type,
    i256,
};
use datafusion::common::{Result, ScalarValue, exec_err};

use crate::quotient::rounded_wide;

/// How a sum becomes an average.
#[derive(Debug, Clone)]
pub(super) struct Division {
    /// The scale of the sums.
    scale: i8,
    /// How many digits more the average has.
    raised: u8,
    /// The type of the average.
    result: DataType,
}

impl Division {
    /// Describes the division of sums of a type.
    pub(super) fn new(added: &DataType, result: &DataType) -> Result<Self> {
        let Some(scale) = scale(added) else {
            return exec_err!("`avg` cannot divide {added}");
        };
        let raised = match self::scale(result) {
            Some(result) => u8::try_from(result - scale).unwrap_or(0),
            None => 0,
        };
        let result = result.clone();
        Ok(Self {
            scale,
            raised,
            result,
        })
    }

    /// Returns values as the other accumulator adds them.
    pub(super) fn added(&self, values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let as_added = |values: &ArrayRef| match values.data_type().is_integer() {
            true => cast(values, &super::INTEGERS),
            false => Ok(Arc::clone(values)),
        };
        Ok(values.iter().map(as_added).collect::<Result<_, _>>()?)
    }

    /// Returns the averages; NULL where nothing has been counted.
    pub(super) fn averages(&self, counts: &ArrayRef, sums: &ArrayRef) -> Result<ArrayRef> {
        let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, self.scale);
        let sums = cast(sums, &wide)?;
        let sums = sums.as_primitive::<Decimal256Type>();
        let counts = counts.as_primitive::<UInt64Type>();
        let pairs = sums.iter().zip(counts.iter()).map(|pair| match pair {
            (Some(sum), Some(count)) if count > 0 => Some((sum, count)),
            _ => None,
        });
        if self.result == DataType::Float64 {
            let averages: Float64Array = pairs
                .map(|pair| pair.map(|(sum, count)| double(sum, self.scale) / count as f64))
                .collect();
            return Ok(Arc::new(averages));
        }
        let averages: Decimal256Array = pairs
            .map(|pair| {
                pair.map(|(sum, count)| self.rounded(sum, count))
                    .transpose()
            })
            .collect::<Result<_>>()?;
        let scale = self.scale.saturating_add_unsigned(self.raised);
        let averages = averages.with_precision_and_scale(DECIMAL256_MAX_PRECISION, scale)?;
        // What the type of the result cannot hold is an error of the cast.
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(&averages, &self.result, &options).or_else(|_| self.out_of_range())
    }

    /// Returns the average of one sum.
    pub(super) fn average(&self, count: u64, sum: &ScalarValue) -> Result<ScalarValue> {
        let sum = match sum {
            ScalarValue::Decimal32(sum, ..) => sum.map(i256::from),
            ScalarValue::Decimal64(sum, ..) => sum.map(i256::from),
            ScalarValue::Decimal128(sum, ..) => sum.map(i256::from_i128),
            ScalarValue::Decimal256(sum, ..) => *sum,
            other => return exec_err!("`avg` cannot divide {}", other.data_type()),
        };
        let Some(sum) = sum.filter(|_| count > 0) else {
            return ScalarValue::try_new_null(&self.result);
        };
        if self.result == DataType::Float64 {
            let average = double(sum, self.scale) / count as f64;
            return Ok(ScalarValue::Float64(Some(average)));
        }
        let average = self.rounded(sum, count)?;
        let narrow = match &self.result {
            DataType::Decimal128(precision, scale) => average.to_i128().filter(|average| {
                Decimal128Type::validate_decimal_precision(*average, *precision, *scale).is_ok()
            }),
            _ => None,
        };
        match (narrow, &self.result) {
            (Some(average), DataType::Decimal128(precision, scale)) => {
                Ok(ScalarValue::Decimal128(Some(average), *precision, *scale))
            }
            (None, DataType::Decimal128(..)) => self.out_of_range(),
            (_, result) => {
                let scale = self.scale.saturating_add_unsigned(self.raised);
                let wide = ScalarValue::Decimal256(Some(average), DECIMAL256_MAX_PRECISION, scale);
                wide.cast_to(result)
            }
        }
    }

    fn rounded(&self, sum: i256, count: u64) -> Result<i256> {
        let factor = i256::from_i128(10).checked_pow(self.raised.into());
        let product = factor.and_then(|factor| sum.checked_mul(factor));
        let count = i256::from_i128(count.into());
        match product.and_then(|product| rounded_wide(product, count)) {
            Some(average) => Ok(average),
            None => self.out_of_range(),
        }
    }

    fn out_of_range<T>(&self) -> Result<T> {
        exec_err!("an average is out of range for {}", self.result)
    }
}

fn double(sum: i256, scale: i8) -> f64 {
    let sum = match sum.to_i128() {
        Some(sum) => sum as f64,
        // More than any sum of integers comes to.
        None => f64::NAN,
    };
    sum / 10_f64.powi(scale.into())
}

fn scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}
