//! Finds cells in text: where statements end and which lines are commands.
//!
//! It does not know which commands exist, nor whether a statement is valid.

use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use super::lexer::{Lexed, Lexer, Token, TokenKind, is_word_part};
use super::quoted::OpenKind;
use super::{Cell, Terminator};
use crate::failure::{Failure, FailureKind};
use crate::source::{Place, Source};

/// How text is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitOptions {
    /// Whether `%word` and `%%word` at the beginning of a cell are commands, as in notebooks.
    pub magics: bool,
    /// The commands to which, written with `%%`, all lines belong that follow.
    pub cell_magics: &'static [&'static str],
}

/// What the text lacks before it can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaiting {
    /// The `;` of a statement.
    Terminator,
    /// The next line of a command.
    Continuation,
    /// The end of something quoted, or of a comment.
    Closing(OpenKind),
}

/// Why text cannot be split.
#[derive(Debug, Error)]
enum SplitError {
    #[error("{what} is never closed")]
    NeverClosed { what: &'static str },
}

/// A cell as offsets, before it knows its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Statement(Range<usize>, Terminator),
    Command {
        range: Range<usize>,
        statement: Option<Range<usize>>,
    },
}

impl Piece {
    pub(super) fn cell(self, source: &Arc<Source>) -> Cell {
        match self {
            Self::Statement(range, terminator) => Cell::Statement {
                place: Place::new(source, range),
                terminator,
            },
            Self::Command { range, statement } => Cell::Command {
                place: Place::new(source, range),
                statement: statement.map(|range| Place::new(source, range)),
            },
        }
    }
}

/// What a splitter found next.
#[derive(Debug)]
pub(super) enum Step {
    Piece(Piece),
    /// Nothing more can be said without more text; it lacks this, or nothing at all.
    More(Option<Awaiting>),
    Refused(Refusal),
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Refusal {
    error: SplitError,
    hint: String,
    range: Range<usize>,
}

impl Refusal {
    pub(super) fn failure(self, source: &Arc<Source>) -> Failure {
        Failure::new(FailureKind::Syntax, self.error.to_string())
            .at(Place::new(source, self.range))
            .hint(self.hint)
            .caused_by(self.error)
    }
}

/// Finds one cell after the other in text that may still grow; never reads a byte twice.
#[derive(Debug, Clone)]
pub(super) struct Splitter {
    lexer: Lexer,
    options: SplitOptions,
    /// The real tokens of the statement that has begun.
    statement: Option<Range<usize>>,
    at_input_start: bool,
}

impl Splitter {
    pub(super) fn new(options: SplitOptions) -> Self {
        Self {
            lexer: Lexer::default(),
            options,
            statement: None,
            at_input_start: true,
        }
    }

    /// The offset from which text is still needed.
    pub(super) fn kept_from(&self) -> usize {
        let begun = self.statement.as_ref().map(|range| range.start);
        begun.unwrap_or(self.lexer.position())
    }

    pub(super) fn shift(&mut self, bytes: usize) {
        self.lexer.shift(bytes);
        if let Some(statement) = &mut self.statement {
            *statement = statement.start - bytes..statement.end - bytes;
        }
    }

    /// Finds the next cell. `at_end` says that the text will not grow.
    pub(super) fn next(&mut self, text: &str, at_end: bool) -> Step {
        if !self.skip_interpreter_line(text, at_end) {
            return Step::More(None);
        }
        loop {
            let token = match self.lexer.next(text, at_end) {
                Lexed::Token(token) => token,
                Lexed::End if at_end => return self.finish(),
                Lexed::End => return Step::More(self.awaiting()),
                Lexed::Open(kind, opening) if at_end => {
                    self.lexer.seek(text.len());
                    self.statement = None;
                    return Step::Refused(never_closed(kind, opening));
                }
                Lexed::Open(kind, _) => return Step::More(Some(Awaiting::Closing(kind))),
            };
            if !token.is_real() {
                continue;
            }
            if let Some(step) = self.take(text, token, at_end) {
                return step;
            }
        }
    }

    /// Skips `#!/usr/bin/env …` on the first line; tells whether enough text is there to decide.
    fn skip_interpreter_line(&mut self, text: &str, at_end: bool) -> bool {
        if self.at_input_start {
            let newline = text.find('\n');
            if !at_end && newline.is_none() && (text.len() < 2 || text.starts_with("#!")) {
                return false;
            }
            if text.starts_with("#!") {
                self.lexer.seek(newline.unwrap_or(text.len()));
            }
            self.at_input_start = false;
        }
        true
    }

