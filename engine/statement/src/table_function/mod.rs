//! Table functions that show tables: each of them is one line in the list of the engine's vocabulary.

pub mod changes;
pub mod check;
pub mod columns;
pub mod diff;
pub mod history;
pub mod summary;
