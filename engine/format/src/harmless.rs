//! Results of a machine's format on a terminal: what could steer the terminal is shown as an escape.
//!
//! In a pipe and in a file the bytes are those of the format. Here a person looks at them, and text that
//! holds escape sequences could move the cursor, write into the window's title or hide what it is.

use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::screen::{is_visible, push_visible};
use super::{FormatError, ResultEnd, ResultWriter};

/// A writer whose text goes to a terminal.
pub(super) struct Harmless {
    writer: Box<dyn ResultWriter>,
    /// The beginning of a character whose end is still to come.
    rest: Vec<u8>,
}

impl Harmless {
    pub(super) fn new(writer: Box<dyn ResultWriter>) -> Self {
        Self {
            writer,
            rest: Vec::new(),
        }
    }
}

impl ResultWriter for Harmless {
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        let rest = &mut self.rest;
        self.writer.start(schema, &mut Escaping { rest, out })
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let rest = &mut self.rest;
        self.writer.batch(batch, &mut Escaping { rest, out })
    }

    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        let rest = &mut self.rest;
        self.writer.finish(end, &mut Escaping { rest, out })
    }
}

/// Text on its way to a terminal.
struct Escaping<'a> {
    rest: &'a mut Vec<u8>,
    out: &'a mut dyn Write,
}

impl Write for Escaping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(self.rest) {
            Ok(text) => text.len(),
            // What is no text at all goes on as it is; the formats write none.
            Err(error) if error.error_len().is_some() => self.rest.len(),
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8_lossy(&self.rest[..whole]);
        if text.chars().all(stays) {
            self.out.write_all(text.as_bytes())?;
        } else {
            let mut shown = Vec::with_capacity(text.len() + 16);
            for character in text.chars() {
                match stays(character) {
                    true => shown.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                    false => push_visible(character, &mut shown),
                }
            }
            self.out.write_all(&shown)?;
        }
        self.rest.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Line ends and tabs are the format's own; where they stand in a value, it quotes them.
fn stays(character: char) -> bool {
    matches!(character, '\n' | '\t') || is_visible(character)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_characters_stay_whole() {
        let mut shown = Vec::new();
        let mut rest = Vec::new();
        let text = "a\u{1b}[31mb\tgröße 🦀\r\u{9b}2J\u{202e}\n";
        for byte in text.as_bytes() {
            let mut out = Escaping {
                rest: &mut rest,
                out: &mut shown,
            };
            out.write_all(&[*byte]).unwrap();
        }
        assert_eq!(
            String::from_utf8(shown).unwrap(),
            "a\\u{1b}[31mb\tgröße 🦀\\r\\u{9b}2J\\u{202e}\n"
        );
        assert!(rest.is_empty());
    }
}
