//! Changing Delta tables: what every statement that changes one stands on.
//!
//! A statement that changes one table is a [`Mutation`]. It is taken through four steps, and each step
//! belongs to one piece:
//!
//! 1. **plan**: [`Mutation::plan`] resolves names and types against the newest state of the table, the
//!    [`Target`], and gives a [`Change`]. Nothing is executed, so that `--check` and EXPLAIN plan too.
//! 2. **dry run**: [`Change::touched`] says as a query which files of that state would be rewritten.
//!    EXPLAIN shows its rows.
//! 3. **write** and 4. **commit**: [`Change::write`] runs the library's operation, which writes data
//!    files and then the log entry. It is given a [`Commit`]: the table behind a log store that notes
//!    the point of no return, and properties with the operation id (`lakesh.operationId`). It says what
//!    it did as [`Changes`], from which the statement's summary is made.
//!
//! [`run`] is the only caller. It does the write on a task of its own: dropping the statement aborts it
//! up to the point of no return and not beyond. When another writer came first, three things can be:
//! the library finds no conflict and commits again (a blind append never has one); there is a conflict,
//! nothing of ours is in the log, and the mutation is planned anew against the newer state, a few times;
//! or the answer to writing the entry was lost, and the entry is read back and recognised by its id
//! (`commit.rs`). A commit is never repeated blindly.

mod content_key;
mod expression;
mod generated;
mod merge;
mod run;
mod target;
mod touched;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::{DeltaTable, DeltaTableError};
use lakesh_session::StatementContext;
use lakesh_text::failure::Failure;

pub(crate) use content_key::{ContentKey, mentioned_columns};
pub(crate) use expression::{Columns, assigned, has_subquery, is_recordable, unqualified};
pub(crate) use generated::with_generated;
pub(crate) use merge::{MergeAction, MergeChange, MergeClause, MergeWhen};
pub(crate) use run::{check, explain, run};
pub(crate) use target::{PlanningState, Target};
pub(crate) use touched::by_condition as touched_by;

/// A statement that changes one Delta table.
#[async_trait]
pub(crate) trait Mutation: Send + Sync {
    /// Returns what it does, in the standard's words.
    fn verb(&self) -> &'static str;

    /// Returns the table that it changes.
    fn target(&self) -> &datafusion::sql::sqlparser::ast::ObjectName;

    /// Returns what rows must meet by the statement itself, beside the table's constraints.
    fn condition(&self) -> Option<String> {
        None
    }

    /// Resolves names and types against the state of the table; executes nothing.
    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure>;
}

/// A mutation that is planned against one state of its table.
#[async_trait]
pub(crate) trait Change: Send + Sync {
    /// Says whether it adds rows without having read the table, so that it conflicts with nobody.
    fn is_blind_append(&self) -> bool {
        false
    }

    /// Plans the dry run: the files that would be rewritten or removed, as rows of `file` and `rows`.
    /// `None` where no file that is there would be touched.
    fn touched(&self, target: &Target) -> Result<Option<LogicalPlan>, Failure>;

    /// Writes files and commits them as one version.
    async fn write(self: Box<Self>, commit: Commit) -> Result<Written, DeltaTableError>;
}

/// What a change writes with.
pub(crate) struct Commit {
    /// The state that the change was planned against; its log store notes the point of no return.
    pub(crate) table: DeltaTable,
    /// What the commit carries: the operation id, and whether it is a blind append.
    pub(crate) properties: CommitProperties,
    /// Plans as the library's operations need it.
    pub(crate) state: PlanningState,
}

/// What a change did.
pub(crate) struct Written {
    /// The table with the change; at the version that was planned against if there was nothing to do.
    pub(crate) table: DeltaTable,
    pub(crate) changes: Changes,
}

/// Counts of what was changed; `None` where the statement cannot do such a thing or nobody counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) inserted: Option<u64>,
    pub(crate) updated: Option<u64>,
    pub(crate) deleted: Option<u64>,
    /// Rows that did not change and were written again with their file.
    pub(crate) copied: Option<u64>,
    pub(crate) files_added: u64,
    pub(crate) files_removed: u64,
}

impl Changes {
    /// Returns how many rows were inserted, updated or deleted.
    fn rows(&self) -> Option<u64> {
        let counts = [self.inserted, self.updated, self.deleted];
        let mut known = counts.into_iter().flatten().peekable();
        known.peek()?;
        Some(known.sum())
    }

    /// Returns the counts by name, in the order to show them.
    fn named(&self) -> Vec<(String, u64)> {
        let rows = [
            ("inserted", self.inserted),
            ("updated", self.updated),
            ("deleted", self.deleted),
            ("copied", self.copied),
        ];
        let kinds = rows.iter().filter(|(_, count)| count.is_some()).count();
        // What changes no rows writes no files, and need not say so.
        let shown = |count: u64| (kinds > 0 || count > 0).then_some(count);
        let files = [
            ("files added", shown(self.files_added)),
            ("files removed", shown(self.files_removed)),
        ];
        rows.into_iter()
            // Where rows can change in one way only, their number says it all.
            .filter(|_| kinds > 1)
            .chain(files)
            .filter_map(|(name, count)| Some((name.to_owned(), count?)))
            .collect()
    }
}
