//! `vertical`: the columns of a row one below the other, as psql's expanded display. Streams; where a
//! person reads it, it shows the first and last rows up to `max_rows`.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_text::quantity::grouped;
use unicode_width::UnicodeWidthStr;

use super::encode::Column;
use super::held_rows::HeldRows;
use super::rows::{columns, flush, write_rows};
use super::screen::{Screen, push_line};
use super::{Format, FormatError, FormatOptions, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "vertical",
    aliases: &["line", "expanded"],
    suffixes: &[],
    summary: "each row as a record, one line a column",
    binary: false,
    one_result: false,
    for_eyes: true,
    separated: true,
    create: |options| Box::new(VerticalWriter::new(options)),
};

struct VerticalWriter {
    screen: Screen,
    colour: bool,
    /// Column names, padded to one width.
    names: Vec<Vec<u8>>,
    /// Columns of the screen that a name takes.
    name_width: usize,
    held: HeldRows<Vec<u8>>,
    buffer: Vec<u8>,
}

impl VerticalWriter {
    fn new(options: &FormatOptions) -> Self {
        Self {
            screen: Screen::new(options.null_value("NULL"), None),
            colour: options.colour,
            names: Vec::new(),
            name_width: 0,
            held: HeldRows::new(options.max_rows()),
            buffer: Vec::new(),
        }
    }
}

impl ResultWriter for VerticalWriter {
    fn start(&mut self, schema: &SchemaRef, _out: &mut dyn Write) -> Result<(), FormatError> {
        let names = schema.fields().iter().map(|field| {
            let mut name = Vec::new();
            push_line(field.name(), None, &mut name);
            String::from_utf8(name).expect("encoders write UTF-8")
        });
        let names: Vec<String> = names.collect();
        self.name_width = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let padded = names.into_iter().map(|name| {
            let padding = self.name_width - name.width();
            let mut name = name.into_bytes();
            name.resize(name.len() + padding, b' ');
            name
        });
        self.names = padded.collect();
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let Self {
            screen,
            colour,
            names,
            name_width,
            held,
            buffer,
        } = self;
        let mut record = Record {
            columns: columns(batch, &*screen),
            null: screen.null_word(),
            colour: *colour,
            names,
            name_width: *name_width,
        };
        let first = held.seen() + 1;
        let wanted = held.count(batch.num_rows());
        write_rows(wanted.head, buffer, out, |row, buffer| {
            record.write(row, first + row as u64, buffer);
        })?;
        for row in wanted.tail {
            let mut text = Vec::new();
            record.write(row, first + row as u64, &mut text);
            held.hold(text);
        }
        Ok(())
    }

    fn finish(&mut self, _end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        let (left_out, tail) = self.held.finish();
        let all = self.held.seen();
        if left_out > 0 {
            self.buffer.extend_from_slice("⋮\n".as_bytes());
        }
        for record in tail {
            self.buffer.extend_from_slice(&record);
        }
        if left_out > 0 {
            let line = format!(
                "{} rows ({} shown)\n",
                grouped(all),
                grouped(all - left_out)
            );
            self.buffer.extend_from_slice(line.as_bytes());
        }
        flush(&mut self.buffer, out)
    }
}

/// The rows of one batch as records.
struct Record<'a> {
    columns: Vec<Column<'a>>,
    null: &'a str,
    colour: bool,
    names: &'a [Vec<u8>],
    name_width: usize,
}

impl Record<'_> {
    fn write(&mut self, row: usize, number: u64, out: &mut Vec<u8>) {
        let head = format!("-[ RECORD {number} ]");
        // The cross stands above the bars, unless the names are too short for that.
        let (dashes, cross) = match (self.name_width + 1).checked_sub(head.len()) {
            Some(dashes) => (dashes, '+'),
            None => (0, '-'),
        };
        let rule = format!("{head}{}{cross}{}\n", "-".repeat(dashes), "-".repeat(24));
        out.extend_from_slice(rule.as_bytes());
        for (name, column) in self.names.iter().zip(&mut self.columns) {
            out.extend_from_slice(name);
            out.extend_from_slice(b" | ");
            if !column.write(row, out) {
                let (on, off) = if self.colour {
                    ("\x1b[2m", "\x1b[0m")
                } else {
                    ("", "")
                };
                out.extend_from_slice(format!("{on}{}{off}", self.null).as_bytes());
            }
            out.push(b'\n');
        }
    }
}
