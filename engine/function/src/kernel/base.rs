//! Numbers in other bases.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::{map_text, texts};

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Writes whole numbers of at least 0 in a base, with zeros before them up to a length.
pub(crate) fn to_base(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (numbers, bases, lengths) = match arrays {
        [numbers, bases] => (numbers, bases, None),
        [numbers, bases, lengths] => (numbers, bases, Some(lengths.as_primitive::<Int64Type>())),
        _ => return exec_err!("`to_base` takes a number and a base"),
    };
    let (numbers, bases) = (
        numbers.as_primitive::<Int64Type>(),
        bases.as_primitive::<Int64Type>(),
    );
    let mut written = Vec::with_capacity(numbers.len());
    for row in 0..numbers.len() {
        if numbers.is_null(row) || bases.is_null(row) {
            written.push(None);
            continue;
        }
        let (number, base) = (numbers.value(row), bases.value(row));
        if !(2..=36).contains(&base) {
            return exec_err!("`to_base` knows the bases 2 to 36, not {base}");
        }
        let Ok(number) = u64::try_from(number) else {
            return exec_err!("`to_base` takes numbers of at least 0, not {number}");
        };
        let length = lengths.map_or(0, |lengths| lengths.value(row));
        let length = usize::try_from(length.clamp(0, 64)).unwrap_or(0);
        written.push(Some(format!(
            "{:0>length$}",
            in_base(number, base.unsigned_abs())
        )));
    }
    Ok(Arc::new(StringArray::from(written)))
}

/// Writes a number in a base.
fn in_base(mut number: u64, base: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = usize::try_from(number % base).unwrap_or(0);
        digits.push(char::from(DIGITS[digit]));
        number /= base;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().collect()
}

/// Writes a number that is written in one base in another one.
pub(crate) fn convert(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [numbers, from, to] = arrays else {
        return exec_err!("`conv` takes a number and two bases");
    };
    let (from, to) = (
        from.as_primitive::<Int64Type>(),
        to.as_primitive::<Int64Type>(),
    );
    let numbers = texts(numbers);
    let written = (0..numbers.len()).map(|row| {
        if numbers.is_null(row) || from.is_null(row) || to.is_null(row) {
            return None;
        }
        converted(numbers.value(row), from.value(row), to.value(row))
    });
    Ok(Arc::new(written.collect::<StringArray>()))
}

/// As Spark does: digits up to the first that is none, numbers of 64 bits, and a sign where the target is below 0.
fn converted(text: &str, from: i64, to: i64) -> Option<String> {
    let base = |base: i64| {
        let base = base.unsigned_abs();
        (2..=36).contains(&base).then_some(base)
    };
    let (from_base, to_base) = (base(from).filter(|_| from > 0)?, base(to)?);
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let radix = u32::try_from(from_base).ok()?;
    let mut number: u64 = 0;
    for digit in digits.chars().map_while(|letter| letter.to_digit(radix)) {
        let next = number.checked_mul(from_base);
        number = next
            .and_then(|number| number.checked_add(u64::from(digit)))
            .unwrap_or(u64::MAX);
    }
    if text.is_empty() {
        return None;
    }
    let number = match is_negative {
        true => number.wrapping_neg(),
        false => number,
    };
    let signed = i64::from_ne_bytes(number.to_ne_bytes());
    Some(match to < 0 && signed < 0 {
        true => format!("-{}", in_base(signed.unsigned_abs(), to_base)),
        false => in_base(number, to_base),
    })
}

/// Rounds to digits behind the point, halves to the even neighbour.
pub(crate) fn round_even(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (numbers, digits) = match arrays {
        [numbers] => (numbers, None),
        [numbers, digits] => (numbers, Some(digits.as_primitive::<Int64Type>())),
        _ => return exec_err!("`bround` takes a number and a count of digits"),
    };
    let numbers = numbers.as_primitive::<Float64Type>();
    let rounded = (0..numbers.len()).map(|row| {
        let digits = match digits {
            Some(digits) if digits.is_null(row) => return None,
            Some(digits) => digits.value(row).clamp(-308, 308),
            None => 0,
        };
        numbers.is_valid(row).then(|| {
            let factor = 10_f64.powi(i32::try_from(digits).unwrap_or(0));
            let scaled = numbers.value(row) * factor;
            match scaled.is_finite() {
                true => scaled.round_ties_even() / factor,
                false => numbers.value(row),
            }
        })
    });
    Ok(Arc::new(
        rounded.collect::<datafusion::arrow::array::Float64Array>(),
    ))
}

/// The code of English sounds that a word begins with, of a letter and three digits.
pub(crate) fn soundex(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [words] = arrays else {
        return exec_err!("`soundex` takes one text");
    };
    map_text(words, |word| Some(sounds(word)))
}

fn sounds(word: &str) -> String {
    let code = |letter: char| match letter.to_ascii_uppercase() {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    };
    let mut letters = word.chars();
    let first = match letters.next() {
        Some(first) if first.is_ascii_alphabetic() => first,
        // What begins with no letter has no sounds, as in Spark.
        _ => return word.to_owned(),
    };
    let mut sounds = String::from(first.to_ascii_uppercase());
    let mut last = code(first);
    for letter in letters {
        let sound = code(letter);
        if let Some(digit) = sound
            && sound != last
        {
            sounds.push(digit);
            if sounds.len() == 4 {
                return sounds;
            }
        }
        // H and W do not part two letters of one sound; vowels do.
        if !matches!(letter.to_ascii_uppercase(), 'H' | 'W') {
            last = sound;
        }
    }
    format!("{sounds:0<4}")
}

#[cfg(test)]
mod tests {
    use super::{converted, in_base, sounds};

    #[test]
    fn bases_are_those_of_spark() {
        assert_eq!(in_base(255, 16), "FF");
        assert_eq!(in_base(0, 2), "0");
        assert_eq!(converted("100", 2, 10).as_deref(), Some("4"));
        assert_eq!(converted("-10", 16, -10).as_deref(), Some("-16"));
        assert_eq!(converted("-1", 10, 16).as_deref(), Some("FFFFFFFFFFFFFFFF"));
        assert_eq!(converted("1", 1, 10), None);
    }

    #[test]
    fn words_that_sound_alike_are_alike() {
        assert_eq!(sounds("Miller"), "M460");
        assert_eq!(sounds("Tymczak"), "T522");
        assert_eq!(sounds("Ashcraft"), "A261");
        assert_eq!(sounds(""), "");
    }
}
