//! Divides and rounds.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array};
use datafusion::arrow::compute::try_binary;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, DecimalType, i256};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Result;

/// Returns the quotients of numbers that are taken times 10 to the power of `raised`.
pub(crate) fn quotients(
    dividends: &Decimal128Array,
    divisors: &Decimal128Array,
    raised: u8,
    result: &DataType,
) -> Result<ArrayRef> {
    let narrow = 10_i128.checked_pow(raised.into());
    let wide = i256::from_i128(10).checked_pow(raised.into());
    let out_of_range =
        || ArrowError::ComputeError(format!("a quotient is out of range for {}", shown(result)));
    let quotients: Decimal128Array = try_binary(dividends, divisors, |dividend, divisor| {
        if divisor == 0 {
            return Err(ArrowError::DivideByZero);
        }
        let product = narrow.and_then(|factor| dividend.checked_mul(factor));
        let quotient = match product {
            Some(product) => rounded(product, divisor),
            // In 256 bits every product of a decimal and a power up to 76 digits has room.
            None => wide
                .and_then(|factor| i256::from_i128(dividend).checked_mul(factor))
                .and_then(|product| rounded_wide(product, i256::from_i128(divisor)))
                .and_then(|quotient| quotient.to_i128()),
        };
        let quotient = quotient.ok_or_else(out_of_range)?;
        match fits(quotient, result) {
            true => Ok(quotient),
            false => Err(out_of_range()),
        }
    })?;
    Ok(Arc::new(quotients.with_data_type(result.clone())))
}

fn shown(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        other => other.to_string(),
    }
}

fn fits(value: i128, data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal128(precision, scale) => {
            Decimal128Type::validate_decimal_precision(value, *precision, *scale).is_ok()
        }
        _ => false,
    }
}

/// Divides and rounds half away from zero; `None` where the quotient has no room.
pub(crate) fn rounded(dividend: i128, divisor: i128) -> Option<i128> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?;
    // The rest is smaller than the divisor, so that twice of it has room without a sign.
    let is_half = rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs();
    match is_half {
        true if (dividend < 0) == (divisor < 0) => quotient.checked_add(1),
        true => quotient.checked_sub(1),
        false => Some(quotient),
    }
}

/// The same in 256 bits.
pub(crate) fn rounded_wide(dividend: i256, divisor: i256) -> Option<i256> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?.wrapping_abs();
    let is_half = rest >= divisor.wrapping_abs().wrapping_sub(rest);
    match is_half {
        true if dividend.is_negative() == divisor.is_negative() => quotient.checked_add(i256::ONE),
        true => quotient.checked_sub(i256::ONE),
        false => Some(quotient),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        let cases = [
            (5, 2, 3),
            (-5, 2, -3),
            (5, -2, -3),
            (-5, -2, 3),
            (4, 3, 1),
            (-4, 3, -1),
            (1, 2, 1),
            (-1, 2, -1),
            (0, 7, 0),
            (6, 3, 2),
        ];
        for (dividend, divisor, expect) in cases {
            assert_eq!(
                rounded(dividend, divisor),
                Some(expect),
                "{dividend} / {divisor}"
            );
            let wide = rounded_wide(i256::from_i128(dividend), i256::from_i128(divisor));
            assert_eq!(
                wide,
                Some(i256::from_i128(expect)),
                "{dividend} / {divisor}"
            );
        }
    }
}
