//! From bytes to cells: decoding, the only lexer that finds where statements end, and text variables.
//!
//! The lexer agrees with sqlparser's generic dialect on where a `;` stands outside quotes and
//! comments. It does not parse SQL and it does not know the commands: a cell is a place in the text
//! that somebody else understands.

mod decode;
mod feed;
mod lexer;
mod locate;
mod quoted;
mod split;
#[cfg(test)]
mod split_tests;
mod variables;

use crate::source::Place;

pub use decode::decode;
pub use feed::Feed;
pub use lexer::{Token, TokenKind, tokens};
pub use locate::{character_offset, offset_of, token_range};
pub use quoted::OpenKind;
pub use split::{Awaiting, Cells, SplitOptions, awaiting, cells, split};
pub use variables::{Substituted, substitute};

/// One thing to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A SQL statement, from its first to its last token, without what ended it.
    Statement {
        /// Where it stands.
        place: Place,
        /// What ended it.
        terminator: Terminator,
    },
    /// A command of the shell with its arguments, `\d t`, `.tables` or `%sql`, to the end of its line.
    Command {
        /// Where it stands.
        place: Place,
        /// The statement that it ends, as in `select 1 \gset`: the command decides what becomes of it.
        statement: Option<Place>,
    },
}

impl Cell {
    /// Returns where the cell stands.
    pub fn place(&self) -> &Place {
        match self {
            Self::Statement { place, .. } | Self::Command { place, .. } => place,
        }
    }
}

/// What ended a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminator {
    /// `;`
    Semicolon,
    /// `\g`
    Go,
    /// `\gx` or `\G`: the result is to be shown expanded.
    GoExpanded,
    /// The end of the input.
    EndOfInput,
}
