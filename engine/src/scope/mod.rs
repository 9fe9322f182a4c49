//! Resolves every relation of a statement once, by name and version, before synchronous planning.
//!
//! A statement sees one state of each table, however often it names it and through whatever views:
//! time travel, cycles in views and reproducible results are one mechanism. Nothing is resolved
//! while planning.

mod cached;
mod collect;
mod delta;
mod encoder;
mod expand;
mod function;
mod graph;
mod name;
mod opened;
mod plan;
mod planner;
mod resolve;
mod single;
mod substitute;
mod version;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::logical_expr::TableSource;

use crate::directive::Marks;

pub(crate) use collect::{Query, identifiers, normalized, stem};
pub(crate) use delta::DeltaTarget;
pub(crate) use encoder::{APPLY_ENCODER, APPLY_USAGE, StoredEncoder, leakage, set_policy};
pub(crate) use expand::{OwnFunctions, expand, function_types};
pub(crate) use graph::feature_graph;
pub(crate) use name::TableName;
pub(crate) use opened::Opened;
pub(crate) use planner::{column_schema, expression};
pub(crate) use resolve::{Found, Resolver};
pub(crate) use single::single_expression;
pub(crate) use substitute::{SourceKey, Sources};
pub(crate) use version::{evaluate as evaluate_version, moment, number as version_number};

/// A table that a statement reads, in the state in which it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableRead {
    /// The name or path that the statement gives it.
    pub(crate) name: String,
    /// The version, for formats that have versions.
    pub(crate) version: Option<u64>,
    /// What files it consists of, as a hash, for formats without versions.
    pub(crate) fingerprint: Option<u64>,
    /// Where the table lies, for tables that are named or have a path.
    pub(crate) location: Option<String>,
}

impl TableRead {
    /// Writes the table with its version: `t@v3`.
    pub(crate) fn shown(&self) -> String {
        match self.version {
            Some(version) => format!("{}@v{version}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The relations of one query text, ready for planning.
#[derive(Default)]
pub(crate) struct StatementScope {
    pub(crate) relations: HashMap<TableReference, Arc<dyn TableSource>>,
    /// Functions that exist in this text only, by the names that they have in its tree.
    pub(crate) functions: OwnFunctions,
    /// Relations that hints ask something of.
    pub(crate) marks: Marks,
}
