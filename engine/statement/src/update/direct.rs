//! An UPDATE that reads its own rows only, through the library's own operation.

use async_trait::async_trait;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan};
use deltalake::DeltaTableError;
use deltalake::delta_datafusion::SessionFallbackPolicy;
use lakesh_session::StatementContext;
use lakesh_sql::refuse_unclaimed;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::{Assigned, Update};
use crate::mutation::{
    Change, Changes, Columns, Commit, Target, Written, is_recordable, touched_by, unqualified,
};

/// An update that is ready to run.
pub(super) struct DirectUpdate {
    condition: Option<Expr>,
    values: Vec<(String, Expr)>,
}

impl Update {
    /// Plans an update of one table; `None` if the library cannot note its condition down.
    pub(super) fn direct(
        &self,
        context: &StatementContext,
        target: &Target,
        assigned: &[Assigned],
    ) -> Result<Option<DirectUpdate>, Failure> {
        let explain = |error| context.failure(error);
        refuse_unclaimed(&self.versions).map_err(explain)?;
        let schema = target.schema();
        let qualified = target
            .qualified(&self.table.visible.value)
            .map_err(explain)?;
        let columns = Columns::new(context, qualified);
        let values = assigned
            .iter()
            .map(|assigned| {
                let field = schema.field(assigned.column);
                let value = columns.value(&assigned.value, field)?;
                Ok((field.name().clone(), unqualified(value).map_err(explain)?))
            })
            .collect::<Result<_, Failure>>()?;
        let condition = self
            .condition
            .as_ref()
            .map(|condition| columns.condition(condition))
            .transpose()?;
        if condition
            .as_ref()
            .is_some_and(|condition| !is_recordable(condition))
        {
            return Ok(None);
        }
        let condition = condition.map(unqualified).transpose().map_err(explain)?;
        Ok(Some(DirectUpdate { condition, values }))
    }
}

#[async_trait]
impl Change for Erased<DirectUpdate> {
    fn touched(&self, target: &Target) -> Result<Option<LogicalPlan>, Failure> {
        touched_by(target, self.condition.clone())
    }

    async fn write(self: Box<Self>, commit: Commit) -> Result<Written, DeltaTableError> {
        let DirectUpdate { condition, values } = self.into_inner();
        let condition = condition
            .map(|condition| lakesh_table::row_by_row(condition, &commit.table))
            .transpose()?;
        let assigned: Vec<String> = values.iter().map(|(column, _)| column.clone()).collect();
        let session = commit.state.accounting(&commit.table, &assigned)?;
        let mut builder = commit
            .table
            .update()
            .with_session_state(session)
            .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState)
            .with_commit_properties(commit.properties);
        if let Some(condition) = condition {
            builder = builder.with_predicate(condition);
        }
        for (column, value) in values {
            builder = builder.with_update(Column::from_name(column), value);
        }
        let (table, metrics) = builder.await?;
        Ok(Written {
            table,
            changes: Changes {
                updated: Some(metrics.num_updated_rows as u64),
                copied: Some(metrics.num_copied_rows as u64),
                files_added: metrics.num_added_files as u64,
                files_removed: metrics.num_removed_files as u64,
                ..Changes::default()
            },
        })
    }
}
