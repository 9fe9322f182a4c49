//! Draws a table: heading and the rows that were held back through comfy-table; then, because that wants
//! all rows in memory, the rows that stream after them by hand in the same grid.

use std::borrow::Cow;

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentLineStyle, LineStyle, Table,
    TableStyle, Width,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::Slot;
use super::row::Row;

const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('┌', '─', '┬', '┐'))
    .header_lines(ContentLineStyle::new('│', '│', '│'))
    .header_separator(LineStyle::new('├', '─', '┼', '┤'))
    .content_lines(ContentLineStyle::new('│', '│', '│'));

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// comfy-table counts widths in 16 bits; rows with a wider cell are drawn by hand.
const WIDEST_CELL: usize = 60_000;

/// The grid of one table.
#[derive(Debug)]
pub(super) struct Grid {
    slots: Vec<Slot>,
    /// Whether cells that are too wide are cut; otherwise they push what follows to the right.
    cut: bool,
    colour: bool,
}

impl Grid {
    /// Makes a grid of columns, none wider than can be drawn.
    pub(super) fn new(mut slots: Vec<Slot>, cut: bool, colour: bool) -> Self {
        for slot in &mut slots {
            slot.width = slot.width.min(WIDEST_CELL);
        }
        Self { slots, cut, colour }
    }

    /// How many columns of the result are shown.
    pub(super) fn columns_shown(&self) -> usize {
        self.slots
            .iter()
            .filter(|slot| slot.column.is_some())
            .count()
    }

    /// Draws the upper border, the heading (names, and types below them) if there is to be one, and rows.
    pub(super) fn push_head(&self, heading: Option<(&Row, &Row)>, rows: &[Row], out: &mut Vec<u8>) {
        // A row that does not fit into the grid goes by hand, and so do those after it.
        let fits = |row: &Row| {
            let mut columns = self
                .slots
                .iter()
                .filter_map(|slot| Some((slot, slot.column?)));
            self.cut || columns.all(|(slot, column)| row.cell(column).1 <= slot.width)
        };
        let (drawn, rest) =
            rows.split_at(rows.iter().position(|row| !fits(row)).unwrap_or(rows.len()));
        let mut table = Table::new();
        table.load_style(STYLE);
        if self.colour {
            table.enforce_styling().style_text_only();
        } else {
            table.force_no_tty();
        }
        if let Some((names, types)) = heading {
            table.set_header(
                self.slots
                    .iter()
                    .map(|slot| self.heading_cell(*slot, names, types)),
            );
        }
        for row in drawn {
            table.add_row(self.slots.iter().map(|slot| self.row_cell(*slot, row)));
        }
        let widths = self.slots.iter().map(|slot| {
            let width = u16::try_from(slot.width + 2).unwrap_or(u16::MAX);
            ColumnConstraint::Absolute(Width::Fixed(width))
        });
        table.set_constraints(widths);
        for (index, line) in table.lines().enumerate() {
            let types = self.colour && heading.is_some() && index == 2;
            let (on, off) = if types { (DIM, PLAIN) } else { ("", "") };
            out.extend([on, &line, off, "\n"].iter().flat_map(|text| text.bytes()));
        }
        rest.iter().for_each(|row| self.push_row(row, out));
    }

    /// Draws a row below the head.
    pub(super) fn push_row(&self, row: &Row, out: &mut Vec<u8>) {
        for slot in &self.slots {
            let (text, width) = self.shown(*slot, row);
            let padding = slot.width.saturating_sub(width);
            let (before, after) = if slot.number {
                (padding, 0)
            } else {
                (0, padding)
            };
            out.extend_from_slice("│ ".as_bytes());
            out.resize(out.len() + before, b' ');
            if self.colour && self.is_dim(*slot, row) {
                out.extend([DIM, &text, PLAIN].iter().flat_map(|text| text.bytes()));
            } else {
                out.extend_from_slice(text.as_bytes());
            }
            out.resize(out.len() + after + 1, b' ');
        }
        out.extend_from_slice("│\n".as_bytes());
    }

    /// Draws the row that stands for those that are left out.
    pub(super) fn push_gap(&self, columns: usize, out: &mut Vec<u8>) {
        self.push_row(&Row::from_texts(std::iter::repeat_n("⋮", columns)), out);
    }

    /// Draws the lower border.
    pub(super) fn push_bottom(&self, out: &mut Vec<u8>) {
        for (index, slot) in self.slots.iter().enumerate() {
            out.extend_from_slice(if index == 0 { "└" } else { "┴" }.as_bytes());
            out.extend_from_slice("─".repeat(slot.width + 2).as_bytes());
        }
        out.extend_from_slice("┘\n".as_bytes());
    }

    fn heading_cell(&self, slot: Slot, names: &Row, types: &Row) -> Cell {
        let data_type = match slot.column {
            Some(_) => self.shown(slot, types).0,
            None => Cow::Borrowed(""),
        };
        let text = format!("{}\n{data_type}", self.shown(slot, names).0);
        Cell::new(text).set_alignment(alignment(slot))
    }

    fn row_cell(&self, slot: Slot, row: &Row) -> Cell {
        let cell = Cell::new(self.shown(slot, row).0).set_alignment(alignment(slot));
        if self.is_dim(slot, row) {
            cell.add_attribute(Attribute::Dim)
        } else {
            cell
        }
    }

    fn is_dim(&self, slot: Slot, row: &Row) -> bool {
        slot.column.is_none_or(|column| row.is_null(column))
    }

    /// What is shown of a cell, and its width.
    fn shown<'a>(&self, slot: Slot, row: &'a Row) -> (Cow<'a, str>, usize) {
        let Some(column) = slot.column else {
            return (Cow::Borrowed("…"), 1);
        };
        let (text, width) = row.cell(column);
        if width <= slot.width || !self.cut {
            return (Cow::Borrowed(text), width);
        }
        let kept = cut(text, slot.width - 1);
        (Cow::Owned(format!("{kept}…")), kept.width() + 1)
    }
}

fn alignment(slot: Slot) -> CellAlignment {
    if slot.number {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    }
}

/// The longest beginning of a text that is no wider than `width`.
fn cut(text: &str, width: usize) -> &str {
    let mut used = 0;
    let too_far = text.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or(0);
        used > width
    });
    let mut kept = &text[..too_far.map_or(text.len(), |(end, _)| end)];
    // Some sequences are wider than the sum of their characters.
    while kept.width() > width {
        let mut characters = kept.chars();
        characters.next_back();
        kept = characters.as_str();
    }
    kept.trim_end_matches('\u{200d}')
}
