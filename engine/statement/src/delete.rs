//! DELETE FROM: removes the rows for which a condition holds.

use async_trait::async_trait;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, lit};
use datafusion::sql::sqlparser::ast::{
    Delete as ParsedDelete, Expr as SqlExpr, FromTable, ObjectName, Statement as SqlStatement,
};
use deltalake::DeltaTableError;
use deltalake::delta_datafusion::SessionFallbackPolicy;
use lakesh_session::{Statement, StatementContext, StatementKind};
use lakesh_sql::{ChangedTable, Selection, VersionClauses, refuse_unclaimed, without_joins};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::mutating::{Mutating, refuse_extras};
use crate::mutation::{
    Change, Changes, Columns, Commit, ContentKey, MergeAction, MergeChange, MergeClause, MergeWhen,
    Mutation, Target, Written, has_subquery, is_recordable, mentioned_columns, touched_by,
    unqualified,
};

/// The statement `DELETE`.
pub static DELETE: StatementKind = StatementKind {
    name: "DELETE",
    usage: "DELETE FROM name [AS alias] [WHERE condition]",
    summary: "Removes rows of a Delta table: those for which the condition holds, or all.",
    examples: &[
        "CREATE TABLE t (id INT, name VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
         DELETE FROM t WHERE id = 1; DELETE FROM t WHERE id IN (SELECT 2); SELECT * FROM t;",
    ],
    parse: |parser| {
        if !parser.peeks(&["delete"]) {
            return Ok(None);
        }
        let mut parsed = parser.sql().parse_statement()?;
        parser.complete(&mut parsed)?;
        let SqlStatement::Delete(delete) = parsed else {
            return parser.expected("DELETE");
        };
        let mut versions = parser.take_versions();
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let [table] = from.as_slice() else {
            return parser.expected("one table");
        };
        refuse(&delete, !table.joins.is_empty())?;
        let table = ChangedTable::new(table.relation.clone(), &mut versions)?;
        Ok(Some(Box::new(Mutating(Delete {
            table,
            condition: delete.selection,
            versions,
        })) as Box<dyn Statement>))
    },
};

fn refuse(delete: &ParsedDelete, joins: bool) -> lakesh_sql::ParseResult<()> {
    refuse_extras(
        "DELETE",
        &[
            (
                "USING",
                delete.using.is_some() || joins || !delete.tables.is_empty(),
            ),
            (
                "RETURNING",
                delete.returning.is_some() || delete.output.is_some(),
            ),
            ("ORDER BY", !delete.order_by.is_empty()),
            ("LIMIT", delete.limit.is_some()),
        ],
    )
}

/// A DELETE as it was written.
pub(super) struct Delete {
    pub(super) table: ChangedTable,
    pub(super) condition: Option<SqlExpr>,
    pub(super) versions: VersionClauses,
}

impl Delete {
    /// Plans a delete whose condition the library evaluates itself.
    fn direct(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Option<DirectDelete>, Failure> {
        let Some(condition) = &self.condition else {
            return Ok(Some(DirectDelete { condition: None }));
        };
        if has_subquery(condition) {
            return Ok(None);
        }
        refuse_unclaimed(&self.versions).map_err(|error| context.failure(error))?;
        let columns = target
            .qualified(&self.table.visible.value)
            .map(|schema| Columns::new(context, schema))
            .map_err(|error| context.failure(error))?;
        let condition = columns.condition(condition)?;
        if !is_recordable(&condition) {
            return Ok(None);
        }
        let condition = unqualified(condition).map_err(|error| context.failure(error))?;
        if let Expr::Literal(value, _) = &condition {
            let holds = *value == ScalarValue::Boolean(Some(true));
            return Ok(Some(DirectDelete {
                condition: (!holds).then(|| lit(false)),
            }));
        }
        if is_left_to_the_log(&condition, &target.partitions) {
            return Ok(None);
        }
        Ok(Some(DirectDelete {
            condition: Some(condition),
        }))
    }

    /// Plans a delete as a merge on the columns that decide.
    async fn keyed(
        &self,
        context: &StatementContext,
        target: &Target,
        condition: &SqlExpr,
    ) -> Result<MergeChange, Failure> {
        let key = ContentKey::new(target, &mentioned_columns(&[condition]));
        let query = Selection {
            distinct: true,
            items: key.selected(&self.table.visible),
            from: vec![without_joins(self.table.factor.clone())],
            condition: Some(condition.clone()),
        };
        let query = query
            .query(self.versions.clone())
            .map_err(|error| context.failure(error))?;
        let source = context.plan(query).await?;
        Ok(key.merge(
            source,
            MergeClause {
                when: MergeWhen::Matched,
                condition: None,
                action: MergeAction::Delete,
            },
            |changes| Changes {
                inserted: None,
                updated: None,
                ..changes
            },
        ))
    }
}

#[async_trait]
impl Mutation for Delete {
    fn verb(&self) -> &'static str {
        "DELETE"
    }

