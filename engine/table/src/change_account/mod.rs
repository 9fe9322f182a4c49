//! Each UPDATE, DELETE, MERGE and INSERT … REPLACE WHERE accounts for the rows that it rewrites, and fails
//! before its commit where they do not add up.
//!
//! A change writes whole files anew: their rows pass through a plan of scans, joins, filters and
//! projections, and a fault in any of them stores wrong values for good. `commit/ledger.rs` compares
//! counts of the log entry. Here the rows themselves are compared, while they pass:
//!
//! - Of each row that is **read**, right above the scan of the files, a checksum is taken over the columns
//!   that the statement does not set: a hash of each value, mixed in the order of the columns, so that a
//!   value in another column, another row or NULL in its place makes another checksum.
//! - Of each row that is **written**, at the top of the plan, right before the writer of the files, the same
//!   checksum is taken.
//! - Both sides add up their rows and, wrapping around, their checksums. The sums do not depend on the
//!   order of rows, on partitions or on batches. When the last partition has ended they must be equal.
//!
//! Which rows count on the side that is read:
//!
//! - **UPDATE** writes all rows of the files that it rewrites: all of them.
//! - **DELETE** leaves rows out: those that its condition keeps, evaluated on what the scan gave.
//! - **REPLACE WHERE** writes the rows that its condition does not take together with those that it inserts:
//!   the former are compared, on the side that is written by the library's mark of the latter. Where the
//!   condition is one of partitions, or replaces all rows, none are written again.
//! - **MERGE** reads files that it then leaves alone, and its condition is a join. So there is a third
//!   place, where the library has decided about each row and before it takes the deleted ones out. There the
//!   rows of each file that is rewritten are compared with those that were read of it, the deleted ones
//!   included, and the rows that stay, those inserted included, with those that are written.
//!
//! The nodes are put into the plan by a physical rule, which comes last and knows the library's plans
//! (deltalake-core 1.1.3, `delete.rs`, `update.rs`, `merge/mod.rs`, `write/plan.rs`) by the nodes that count rows in them; all
//! other plans of the operation pass through as they are. An error at the end of the last partition makes
//! the library take back what it has written, as an error of any other node does, and nothing is committed.
//!
//! What this does not find: a reader that gives wrong values to begin with (`lakesh_event::account` counts
//! its rows), a condition that holds for other rows than it should, and what happens behind the writer.
//! A DELETE that only removes whole files passes no rows and is left to the ledger. A column whose type
//! changes on the way, which only a MERGE that adds columns to the table does, is not compared.
//!
//! It costs a hash of each value on either side, which is little beside decoding and encoding it.

mod account;
mod checksum;
mod rows;
mod rule;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::execution::{SessionState, SessionStateBuilder};
use deltalake::delta_datafusion::DataFusionMixins;
use deltalake::{DeltaTable, DeltaTableError};

use rule::AccountForChange;

use super::delta_change::library_state;

/// Returns a state as [`library_state`] does, whose UPDATE, DELETE, MERGE or REPLACE WHERE of a table accounts for
/// its rows; `assigned` are the columns that the statement gives new values.
pub fn accounting_state(
    state: &SessionState,
    table: &DeltaTable,
    assigned: &[String],
) -> Result<SessionState, DeltaTableError> {
    let schema = table.snapshot()?.snapshot().input_schema();
    let rule = AccountForChange::new(&schema, assigned);
    Ok(SessionStateBuilder::new_from_existing(library_state(state))
        .with_physical_optimizer_rule(Arc::new(rule))
        .build())
}
