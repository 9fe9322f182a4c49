//! The statements of lakesh but those about features and hints: one file a family.
//!
//! Each of them is one line in the list of the engine's vocabulary.

pub(crate) mod alter_table;
pub(crate) mod attach;
pub(crate) mod cache;
pub(crate) mod checkpoint;
pub(crate) mod columns;
pub(crate) mod convert;
pub(crate) mod copy;
pub(crate) mod create_external_table;
pub(crate) mod create_function;
pub(crate) mod create_schema;
pub(crate) mod create_table;
pub(crate) mod create_view;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod describe_history;
pub(crate) mod diff;
pub(crate) mod drop;
pub(crate) mod explain;
pub(crate) mod explain_compare;
pub(crate) mod insert;
pub(crate) mod merge;
pub(crate) mod mutating;
pub(crate) mod optimize;
pub(crate) mod query;
pub(crate) mod restore;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod summarize;
pub(crate) mod table_function;
pub(crate) mod update;
pub(crate) mod vacuum;

pub(crate) use explain_compare::side_by_side;