    fn awaiting(&self) -> Option<Awaiting> {
        self.statement.as_ref().map(|_| Awaiting::Terminator)
    }

    fn finish(&mut self) -> Step {
        match self.statement.take() {
            Some(range) => Step::Piece(Piece::Statement(range, Terminator::EndOfInput)),
            None => Step::More(None),
        }
    }

    /// Handles one real token; `None` goes on reading.
    fn take(&mut self, text: &str, token: Token, at_end: bool) -> Option<Step> {
        let Some(statement) = &mut self.statement else {
            return self.begin(text, token, at_end);
        };
        match token.kind {
            TokenKind::Semicolon => {
                let range = self.statement.take()?;
                Some(Step::Piece(Piece::Statement(range, Terminator::Semicolon)))
            }
            TokenKind::Backslash => self.go(text, token, at_end),
            _ => {
                statement.end = token.range.end;
                None
            }
        }
    }

    /// Handles the first token of a cell.
    fn begin(&mut self, text: &str, token: Token, at_end: bool) -> Option<Step> {
        let start = token.range.start;
        if token.kind == TokenKind::Semicolon {
            return None;
        }
        let rest = &text[start..];
        // One or two characters decide whether it is a command: wait for them.
        if !at_end && matches!(rest, "%" | "%%") {
            self.lexer.seek(start);
            return Some(Step::More(None));
        }
        if !begins_command(rest, self.options) {
            self.statement = Some(token.range);
            return None;
        }
        Some(self.command(text, start, at_end))
    }

    /// Reads the command that begins at an offset; it takes the statement that has begun before it.
    fn command(&mut self, text: &str, start: usize, at_end: bool) -> Step {
        let rest = &text[start..];
        let line = match command_lines(rest, self.options) {
            Some(length) => &rest[..length],
            None if at_end => rest,
            None => {
                self.lexer.seek(start);
                let begun = rest.contains('\n').then_some(Awaiting::Continuation);
                return Step::More(begun.or(self.awaiting()));
            }
        };
        let (length, separator) = command_length(line);
        self.lexer.seek(start + length + separator);
        let command = line[..length].trim_end();
        Step::Piece(Piece::Command {
            range: start..start + command.len(),
            statement: self.statement.take(),
        })
    }

