//! ASOF JOIN: to each row of one table the row of another that was current at its time.
//!
//! `FROM l [LEFT] ASOF JOIN r MATCH_CONDITION (l.t > r.t) ON l.k = r.k` takes of the rows of `r` with the
//! same key the latest that the condition admits; with `<` and `<=` the earliest. Without LEFT, rows that
//! find none are left out. A NULL key or a NULL time matches nothing. Of several rows of the same time the
//! one counts whose other columns, from left to right, are greatest, so that the result does not depend on
//! the order of the rows.

mod execution;
mod merge;
mod node;
mod plan;

pub use node::AsOfJoin;
pub(crate) use plan::AsOfExtensionPlanner;
pub use plan::AsOfRelationPlanner;
