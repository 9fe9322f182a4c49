//! One row of a table as text, with the width of each cell on the screen.

use unicode_width::UnicodeWidthStr;

use crate::encode::Column;

/// A row, ready to be laid out.
#[derive(Debug, Default, Clone)]
pub(super) struct Row {
    text: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Where the cell's text ends; it begins where the one before ends.
    end: usize,
    width: usize,
    null: bool,
}

impl Row {
    /// Writes a row of a batch as text, in place of what was here; `null_word` stands for NULL.
    pub(super) fn fill(&mut self, columns: &mut [Column<'_>], row: usize, null_word: &str) {
        self.cells.clear();
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        for column in columns {
            let start = bytes.len();
            let null = !column.write(row, &mut bytes);
            if null {
                bytes.extend_from_slice(null_word.as_bytes());
            }
            let width = display_width(&bytes[start..]);
            self.cells.push(Cell {
                end: bytes.len(),
                width,
                null,
            });
        }
        self.text = String::from_utf8(bytes).expect("encoders write UTF-8");
    }

    /// Makes a row from texts.
    pub(super) fn from_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut row = Self::default();
        for text in texts {
            row.text.push_str(text);
            let width = display_width(text.as_bytes());
            row.cells.push(Cell {
                end: row.text.len(),
                width,
                null: false,
            });
        }
        row
    }

    /// The text of a cell and its width in columns of the screen.
    pub(super) fn cell(&self, index: usize) -> (&str, usize) {
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.cells[before].end);
        let cell = self.cells[index];
        (&self.text[start..cell.end], cell.width)
    }

    /// Whether a cell is NULL.
    pub(super) fn is_null(&self, index: usize) -> bool {
        self.cells[index].null
    }

    /// Memory that the row takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.cells.len() * size_of::<Cell>()
    }
}

fn display_width(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    std::str::from_utf8(bytes).map_or(bytes.len(), |text| text.width())
}