    fn target(&self) -> &ObjectName {
        &self.table.name
    }

    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure> {
        match (self.direct(context, target)?, &self.condition) {
            (Some(direct), _) => Ok(Box::new(Erased::new(direct))),
            (None, Some(condition)) => {
                let change = self.keyed(context, target, condition).await?;
                Ok(Box::new(Erased::new(change)))
            }
            (None, None) => Ok(Box::new(Erased::new(DirectDelete { condition: None }))),
        }
    }
}

/// A delete through the library's own operation.
struct DirectDelete {
    condition: Option<Expr>,
}

#[async_trait]
impl Change for Erased<DirectDelete> {
    fn touched(&self, target: &Target) -> Result<Option<LogicalPlan>, Failure> {
        touched_by(target, self.condition.clone())
    }

    async fn write(self: Box<Self>, commit: Commit) -> Result<Written, DeltaTableError> {
        let condition = self.into_inner().condition;
        let condition = condition
            .map(|condition| lakesh_table::row_by_row(condition, &commit.table))
            .transpose()?;
        let session = commit.state.accounting(&commit.table, &[])?;
        let mut builder = commit
            .table
            .delete()
            .with_session_state(session)
            .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState)
            .with_commit_properties(commit.properties);
        if let Some(condition) = condition {
            builder = builder.with_predicate(condition);
        }
        let (table, metrics) = builder.await?;
        Ok(Written {
            table,
            changes: Changes {
                deleted: metrics.num_deleted_rows.map(|rows| rows as u64),
                copied: Some(metrics.num_copied_rows as u64),
                files_added: metrics.num_added_files as u64,
                files_removed: metrics.num_removed_files as u64,
                ..Changes::default()
            },
        })
    }
}

/// Says whether the library would not evaluate a condition row by row, but ask its log's reader.
///
/// For conditions over partition columns alone, or over no column at all once they are simplified, it
/// removes every file of which that reader cannot tell (deltalake-core 1.1.3, `delete.rs`). Plain
/// comparisons the reader does know.
fn is_left_to_the_log(condition: &Expr, partitions: &[String]) -> bool {
    let mut columns = condition.column_refs().into_iter();
    if columns.all(|column| partitions.contains(&column.name)) {
        return !is_plain(condition);
    }
    // With a NULL in it the rest may turn out to be constant.
    condition
        .exists(|part| Ok(matches!(part, Expr::Literal(value, _) if value.is_null())))
        .unwrap_or(true)
}

/// Says whether a condition compares columns with constants that are not NULL, and nothing else.
fn is_plain(condition: &Expr) -> bool {
    let is_constant =
        |expression: &Expr| matches!(expression, Expr::Literal(value, _) if !value.is_null());
    let is_column = |expression: &Expr| matches!(expression, Expr::Column(_));
    match condition {
        Expr::BinaryExpr(binary) => match binary.op {
            Operator::And | Operator::Or => is_plain(&binary.left) && is_plain(&binary.right),
            Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                is_column(&binary.left) && is_constant(&binary.right)
            }
            _ => false,
        },
        Expr::InList(list) => {
            !list.negated && is_column(&list.expr) && list.list.iter().all(is_constant)
        }
        Expr::IsNull(column) | Expr::IsNotNull(column) => is_column(column),
        _ => false,
    }
}
