//! What a session is told when it is opened: the entries that it does not know by itself.

use std::sync::Arc;

use super::StatementKind;
use super::command::Command;
use super::table_functions::TableFunction;

/// What can be said to a session. The lists stand above it: the session names none of their entries.
pub(crate) struct Vocabulary {
    /// The statements, in alphabetical order but where one begins as another does.
    pub(crate) statements: &'static [&'static StatementKind],
    /// The commands that every front end has.
    pub(crate) commands: fn() -> Vec<Arc<dyn Command>>,
    /// The table functions of the engine itself.
    pub(crate) table_functions: &'static [&'static TableFunction],
}
