//! A change that brings a source of rows together with the table: MERGE, and what becomes one.

use async_trait::async_trait;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, LogicalPlan};
use deltalake::DeltaTableError;
use deltalake::delta_datafusion::SessionFallbackPolicy;
use deltalake::operations::merge::MergeBuilder;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::expression::is_volatile;
use super::{Change, Changes, Commit, Target, Written, touched};

/// Which pairs of rows a clause is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeWhen {
    Matched,
    NotMatched,
    NotMatchedBySource,
}

/// What a clause does. Columns are named without the table.
#[derive(Debug, Clone)]
pub(crate) enum MergeAction {
    Update(Vec<(String, Expr)>),
    Delete,
    Insert(Vec<(String, Expr)>),
}

/// One WHEN of a MERGE.
#[derive(Debug, Clone)]
pub(crate) struct MergeClause {
    pub(crate) when: MergeWhen,
    pub(crate) condition: Option<Expr>,
    pub(crate) action: MergeAction,
}

/// A merge that is ready to run. Columns of expressions carry the names of target and source.
pub(crate) struct MergeChange {
    pub(crate) target_name: String,
    pub(crate) source_name: String,
    pub(crate) source: Erased<LogicalPlan>,
    pub(crate) on: Expr,
    pub(crate) clauses: Vec<MergeClause>,
    /// Whether columns that only the source has are added to the table.
    pub(crate) evolves: bool,
    /// Which kinds of change the statement that the user wrote can do.
    pub(crate) counts: fn(Changes) -> Changes,
}

#[async_trait]
impl Change for Erased<MergeChange> {
    fn touched(&self, target: &Target) -> Result<Option<LogicalPlan>, Failure> {
        touched::by_merge(target, self)
    }

    async fn write(self: Box<Self>, commit: Commit) -> Result<Written, DeltaTableError> {
        let (builder, counts) = builder(self.into_inner(), commit)?;
        let (table, metrics) = builder.await?;
        let changes = Changes {
            inserted: Some(metrics.num_target_rows_inserted as u64),
            updated: Some(metrics.num_target_rows_updated as u64),
            deleted: Some(metrics.num_target_rows_deleted as u64),
            copied: Some(metrics.num_target_rows_copied as u64),
            files_added: metrics.num_target_files_added as u64,
            files_removed: metrics.num_target_files_removed as u64,
        };
        Ok(Written {
            table,
            changes: counts(changes),
        })
    }
}

/// What the change counts, beside the operation that makes it.
type Counted = (MergeBuilder, fn(Changes) -> Changes);

fn builder(change: MergeChange, commit: Commit) -> Result<Counted, DeltaTableError> {
    let state = commit.state.delta().clone();
    let source = change.source.into_inner();
    // A source that gives other rows the second time may be read only once.
    let reads_once = is_volatile(&source);
    let on = lakesh_table::keys_row_by_row(change.on, &commit.table)?;
    let session = commit
        .state
        .accounting(&commit.table, &updated(&change.clauses))?;
    let mut builder = commit
        .table
        .merge(DataFrame::new(state, source), on)
        .with_source_alias(change.source_name)
        .with_target_alias(change.target_name)
        .with_merge_schema(change.evolves)
        .with_streaming(reads_once)
        .with_session_state(session)
        .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState)
        .with_commit_properties(commit.properties);
    for clause in change.clauses {
        builder = with_clause(builder, clause)?;
    }
    Ok((builder, change.counts))
}

/// Returns the columns to which a row of the table may get new values.
fn updated(clauses: &[MergeClause]) -> Vec<String> {
    let values = clauses.iter().filter_map(|clause| match &clause.action {
        MergeAction::Update(values) => Some(values),
        MergeAction::Delete | MergeAction::Insert(_) => None,
    });
    values.flatten().map(|(column, _)| column.clone()).collect()
}

fn with_clause(
    builder: MergeBuilder,
    clause: MergeClause,
) -> Result<MergeBuilder, DeltaTableError> {
    let condition = clause.condition;
    let update = |values: Vec<(String, Expr)>, condition: Option<Expr>| {
        move |mut update: deltalake::operations::merge::UpdateBuilder| {
            if let Some(condition) = condition {
                update = update.predicate(condition);
            }
            for (column, value) in values {
                update = update.update(column_name(column), value);
            }
            update
        }
    };
    let delete = |condition: Option<Expr>| {
        move |delete: deltalake::operations::merge::DeleteBuilder| match condition {
            Some(condition) => delete.predicate(condition),
            None => delete,
        }
    };
    match (clause.when, clause.action) {
        (MergeWhen::NotMatchedBySource, MergeAction::Update(values)) => {
            builder.when_not_matched_by_source_update(update(values, condition))
        }
        (_, MergeAction::Update(values)) => builder.when_matched_update(update(values, condition)),
        (MergeWhen::NotMatchedBySource, MergeAction::Delete) => {
            builder.when_not_matched_by_source_delete(delete(condition))
        }
        (_, MergeAction::Delete) => builder.when_matched_delete(delete(condition)),
        (_, MergeAction::Insert(values)) => builder.when_not_matched_insert(|mut insert| {
            if let Some(condition) = condition {
                insert = insert.predicate(condition);
            }
            for (column, value) in values {
                insert = insert.set(column_name(column), value);
            }
            insert
        }),
    }
}

/// Names a column as it is: the library would fold a plain text to lower case.
pub(super) fn column_name(name: String) -> datafusion::common::Column {
    datafusion::common::Column::from_name(name)
}
