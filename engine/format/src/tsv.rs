//! `tsv`: tab-separated values as PostgreSQL's COPY writes them. Streams.
//!
//! Tab, newline, carriage return and backslash inside a value are `\t`, `\n`, `\r` and `\\`; NULL is
//! `\N`. Nothing is quoted.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::encode::{Syntax, any_byte, push_hex};
use super::rows::{columns, flush, write_rows};
use super::{Format, FormatError, FormatOptions, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "tsv",
    aliases: &["tabs"],
    suffixes: &["tsv", "tab"],
    summary: "tab-separated values with backslash escapes; NULL is \\N",
    binary: false,
    for_eyes: false,
    create: |options| Box::new(TsvWriter::new(options)),
};

struct TsvWriter {
    null: String,
    header: bool,
    buffer: Vec<u8>,
}

impl TsvWriter {
    fn new(options: &FormatOptions) -> Self {
        Self {
            null: options.null_value("\\N"),
            header: options.display.header,
            buffer: Vec::new(),
        }
    }
}

impl ResultWriter for TsvWriter {
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        if !self.header {
            return Ok(());
        }
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                self.buffer.push(b'\t');
            }
            Tsv.text(field.name(), &mut self.buffer);
        }
        self.buffer.push(b'\n');
        flush(&mut self.buffer, out)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let mut columns = columns(batch, &Tsv);
        write_rows(0..batch.num_rows(), &mut self.buffer, out, |row, buffer| {
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    buffer.push(b'\t');
                }
                if !column.write(row, buffer) {
                    buffer.extend_from_slice(self.null.as_bytes());
                }
            }
            buffer.push(b'\n');
        })
    }

    fn finish(&mut self, _end: &ResultEnd, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }
}

struct Tsv;

impl Syntax for Tsv {
    #[inline]
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        if !any_byte(bytes, |byte| escape(byte).is_some()) {
            out.extend_from_slice(bytes);
            return;
        }
        for &byte in bytes {
            match escape(byte) {
                Some(letter) => out.extend_from_slice(&[b'\\', letter]),
                None => out.push(byte),
            }
        }
    }

    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"\\\\x");
        push_hex(bytes, out);
    }
}

/// The letter behind the backslash for a byte that cannot stand for itself.
#[inline]
fn escape(byte: u8) -> Option<u8> {
    match byte {
        b'\t' => Some(b't'),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\\' => Some(b'\\'),
        _ => None,
    }
}
