//! The statements of lakesh but those about features and hints: one file a family.
//!
//! Each of them is one line in the list of the engine's vocabulary.

#![forbid(unsafe_code)]

pub mod alter_table;
pub mod attach;
pub mod cache;
pub mod check_table;
pub mod checkpoint;
pub(crate) mod columns;
pub mod comment_on;
pub mod convert;
pub mod copy;
pub mod create_external_table;
pub mod create_function;
pub mod create_schema;
pub mod create_table;
pub mod create_view;
pub mod delete;
pub mod describe;
pub mod describe_history;
pub mod diff;
pub mod drop;
pub mod explain;
pub mod explain_compare;
pub mod insert;
pub mod merge;
pub(crate) mod mutating;
mod mutation;
pub mod optimize;
pub mod prepare;
pub mod query;
pub mod restore;
pub mod set;
pub mod show;
pub mod summarize;
pub mod table_function;
pub mod truncate;
pub mod undo;
pub mod update;
pub mod vacuum;

pub use explain_compare::side_by_side;