    /// Handles a backslash inside a statement. `\g`, `\gx` and `\G` alone end it; any other command,
    /// and `\g` with a file, takes it.
    fn go(&mut self, text: &str, token: Token, at_end: bool) -> Option<Step> {
        let start = token.range.start;
        let rest = &text[token.range.end..];
        let word = &rest[..rest.len() - rest.trim_start_matches(is_word_part).len()];
        let after = rest[word.len()..]
            .trim_start_matches(|character: char| character.is_whitespace() && character != '\n');
        if !at_end && (after.is_empty() || after == "-") {
            self.lexer.seek(start);
            return Some(Step::More(self.awaiting()));
        }
        if !word.starts_with(|first: char| first.is_ascii_alphabetic()) {
            if let Some(statement) = &mut self.statement {
                statement.end = token.range.end;
            }
            return None;
        }
        let alone =
            after.is_empty() || after.starts_with(['\n', '\\', ';']) || after.starts_with("--");
        let terminator = match word {
            "g" if alone => Terminator::Go,
            "gx" | "G" if alone => Terminator::GoExpanded,
            _ => return Some(self.command(text, start, at_end)),
        };
        let range = self.statement.take()?;
        self.lexer.seek(token.range.end + word.len());
        Some(Step::Piece(Piece::Statement(range, terminator)))
    }
}

fn begins_command(rest: &str, options: SplitOptions) -> bool {
    let letter = |text: &str| text.starts_with(|first: char| first.is_ascii_alphabetic());
    if let Some(name) = rest.strip_prefix('.') {
        return letter(name);
    }
    if let Some(name) = rest.strip_prefix('%').filter(|_| options.magics) {
        return letter(name.strip_prefix('%').unwrap_or(name));
    }
    rest.starts_with('\\')
}

/// Returns how long the lines of a command are; `None` if they go on where the text ends.
fn command_lines(rest: &str, options: SplitOptions) -> Option<usize> {
    let name = rest.strip_prefix("%%").unwrap_or_default();
    let name = name.split(|letter: char| !is_word_part(letter)).next();
    if options.magics && name.is_some_and(|name| options.cell_magics.contains(&name)) {
        // At a prompt an empty line ends them.
        return rest.ends_with("\n\n").then_some(rest.len());
    }
    // What follows `\!` belongs to another shell.
    let goes_on = |line: &str| continues(line) && !rest.starts_with("\\!");
    let mut length = 0;
    loop {
        let line = rest[length..].find('\n')?;
        if !goes_on(&rest[length..length + line]) {
            return Some(length + line);
        }
        length += line + 1;
    }
}

/// Tells whether a command's line goes on in the next: it ends with a backslash that stands alone.
fn continues(line: &str) -> bool {
    let before = line.trim_end_matches('\r').strip_suffix('\\');
    before.is_some_and(|before| before.ends_with(char::is_whitespace))
}

/// Returns how long the command is that begins a line, and how long the separator after it.
///
/// `\\` and `\;` outside quotes end a command before its line does; what follows `\!` belongs to
/// another shell, backslashes included.
fn command_length(line: &str) -> (usize, usize) {
    let bytes = line.as_bytes();
    if line.starts_with("\\!") {
        return (line.len(), 0);
    }
    let mut position = 1;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'\\' if matches!(bytes.get(position + 1), Some(b'\\' | b';')) => {
                return (position, 2);
            }
            quote @ (b'\'' | b'"' | b'`') => {
                let closing = bytes[position + 1..].iter().position(|next| next == quote);
                // A quote that the line does not close is an ordinary character.
                position += closing.map_or(1, |length| length + 2);
            }
            _ => position += 1,
        }
    }
    (line.len(), 0)
}

fn never_closed(kind: OpenKind, opening: Range<usize>) -> Refusal {
    let (what, closing) = match kind {
        OpenKind::String => ("the string", "the quote that opened it"),
        OpenKind::DoubleQuotes => ("the quoted name", "`\"`"),
        OpenKind::Backticks => ("the quoted name", "a backtick"),
        OpenKind::DollarQuotes => ("the dollar-quoted text", "the tag that opened it"),
        OpenKind::LineComment => ("the comment", "a new line"),
        OpenKind::BlockComment => ("the comment", "`*/`; comments nest"),
    };
    Refusal {
        error: SplitError::NeverClosed { what },
        hint: format!("it ends with {closing}"),
        range: opening,
    }
}

/// The cells of a source, found one after the other; ends after the first failure.
#[derive(Debug)]
pub struct Cells {
    source: Arc<Source>,
    splitter: Option<Splitter>,
}

impl Iterator for Cells {
    type Item = Result<Cell, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.splitter.as_mut()?.next(&self.source.text, true);
        match step {
            Step::Piece(piece) => Some(Ok(piece.cell(&self.source))),
            Step::More(_) => {
                self.splitter = None;
                None
            }
            Step::Refused(refusal) => {
                self.splitter = None;
                Some(Err(refusal.failure(&self.source)))
            }
        }
    }
}

/// Finds the cells of a whole text while they are asked for.
pub fn cells(source: &Arc<Source>, options: SplitOptions) -> Cells {
    let mut splitter = Splitter::new(options);
    splitter.at_input_start = source.lines_before == 0;
    Cells {
        source: Arc::clone(source),
        splitter: Some(splitter),
    }
}

/// Finds all cells of a whole text; fails if any cannot be found, before anything ran.
pub fn split(source: &Arc<Source>, options: SplitOptions) -> Result<Vec<Cell>, Failure> {
    cells(source, options).collect()
}

/// Tells what a text typed at a prompt lacks before it can run; `None` when it is complete.
///
/// Text that cannot be split counts as complete: running it shows the failure.
pub fn awaiting(text: &str, options: SplitOptions) -> Option<Awaiting> {
    // The line end that Enter gives closes line comments and commands.
    let text = format!("{text}\n");
    let mut splitter = Splitter::new(options);
    loop {
        match splitter.next(&text, false) {
            Step::Piece(_) => {}
            Step::More(awaiting) => return awaiting,
            Step::Refused(_) => return None,
        }
    }
}
