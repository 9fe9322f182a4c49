//! `csv`: RFC 4180 with `\n` line ends. Streams. `tsv` is the same with tabs.
//!
//! NULL is an empty field and the empty string is `""`, so that the two differ. A field is quoted only
//! where it must be. Lists, structs and maps are JSON text, bytes are `\x` and hex digits.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::encode::{Syntax, any_byte};
use super::rows::{columns, flush, write_rows};
use super::{Format, FormatError, FormatOptions, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    aliases: &[],
    suffixes: &["csv"],
    summary: "comma-separated values (RFC 4180); NULL is empty, the empty string is \"\"",
    binary: false,
    one_result: true,
    for_eyes: false,
    separated: true,
    create: |options| Box::new(CsvWriter::new(options, b',')),
};

/// Writes rows with a byte between their values.
pub(super) struct CsvWriter {
    syntax: Csv,
    /// The field that stands for NULL.
    null: Vec<u8>,
    header: bool,
    buffer: Vec<u8>,
}

impl CsvWriter {
    pub(super) fn new(options: &FormatOptions, delimiter: u8) -> Self {
        let null_value = options.null_value("");
        let mut null = Vec::new();
        if needs_quotes(null_value.as_bytes(), delimiter) {
            push_quoted(&null_value, &mut null);
        } else {
            null.extend_from_slice(null_value.as_bytes());
        }
        Self {
            syntax: Csv {
                delimiter,
                null_value,
            },
            null,
            header: options.display.header,
            buffer: Vec::new(),
        }
    }
}

impl ResultWriter for CsvWriter {
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        if !self.header {
            return Ok(());
        }
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                self.buffer.push(self.syntax.delimiter);
            }
            self.syntax.text(field.name(), &mut self.buffer);
        }
        self.buffer.push(b'\n');
        flush(&mut self.buffer, out)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let delimiter = self.syntax.delimiter;
        let mut columns = columns(batch, &self.syntax);
        write_rows(0..batch.num_rows(), &mut self.buffer, out, |row, buffer| {
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    buffer.push(delimiter);
                }
                if !column.write(row, buffer) {
                    buffer.extend_from_slice(&self.null);
                }
            }
            buffer.push(b'\n');
        })
    }

    fn finish(&mut self, _end: &ResultEnd, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }
}

struct Csv {
    delimiter: u8,
    /// Text that looks like this is quoted, so that it is not taken for NULL.
    null_value: String,
}

impl Syntax for Csv {
    #[inline]
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            out.extend_from_slice(b"\"\"");
            return;
        };
        // Some readers trim spaces that are not inside quotes.
        if needs_quotes(bytes, self.delimiter)
            || *first == b' '
            || *last == b' '
            || text == self.null_value
        {
            push_quoted(text, out);
        } else {
            out.extend_from_slice(bytes);
        }
    }
}

#[inline]
fn needs_quotes(bytes: &[u8], delimiter: u8) -> bool {
    any_byte(bytes, |byte| {
        (byte == delimiter) | (byte == b'"') | (byte == b'\n') | (byte == b'\r')
    })
}

fn push_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for (index, part) in text.as_bytes().split(|byte| *byte == b'"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part);
    }
    out.push(b'"');
}
