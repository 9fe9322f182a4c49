//! `table`: a grid for people to read, fitted to the screen.
//!
//! On a screen, columns that are too wide are cut, columns in the middle are left out if there are too
//! many, and rows between the first and the last ones if there are more than `max_rows`; a line below says
//! so. Where a program takes the table, every row and column is whole: the widths come from the rows
//! that fit into a bounded sample, and later cells that are wider push their line to the right.

mod grid;
mod layout;
mod row;

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_text::quantity::grouped;

use self::grid::Grid;
use self::layout::{arrange, needs};
use self::row::Row;
use super::encode::Column;
use super::held_rows::HeldRows;
use super::rows::{columns, flush, write_rows};
use super::screen::{Screen, push_line};
use super::types::{is_number, short_type};
use super::{Format, FormatError, FormatOptions, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "table",
    aliases: &["box"],
    suffixes: &["txt"],
    summary: "a grid for people to read, fitted to the screen",
    binary: false,
    one_result: false,
    for_eyes: true,
    separated: true,
    create: |options| Box::new(TableWriter::new(options)),
};

/// Rows, and bytes of them, from which the widths of columns are taken.
const SAMPLE_ROWS: usize = 10_000;
const SAMPLE_BYTES: usize = 8 * 1024 * 1024;

struct TableWriter {
    screen: Screen,
    width: Option<usize>,
    colour: bool,
    header: bool,
    names: Row,
    types: Row,
    /// Which columns hold numbers.
    numbers: Vec<bool>,
    /// The first rows, until the widths are known.
    sample: Vec<Row>,
    sample_bytes: usize,
    /// The widths, once they are known.
    grid: Option<Grid>,
    held: HeldRows<Row>,
    buffer: Vec<u8>,
}

impl TableWriter {
    fn new(options: &FormatOptions) -> Self {
        Self {
            screen: Screen::new(options.null_value("NULL"), options.width),
            width: options.width,
            colour: options.colour,
            header: options.display.header,
            names: Row::default(),
            types: Row::default(),
            numbers: Vec::new(),
            sample: Vec::new(),
            sample_bytes: 0,
            grid: None,
            held: HeldRows::new(options.max_rows()),
            buffer: Vec::new(),
        }
    }

    /// Takes rows into the sample until it is full; gives the number of the first row not taken.
    fn take_sample(&mut self, columns: &mut [Column<'_>], rows: usize) -> usize {
        for row in 0..rows {
            if self.sample.len() >= SAMPLE_ROWS || self.sample_bytes >= SAMPLE_BYTES {
                return row;
            }
            let mut text = Row::default();
            text.fill(columns, row, self.screen.null_word());
            self.sample_bytes += text.bytes();
            self.sample.push(text);
        }
        rows
    }

    /// Decides on the widths and draws the heading and the sample.
    fn push_head(&mut self) -> Grid {
        let rows = self.sample.iter().chain(self.held.rows());
        let needs = needs(
            &self.names,
            &self.types,
            &self.numbers,
            rows,
            self.width.is_some(),
        );
        let grid = Grid::new(
            arrange(&needs, self.width),
            self.width.is_some(),
            self.colour,
        );
        let heading = self.header.then_some((&self.names, &self.types));
        grid.push_head(heading, &self.sample, &mut self.buffer);
        self.sample = Vec::new();
        grid
    }
}

impl ResultWriter for TableWriter {
    fn start(&mut self, schema: &SchemaRef, _out: &mut dyn Write) -> Result<(), FormatError> {
        let fields = schema.fields();
        let line = |text: &str| {
            let mut line = Vec::new();
            push_line(text, self.screen.limit(), &mut line);
            String::from_utf8(line).expect("a line is UTF-8")
        };
        let names: Vec<String> = fields.iter().map(|field| line(field.name())).collect();
        let types: Vec<String> = fields
            .iter()
            .map(|field| line(&short_type(field.data_type())))
            .collect();
        self.names = Row::from_texts(names.iter().map(String::as_str));
        self.types = Row::from_texts(types.iter().map(String::as_str));
        self.numbers = fields
            .iter()
            .map(|field| is_number(field.data_type()))
            .collect();
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let wanted = self.held.count(batch.num_rows());
        if self.numbers.is_empty() {
            return Ok(());
        }
        let screen = self.screen.clone();
        let mut columns = columns(batch, &screen);
        let mut taken = 0;
        if self.grid.is_none() {
            taken = self.take_sample(&mut columns, wanted.head.end);
            if taken < wanted.head.end {
                self.grid = Some(self.push_head());
            }
        }
        if let Some(grid) = &self.grid {
            let mut line = Row::default();
            write_rows(
                taken..wanted.head.end,
                &mut self.buffer,
                out,
                |row, buffer| {
                    line.fill(&mut columns, row, screen.null_word());
                    grid.push_row(&line, buffer);
                },
            )?;
        }
        for row in wanted.tail {
            let mut text = Row::default();
            text.fill(&mut columns, row, screen.null_word());
            self.held.hold(text);
        }
        Ok(())
    }

    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        let mut notes = Vec::new();
        let columns = self.numbers.len();
        let mut left_out = 0;
        if columns > 0 {
            let grid = match self.grid.take() {
                Some(grid) => grid,
                None => self.push_head(),
            };
            let tail;
            (left_out, tail) = self.held.finish();
            if left_out > 0 {
                grid.push_gap(columns, &mut self.buffer);
            }
            tail.iter()
                .for_each(|row| grid.push_row(row, &mut self.buffer));
            grid.push_bottom(&mut self.buffer);
            if grid.columns_shown() < columns {
                notes.push(format!(
                    "{columns} columns ({} shown)",
                    grid.columns_shown()
                ));
            }
        }
        let all = self.held.seen();
        if left_out > 0 {
            notes.insert(
                0,
                format!("{} rows ({} shown)", grouped(all), grouped(all - left_out)),
            );
        }
        if columns == 0 {
            notes.push(format!("{} rows without columns", grouped(all)));
        }
        if !end.complete {
            notes.push(format!(
                "incomplete: it stopped after {} rows",
                grouped(all)
            ));
        }
        if !notes.is_empty() {
            let line = format!("{}\n", notes.join(", "));
            self.buffer.extend_from_slice(line.as_bytes());
        }
        flush(&mut self.buffer, out)
    }
}
