//! Rows that are computed once and kept: CACHE TABLE for the session, MATERIALIZE and equal subplans for a
//! statement.
//!
//! Memory comes first, charged to the session's pool and never more than the cache's share of it; what
//! does not fit goes to Arrow IPC files in the temporary folder. A cached table knows the versions that
//! its rows come from, and is computed anew once one of them has changed.

mod budget;
mod execution;
mod node;
mod provider;
mod rows;
mod shared;
mod tables;

pub(crate) use budget::Budget;
pub use budget::DEFAULT_SHARE;
pub(crate) use execution::MaterializeExec;
pub(crate) use node::SharedExtensionPlanner;
pub use node::{shared, shared_operator, shared_rows};
pub use provider::CachedTable;
pub use rows::Storage;
pub use shared::SharedRows;
pub use tables::{CacheEntry, CacheSource, CachedTables};
