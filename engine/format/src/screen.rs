//! Text for the eyes of a person: one line a value, and nothing that could steer a terminal.

use std::io::Write;

use unicode_width::UnicodeWidthChar;

use super::encode::{Syntax, any_byte};

/// The syntax of `table` and `vertical`.
///
/// Control characters and those that reorder or hide text are shown as escapes (`\n`, `\u{1b}`). A
/// backslash stays as it is, because paths and patterns are read more often than control characters.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    /// Text that equals the word for NULL is quoted: `'NULL'`.
    null: String,
    /// The same word without anything that could steer a terminal.
    shown_null: String,
    /// Values are given up after so many columns of the screen, since no more can be shown.
    limit: Option<usize>,
}

impl Screen {
    /// Makes the syntax for a word that stands for NULL and a width beyond which nothing is shown.
    pub(super) fn new(null: String, limit: Option<usize>) -> Self {
        let mut shown = Vec::new();
        push_line(&null, limit, &mut shown);
        Self {
            null,
            shown_null: String::from_utf8(shown).expect("a line is UTF-8"),
            limit,
        }
    }

    /// How many columns of the screen a value may take.
    pub(super) fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// The word that is shown for NULL.
    pub(super) fn null_word(&self) -> &str {
        &self.shown_null
    }
}

impl Syntax for Screen {
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        if text == self.null {
            out.push(b'\'');
            push_line(text, self.limit, out);
            out.push(b'\'');
        } else {
            push_line(text, self.limit, out);
        }
    }
}

/// Writes text as one line without control characters, up to a little more than `limit` columns.
pub(super) fn push_line(text: &str, limit: Option<usize>, out: &mut Vec<u8>) {
    let plain = |text: &str| {
        !any_byte(text.as_bytes(), |byte| {
            byte.wrapping_sub(b' ') >= 127 - b' '
        })
    };
    if limit.is_none_or(|limit| text.len() <= limit) && plain(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut width = 0;
    for character in text.chars() {
        push_visible(character, out);
        width += character.width().unwrap_or(1);
        if limit.is_some_and(|limit| width > limit) {
            return;
        }
    }
}

/// Writes a character, or its escape where it would not be seen or would move what stands around it.
pub(super) fn push_visible(character: char, out: &mut Vec<u8>) {
    match character {
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if !is_visible(character) => {
            write!(out, "\\u{{{:x}}}", u32::from(character)).expect("a vector takes all bytes");
        }
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Says whether a character shows itself and leaves alone what stands around it.
pub(super) fn is_visible(character: char) -> bool {
    !character.is_control() && !steers_text(character)
}

/// Line separators, and the format characters that set the direction of text or have no width. The
/// joiners that emoji and some scripts need are not among them.
fn steers_text(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}
