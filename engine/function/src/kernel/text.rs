//! Texts taken apart and put together.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListBuilder, StringArray, StringBuilder,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, exec_err};

use super::{map_text, texts, valid};

/// Cuts texts at a separator; an empty one cuts between all characters.
pub(crate) fn split(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, separators] = arrays else {
        return exec_err!("`split` takes a text and a separator");
    };
    let (values, separators) = (texts(values), texts(separators));
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..values.len() {
        if values.is_null(row) {
            lists.append_null();
            continue;
        }
        let value = values.value(row);
        if separators.is_null(row) {
            lists.values().append_value(value);
        } else if separators.value(row).is_empty() {
            let mut letters = [0; 4];
            for letter in value.chars() {
                lists
                    .values()
                    .append_value(letter.encode_utf8(&mut letters));
            }
            if value.is_empty() {
                lists.values().append_value("");
            }
        } else {
            for part in value.split(separators.value(row)) {
                lists.values().append_value(part);
            }
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// The letters from one place to another: places are counted from 1, and from the end below zero.
pub(crate) fn slice(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, starts, stops] = arrays else {
        return exec_err!("a slice takes a text and two places");
    };
    let values = texts(values);
    let starts = starts.as_primitive::<Int64Type>();
    let stops = stops.as_primitive::<Int64Type>();
    let slices = (0..values.len()).map(|row| {
        if values.is_null(row) || starts.is_null(row) || stops.is_null(row) {
            return None;
        }
        let value = values.value(row);
        let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
        let before = match starts.value(row) {
            start if start < 0 => start.saturating_add(length).max(0),
            start => start.saturating_sub(1).max(0),
        };
        let stop = match stops.value(row) {
            stop if stop < 0 => stop.saturating_add(length).saturating_add(1),
            stop => stop.min(length),
        };
        let count = usize::try_from(stop.saturating_sub(before)).unwrap_or(0);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        Some(value.chars().skip(before).take(count).collect::<String>())
    });
    Ok(Arc::new(slices.collect::<StringArray>()))
}

/// Finds a text in another, from a place on; places are counted from 1, and 0 is nowhere.
pub(crate) fn locate(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (wanted, within, starts) = match arrays {
        [wanted, within] => (wanted, within, None),
        [wanted, within, starts] => (wanted, within, Some(starts.as_primitive::<Int64Type>())),
        _ => return exec_err!("`locate` takes two texts and a place"),
    };
    let (wanted, within) = (texts(wanted), texts(within));
    let places = (0..within.len()).map(|row| {
        let start = match starts {
            Some(starts) if starts.is_null(row) => return None,
            Some(starts) => starts.value(row),
            None => 1,
        };
        valid(&[wanted, within], row).then(|| place(wanted.value(row), within.value(row), start))
    });
    Ok(Arc::new(places.collect::<Int64Array>()))
}

fn place(wanted: &str, within: &str, start: i64) -> i64 {
    let Some(skipped) = start
        .checked_sub(1)
        .and_then(|skipped| usize::try_from(skipped).ok())
    else {
        return 0;
    };
    let mut offsets = within.char_indices().map(|(offset, _)| offset);
    let from = match offsets.nth(skipped) {
        Some(offset) => offset,
        None if within.chars().count() == skipped => within.len(),
        None => return 0,
    };
    let found = within[from..].find(wanted);
    found.map_or(0, |found| {
        let before = skipped + within[from..from + found].chars().count();
        i64::try_from(before).unwrap_or(i64::MAX - 1) + 1
    })
}

/// The text with the number that a row names, counted from 1.
pub(crate) fn chosen(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [numbers, choices @ ..] = arrays else {
        return exec_err!("`elt` takes a number and texts");
    };
    let numbers = numbers.as_primitive::<Int64Type>();
    let chosen: StringArray = (0..numbers.len())
        .map(|row| {
            let number = numbers.is_valid(row).then(|| numbers.value(row))?;
            let place = usize::try_from(number.checked_sub(1)?).ok()?;
            let texts = texts(choices.get(place)?);
            texts.is_valid(row).then(|| texts.value(row))
        })
        .collect();
    Ok(Arc::new(chosen))
}

/// Writes bytes of a text for what URLs do not let stand.
pub(crate) fn url_encode(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`url_encode` takes one text");
    };
    map_text(values, |value| {
        let mut encoded = String::with_capacity(value.len());
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    encoded.push(char::from(byte));
                }
                other => {
                    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                    encoded.push('%');
                    encoded.push(char::from(DIGITS[usize::from(other >> 4)]));
                    encoded.push(char::from(DIGITS[usize::from(other & 15)]));
                }
            }
        }
        Some(encoded)
    })
}

/// Reads what `url_encode` has written; `+` stays. Bytes that are no text are an error.
pub(crate) fn url_decode(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`url_decode` takes one text");
    };
    let mut decoded = Vec::with_capacity(values.len());
    for value in texts(values) {
        let Some(value) = value else {
            decoded.push(None);
            continue;
        };
        match String::from_utf8(without_percents(value)) {
            Ok(text) => decoded.push(Some(text)),
            Err(_) => return exec_err!("'{value}' holds bytes that are no text"),
        }
    }
    Ok(Arc::new(StringArray::from(decoded)))
}

fn without_percents(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let pair = bytes.get(place + 1).zip(bytes.get(place + 2));
        let digits = pair.and_then(|(high, low)| {
            let high = char::from(*high).to_digit(16)?;
            let low = char::from(*low).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        });
        match (bytes[place], digits) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                place += 3;
            }
            (other, _) => {
                decoded.push(other);
                place += 1;
            }
        }
    }
    decoded
}

/// Fails with the text that it is given; an argument of NULL is NULL.
pub(crate) fn fail(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [messages] = arrays else {
        return exec_err!("`error` takes one text");
    };
    match texts(messages).iter().flatten().next() {
        Some(message) => exec_err!("{message}"),
        None => Ok(Arc::clone(messages)),
    }
}

#[cfg(test)]
mod tests {
    use super::{place, without_percents};

    #[test]
    fn places_are_those_of_characters() {
        assert_eq!(place("b", "äbab", 1), 2);
        assert_eq!(place("b", "äbab", 3), 4);
        assert_eq!(place("", "ab", 3), 3);
        assert_eq!(place("b", "ab", 0), 0);
        assert_eq!(place("b", "ab", 9), 0);
    }

    #[test]
    fn percents_are_bytes() {
        assert_eq!(without_percents("%C3%A4+%zz"), "ä+%zz".as_bytes());
    }
}
