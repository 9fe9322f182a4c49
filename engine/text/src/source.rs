//! Where text came from: a named source, and places inside it.

use std::ops::Range;
use std::sync::Arc;

/// A piece of input with the name that messages give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's path as the user wrote it, or `-c`, `<stdin>`, `<prompt>`, `cell 3`.
    pub name: String,
    /// The whole text, without a byte order mark.
    pub text: Arc<str>,
    /// The number of lines of the real input that stand before `text`; 0 when `text` is all of it.
    pub lines_before: usize,
}

impl Source {
    /// Makes a source whose text is the whole input.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            lines_before: 0,
        })
    }
}

/// A range of bytes inside a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text that the range belongs to.
    pub source: Arc<Source>,
    /// Byte offsets into `source.text`, on character boundaries.
    pub range: Range<usize>,
}

impl Place {
    /// Names a range of a source.
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            range,
        }
    }

    /// Returns the text of the range.
    pub fn text(&self) -> &str {
        &self.source.text[self.range.clone()]
    }

    /// Returns line and column of the range's start, both counted from 1, the column in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source.text[..self.range.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        (line + self.source.lines_before, column)
    }
}
