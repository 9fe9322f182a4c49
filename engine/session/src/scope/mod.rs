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
mod names;
mod opened;
mod plan;
mod planner;
mod reference;
mod resolve;
mod single;
mod spelled;
mod substitute;
mod version;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::logical_expr::TableSource;
use lakesh_plan::directive::Marks;

pub use delta::DeltaTarget;
pub(crate) use encoder::APPLY_USAGE;
pub use encoder::{APPLY_ENCODER, StoredEncoder, leakage, set_policy};
pub use expand::{OwnFunctions, expand, function_types};
pub use graph::feature_graph;
pub use opened::Opened;
pub use planner::{column_schema, expression};
pub use resolve::{Found, Resolver};
pub use single::{find_name, single_expression, spelled_expression};
pub use substitute::{SourceKey, Sources};
pub use version::evaluate as evaluate_version;
pub(crate) use version::number as version_number;

/// The relations of one query text, ready for planning.
#[derive(Default)]
pub struct StatementScope {
    pub(crate) relations: HashMap<TableReference, Arc<dyn TableSource>>,
    /// Functions that exist in this text only, by the names that they have in its tree.
    pub(crate) functions: OwnFunctions,
    /// Relations that hints ask something of.
    pub(crate) marks: Marks,
}
