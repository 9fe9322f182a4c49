//! Table functions that show tables: each of them is one line in the list of the engine's vocabulary.

pub(crate) mod changes;
pub(crate) mod columns;
pub(crate) mod diff;
pub(crate) mod history;
pub(crate) mod summary;
