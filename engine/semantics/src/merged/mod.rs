//! USING and NATURAL JOIN: a key of both sides is one column, and never NULL where one side has it.
//!
//! DataFusion takes the column of the side that is first in the alphabet for `*`, and the left one for
//! its name, which is NULL in rows of the right side alone; WHERE and a third table find it ambiguous
//! (<https://github.com/apache/datafusion/issues/22881>, 20989). Here such joins are put in brackets,
//! where a planner of ours makes one column of the keys. A key that a query names with its table is kept
//! beside it, under a name that only this room knows.

mod plan;
mod tree;

pub use plan::MergedColumnPlanner;
pub use tree::mark_merged_columns;

/// The alias of joins in brackets that are planned here.
const MARK: &str = "merged columns";

/// The name of a table's own key beside the merged one.
fn own_name(table: &str, column: &str) -> String {
    format!("{column} of {table}")
}
