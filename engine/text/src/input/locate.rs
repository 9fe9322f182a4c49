//! From the positions that parsers report to bytes and whole tokens.

use std::ops::Range;

use super::lexer::tokens;

/// Turns sqlparser's line and column, both from 1 and the column in characters, into a byte offset.
///
/// A position behind a line's end gives the line's end, one behind the text gives the text's end.
pub fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(length) => start += length + 1,
            None => return text.len(),
        }
    }
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    let characters = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    start + character_offset(&text[start..start + length], characters)
}

/// Returns the byte offset of the character with this number, counted from 0, or the text's length.
pub fn character_offset(text: &str, number: usize) -> usize {
    text.char_indices()
        .nth(number)
        .map_or(text.len(), |(offset, _)| offset)
}

/// Returns the range of the token that holds the byte at this offset.
///
/// In white space it is the empty range at the offset; at the text's end likewise.
pub fn token_range(text: &str, offset: usize) -> Range<usize> {
    let offset = text.floor_char_boundary(offset);
    tokens(text)
        .take_while(|token| token.range.start <= offset)
        .find(|token| token.range.contains(&offset) && token.is_real())
        .map_or(offset..offset, |token| token.range)
}

#[cfg(test)]
mod tests {
    use super::{offset_of, token_range};

    #[test]
    fn lines_and_columns_become_offsets() {
        let text = "select 'ö',\r\n\tx\nfrom t";
        for (line, column, rest) in [
            (1, 1, "select 'ö',\r\n\tx\nfrom t"),
            (1, 10, "',\r\n\tx\nfrom t"),
            (2, 2, "x\nfrom t"),
            (3, 6, "t"),
            (2, 99, "\nfrom t"),
            (9, 1, ""),
            (0, 0, "select 'ö',\r\n\tx\nfrom t"),
        ] {
            assert_eq!(
                &text[offset_of(text, line, column)..],
                rest,
                "{line}:{column}"
            );
        }
    }

    #[test]
    fn tokens_are_found_under_offsets() {
        for (text, offset, token) in [
            ("select fare_amont from t", 7, "fare_amont"),
            ("select fare_amont from t", 12, "fare_amont"),
            ("select  1", 7, ""),
            ("a || 'x y' ", 6, "'x y'"),
            ("a->>'b'", 1, "-"),
            ("a::int", 1, "::"),
            ("f(\"größe\")", 5, "\"größe\""),
            ("select 'open", 9, "'open"),
            ("select", 6, ""),
            ("/* c */ x", 3, ""),
        ] {
            assert_eq!(
                &text[token_range(text, offset)],
                token,
                "{text} at {offset}"
            );
        }
    }
}
