//! Cells of input that arrives in pieces, such as standard input.
//!
//! A cell is handed out as soon as it surely is complete. Lines that are done are forgotten, so that
//! endless input needs no endless memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Cell;
use super::decode::{BYTE_ORDER_MARK, refuse};
use super::split::{SplitOptions, Splitter, Step};
use crate::failure::Failure;
use crate::source::Source;

/// Takes bytes and gives cells.
#[derive(Debug)]
pub struct Feed {
    name: String,
    text: String,
    /// The bytes of a character that has not arrived completely.
    partial: Vec<u8>,
    lines_before: usize,
    splitter: Splitter,
    ready: VecDeque<Result<Cell, Failure>>,
    started: bool,
    ended: bool,
}

impl Feed {
    /// Makes a feed whose messages call the input by this name.
    pub fn new(name: impl Into<String>, options: SplitOptions) -> Self {
        Self {
            name: name.into(),
            text: String::new(),
            partial: Vec::new(),
            lines_before: 0,
            splitter: Splitter::new(options),
            ready: VecDeque::new(),
            started: false,
            ended: false,
        }
    }

    /// Adds the next bytes of the input. Bytes that are no text come out of `next_cell` as a failure.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.ended {
            return;
        }
        self.partial.extend_from_slice(bytes);
        if !self.started && !self.strip_byte_order_mark() {
            return;
        }
        let valid = match std::str::from_utf8(&self.partial) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return self.refuse(),
        };
        if self.partial[..valid].contains(&0) {
            return self.refuse();
        }
        self.take_text(valid);
        self.scan(false);
    }

    /// Says that the input is over: what has arrived is all.
    pub fn finish(&mut self) {
        if self.ended {
            return;
        }
        if !self.started && self.partial.starts_with(BYTE_ORDER_MARK) {
            self.partial.drain(..BYTE_ORDER_MARK.len());
        }
        match std::str::from_utf8(&self.partial) {
            Ok(text) if !text.contains('\0') => {
                self.take_text(self.partial.len());
                self.scan(true);
                self.ended = true;
            }
            _ => self.refuse(),
        }
    }

    /// Returns the next complete cell; `None` asks for more bytes, or after `finish` means the end.
    pub fn next_cell(&mut self) -> Option<Result<Cell, Failure>> {
        self.ready.pop_front()
    }

    /// Tells whether text has arrived that belongs to a cell that is not complete.
    #[cfg(test)]
    fn is_within_cell(&self) -> bool {
        !self.text[self.splitter.kept_from()..].trim().is_empty() || !self.partial.is_empty()
    }

    /// Tells whether enough bytes have arrived to know of a byte order mark.
    fn strip_byte_order_mark(&mut self) -> bool {
        if self.partial.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(&self.partial)
        {
            return false;
        }
        if self.partial.starts_with(BYTE_ORDER_MARK) {
            self.partial.drain(..BYTE_ORDER_MARK.len());
        }
        self.started = true;
        true
    }

    fn take_text(&mut self, length: usize) {
        let rest = self.partial.split_off(length);
        if let Ok(text) = std::str::from_utf8(&self.partial) {
            self.text.push_str(text);
        }
        self.partial = rest;
    }

    /// Hands out the cells before the bad byte, then says which byte is bad.
    fn refuse(&mut self) {
        let valid = match std::str::from_utf8(&self.partial) {
            Ok(_) => self.partial.len(),
            Err(error) => error.valid_up_to(),
        };
        let nul = self.partial[..valid].iter().position(|byte| *byte == 0);
        let bad = self.partial.split_off(nul.unwrap_or(valid));
        self.take_text(self.partial.len());
        self.scan(false);
        let bytes = [self.text.as_bytes(), &bad].concat();
        self.ready
            .push_back(Err(refuse(&self.name, &bytes, self.lines_before)));
        self.ended = true;
    }

    /// Finds what is complete now. All cells of one scan share one source.
    fn scan(&mut self, at_end: bool) {
        let mut pieces = Vec::new();
        let refusal = loop {
            match self.splitter.next(&self.text, at_end) {
                Step::Piece(piece) => pieces.push(piece),
                Step::More(_) => break None,
                Step::Refused(refusal) => break Some(refusal),
            }
        };
        if !pieces.is_empty() || refusal.is_some() {
            let source = Arc::new(Source {
                name: self.name.clone(),
                text: self.text.as_str().into(),
                lines_before: self.lines_before,
            });
            let cells = pieces.into_iter().map(|piece| Ok(piece.cell(&source)));
            self.ready.extend(cells);
            if let Some(refusal) = refusal {
                self.ready.push_back(Err(refusal.failure(&source)));
                self.ended = true;
            }
        }
        self.forget();
    }

    /// Drops the lines that no coming cell can touch.
    fn forget(&mut self) {
        let done = &self.text[..self.splitter.kept_from()];
        let Some(newline) = done.rfind('\n') else {
            return;
        };
        let done = newline + 1;
        self.lines_before += self.text[..done]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count();
        self.text.drain(..done);
        self.splitter.shift(done);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Feed;
    use crate::input::SplitOptions;

    /// Feeds text in pieces of this size and lists `line:column text` of the cells.
    fn feed(text: &[u8], size: usize) -> Vec<String> {
        let mut feed = Feed::new("<stdin>", SplitOptions::default());
        let mut cells = Vec::new();
        for piece in text.chunks(size) {
            feed.push(piece);
            while let Some(cell) = feed.next_cell() {
                cells.push(show(cell));
            }
        }
        feed.finish();
        while let Some(cell) = feed.next_cell() {
            cells.push(show(cell));
        }
        cells
    }

    fn show(cell: Result<crate::input::Cell, crate::failure::Failure>) -> String {
        match cell {
            Ok(cell) => {
                let (line, column) = cell.place().line_and_column();
                format!("{line}:{column} {}", cell.place().text())
            }
            Err(failure) => {
                let (line, column) = failure.place.as_ref().unwrap().line_and_column();
                format!("{line}:{column} error: {}", failure.message)
            }
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_cells() {
        let text = "\u{feff}#!/usr/bin/env lakesh\nselect 'größe;';  select 2 \\gx\n\\d t\\\\ .tables\r\n\
                    /* a; */ select $t$ ;\n $t$;\nselect q'[it's;]', nq'!;!', r'''a;'b''';-- end;\n\n  select 5";
        let whole = feed(text.as_bytes(), text.len());
        assert_eq!(
            whole,
            [
                "2:1 select 'größe;'",
                "2:19 select 2",
                "3:1 \\d t",
                "3:8 .tables",
                "4:10 select $t$ ;\n $t$",
                "6:1 select q'[it's;]', nq'!;!', r'''a;'b'''",
                "8:3 select 5",
            ]
        );
        for size in 1..20 {
            assert_eq!(feed(text.as_bytes(), size), whole, "pieces of {size} bytes");
        }
    }

    #[test]
    fn cells_come_as_soon_as_they_are_complete() {
        let mut feed = Feed::new("<stdin>", SplitOptions::default());
        for (bytes, complete) in [
            ("select 1", 0),
            (";", 1),
            (" \\d", 0),
            ("\n", 1),
            ("select 'a;", 0),
            ("';select", 1),
            (" 3;", 1),
        ] {
            feed.push(bytes.as_bytes());
            let cells = std::iter::from_fn(|| feed.next_cell()).count();
            assert_eq!(cells, complete, "after {bytes:?}");
        }
        assert!(!feed.is_within_cell());
    }

    #[test]
    fn bad_bytes_come_after_the_cells_before_them() {
        for size in 1..15 {
            assert_eq!(
                feed(b"select 1;\nselect '\xFF'", size),
                [
                    "1:1 select 1",
                    "2:9 error: `<stdin>` is not UTF-8: byte 0xFF at line 2, column 9",
                ]
            );
            assert_eq!(
                feed(b"select 1;\nselect '", size),
                ["1:1 select 1", "2:8 error: the string is never closed"]
            );
        }
    }
}
