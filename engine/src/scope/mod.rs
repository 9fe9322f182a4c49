//! Resolves every relation of a statement once, by name and version, before synchronous planning.
//!
//! A statement sees one state of each table, however often it names it and through whatever views:
//! time travel, cycles in views and reproducible results are one mechanism. Nothing is resolved
//! while planning.

mod collect;
mod delta;
mod encoder;
mod expand;
mod function;
mod graph;
mod name;
mod planner;
mod resolve;
mod substitute;
mod version;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::logical_expr::{ScalarUDF, TableSource};

pub(crate) use collect::{Query, identifiers, normalized, stem};
pub(crate) use delta::DeltaTarget;
pub(crate) use encoder::{APPLY_ENCODER, APPLY_USAGE, StoredEncoder, leakage, set_policy};
pub(crate) use expand::expand;
pub(crate) use graph::feature_graph;
pub(crate) use name::TableName;
pub(crate) use planner::{column_schema, expression};
pub(crate) use resolve::{Found, Resolver};
pub(crate) use substitute::{SourceKey, Sources};
pub(crate) use version::{evaluate as evaluate_version, moment, number as version_number};

/// A table that a statement reads, in the state in which it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableRead {
    /// The name or path that the statement gives it.
    pub(crate) name: String,
    /// The version, for formats that have versions.
    pub(crate) version: Option<u64>,
    /// Where the table lies, for tables that are named or have a path.
    pub(crate) location: Option<String>,
}

/// The relations of one query text, ready for planning.
#[derive(Default)]
pub(crate) struct StatementScope {
    pub(crate) relations: HashMap<TableReference, Arc<dyn TableSource>>,
    /// Functions that exist in this text only, by the names that they have in its tree.
    pub(crate) functions: HashMap<String, Arc<ScalarUDF>>,
}
