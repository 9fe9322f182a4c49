//! `markdown`: a GitHub table. Streams, so columns are not padded to one width.
//!
//! Characters that Markdown or HTML would read as markup are escaped; a line break in a value is `<br>`.
//! NULL is `NULL`.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::encode::{Syntax, any_byte, push_hex};
use super::rows::{columns, flush, write_rows};
use super::screen::push_visible;
use super::types::is_number;
use super::{Format, FormatError, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "markdown",
    aliases: &["md"],
    suffixes: &["md", "markdown"],
    summary: "a Markdown table as GitHub reads it",
    binary: false,
    one_result: false,
    for_eyes: false,
    separated: true,
    create: |options| {
        Box::new(MarkdownWriter {
            null: options.null_value("NULL"),
            buffer: Vec::new(),
        })
    },
};

struct MarkdownWriter {
    null: String,
    buffer: Vec<u8>,
}

impl ResultWriter for MarkdownWriter {
    /// The header is written in any case: without it Markdown sees no table.
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        if schema.fields().is_empty() {
            return Ok(());
        }
        for field in schema.fields() {
            self.buffer.extend_from_slice(b"| ");
            Markdown.text(field.name(), &mut self.buffer);
            self.buffer.push(b' ');
        }
        self.buffer.extend_from_slice(b"|\n");
        for field in schema.fields() {
            let number = is_number(field.data_type());
            let rule: &[u8] = if number { b"| ---: " } else { b"| --- " };
            self.buffer.extend_from_slice(rule);
        }
        self.buffer.extend_from_slice(b"|\n");
        flush(&mut self.buffer, out)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        if batch.num_columns() == 0 {
            return Ok(());
        }
        let mut columns = columns(batch, &Markdown);
        write_rows(0..batch.num_rows(), &mut self.buffer, out, |row, buffer| {
            for column in &mut columns {
                buffer.extend_from_slice(b"| ");
                if !column.write(row, buffer) {
                    Markdown.text(&self.null, buffer);
                }
                buffer.push(b' ');
            }
            buffer.extend_from_slice(b"|\n");
        })
    }

    fn finish(&mut self, _end: &ResultEnd, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }
}

struct Markdown;

impl Syntax for Markdown {
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let plain = |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'.' | b',' | b'-');
        if !any_byte(text.as_bytes(), |byte| !plain(byte)) {
            return out.extend_from_slice(text.as_bytes());
        }
        let mut before = None;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\n' | '\r' => out.extend_from_slice(b"<br>"),
                '<' => out.extend_from_slice(b"&lt;"),
                '>' => out.extend_from_slice(b"&gt;"),
                '&' => out.extend_from_slice(b"&amp;"),
                '|' | '\\' | '`' | '*' | '~' | '[' | ']' => {
                    out.extend_from_slice(&[b'\\', character as u8])
                }
                // Inside a word an underscore is no markup.
                '_' if !(is_word(before) && is_word(characters.peek().copied())) => {
                    out.extend_from_slice(b"\\_");
                }
                other => push_visible(other, out),
            }
            before = Some(character);
        }
    }

    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"\\\\x");
        push_hex(bytes, out);
    }
}

fn is_word(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_alphanumeric() || character == '_')
}
