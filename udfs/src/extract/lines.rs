//! Texts line by line: line ends and odd characters made alike, headings told from prose.

use std::borrow::Cow;

/// What the bytes 0x80 to 0x9f are in Windows-1252; `\u{fffd}` where it has nothing.
const WINDOWS: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    'ž', 'Ÿ',
];

/// Reads bytes as UTF-8, and as Windows-1252 if they are not.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes
            .iter()
            .map(|byte| windows(char::from(*byte)))
            .collect(),
    }
}

/// Control characters of Latin-1 are what Windows-1252 has there: nobody writes the former.
fn windows(character: char) -> char {
    match u32::from(character) {
        code @ 0x80..=0x9f => WINDOWS[code as usize - 0x80],
        _ => character,
    }
}

/// Makes line ends `\n` and spaces that do not break plain ones, and drops a mark of the byte order.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    // All that is changed is a carriage return, a form feed, or begins with one of two bytes of UTF-8.
    let is_odd = |byte: &u8| matches!(byte, b'\r' | 0x0c | 0xc2 | 0xef);
    if !text.as_bytes().iter().any(is_odd) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                plain.push('\n');
            }
            '\u{c}' => plain.push('\n'),
            '\u{a0}' => plain.push(' '),
            '\u{feff}' => {}
            other => plain.push(windows(other)),
        }
    }
    Cow::Owned(plain)
}

/// A line of a text and where it stands, without its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) start: usize,
    /// Where the next line begins.
    pub(crate) next: usize,
}

/// Returns the lines of a text whose line ends are `\n`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let begun = start;
        start += line.len();
        Line {
            text: line.strip_suffix('\n').unwrap_or(line),
            start: begun,
            next: start,
        }
    })
}

/// Takes away blanks around a text and empty lines before and after it; `None` if nothing is left.
pub(crate) fn trimmed(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// Writes each run of blanks, line ends too, as one space.
pub(crate) fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}
