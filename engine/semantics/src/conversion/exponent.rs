//! Texts with an exponent as decimals: `'1.5e-1'` is 0.15, exactly. Arrow reads none.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

/// More digits than these are in no decimal.
const MOST_DIGITS: i64 = 400;

/// Writes numbers with an exponent without one; other texts stay.
pub(super) fn without_exponents(texts: &ArrayRef) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8)?;
    let has_exponent = |text: &str| text.contains(['e', 'E']);
    if !texts.as_string::<i32>().iter().flatten().any(has_exponent) {
        return Ok(texts);
    }
    let written = texts.as_string::<i32>().iter().map(|text| text.map(plain));
    Ok(Arc::new(written.collect::<StringArray>()))
}

fn plain(text: &str) -> Cow<'_, str> {
    moved(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Moves the point of a number by its exponent; `None` for what is no such number.
fn moved(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let (number, exponent) = trimmed.split_once(['e', 'E'])?;
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = [whole, fraction]
        .iter()
        .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_number || whole.len() + fraction.len() == 0 || exponent.abs() > MOST_DIGITS {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let length = i64::try_from(digits.len()).ok()?;
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    Some(if point <= 0 {
        format!("{sign}0.{}{digits}", zeros(-point))
    } else if point >= length {
        format!("{sign}{digits}{}", zeros(point - length))
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        format!("{sign}{whole}.{fraction}")
    })
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn the_point_moves_by_the_exponent() {
        for (text, expected) in [
            ("1e-1", "0.1"),
            ("+1234.56789e-1", "123.456789"),
            ("-1.5E+3", "-1500"),
            (".5e0", "0.5"),
            ("12e-5", "0.00012"),
            ("e5", "e5"),
            ("1e", "1e"),
            ("one", "one"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
