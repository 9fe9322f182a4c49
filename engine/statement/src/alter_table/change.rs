//! The changes of ALTER TABLE, each through the library's own operation.

use std::collections::HashMap;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{ColumnDef, Expr as SqlExpr};
use deltalake::DeltaTableError;
use deltalake::kernel::{MetadataValue, StructField};
use deltalake::operations::update_table_metadata::TableMetadataUpdate;
use lakesh_session::StatementContext;
use lakesh_session::scope::spelled_expression;
use lakesh_table::{GENERATION_EXPRESSION, stored_columns};
use lakesh_text::failure::{Failure, FailureKind};

use super::super::columns::{COMMENT, defined_columns};
use crate::mutation::{Change, Changes, Columns, Commit, Target, Written};

/// A change that is ready to be made.
pub(super) enum Alteration {
    AddColumns(Vec<StructField>),
    AddConstraint(String, String),
    DropConstraint { name: String, if_exists: bool },
    DropNotNull(String),
    Comment(String, String),
    CommentTable(String),
    SetProperties(HashMap<String, String>),
}

/// Checks new columns: rows that are there have NULL in them.
pub(super) fn added(
    context: &StatementContext,
    target: &Target,
    definitions: &[ColumnDef],
) -> Result<Alteration, Failure> {
    let schema = defined_columns(context, definitions)?;
    let existing = target.schema();
    for (definition, field) in definitions.iter().zip(schema.fields()) {
        let refuse = |message: String| {
            let place = context.place(definition.name.span.start);
            Failure::new(FailureKind::Plan, message).at(place)
        };
        let name = field.name();
        let taken = existing
            .fields()
            .iter()
            .any(|known| known.name().eq_ignore_ascii_case(name));
        if taken {
            return Err(refuse(format!(
                "table `{}` has a column `{name}` already",
                target.shown
            )));
        }
        if !field.is_nullable() {
            return Err(refuse(format!(
                "the new column `{name}` cannot be NOT NULL: it is NULL in the rows that are there"
            )));
        }
        if field.metadata().contains_key(GENERATION_EXPRESSION) {
            return Err(refuse(format!(
                "the new column `{name}` cannot be generated; only CREATE TABLE can make such columns"
            )));
        }
    }
    let columns = stored_columns(&schema).map_err(Failure::from_error)?;
    Ok(Alteration::AddColumns(columns.fields().cloned().collect()))
}

/// Checks a CHECK constraint against the table's columns.
pub(super) fn constraint(
    context: &StatementContext,
    target: &Target,
    name: &str,
    condition: &SqlExpr,
) -> Result<Alteration, Failure> {
    let schema = target
        .qualified(&target.shown)
        .map_err(|error| context.failure(error))?;
    let spelled = spelled_expression(context, &schema, condition)?;
    Columns::new(context, schema).condition(condition)?;
    Ok(Alteration::AddConstraint(
        name.to_owned(),
        lakesh_sql::portable(&spelled),
    ))
}

#[async_trait]
impl Change for Alteration {
    fn touched(&self, _target: &Target) -> Result<Option<LogicalPlan>, Failure> {
        Ok(None)
    }

    async fn write(self: Box<Self>, commit: Commit) -> Result<Written, DeltaTableError> {
        let (table, properties) = (commit.table, commit.properties);
        let table = match *self {
            Self::AddColumns(fields) => {
                let builder = table.add_columns().with_fields(fields);
                builder.with_commit_properties(properties).await?
            }
            Self::AddConstraint(name, condition) => {
                let builder = table
                    .add_constraint()
                    .with_constraint(name, condition)
                    .with_session_state(commit.state.session());
                builder.with_commit_properties(properties).await?
            }
            Self::DropConstraint { name, if_exists } => {
                let builder = table
                    .drop_constraints()
                    .with_constraint(name)
                    .with_raise_if_not_exists(!if_exists);
                builder.with_commit_properties(properties).await?
            }
            Self::DropNotNull(column) => {
                let builder = table.drop_column_not_null().with_column(column);
                builder.with_commit_properties(properties).await?
            }
            Self::Comment(column, text) => {
                let comment = (COMMENT.to_owned(), MetadataValue::String(text));
                let builder = table
                    .update_field_metadata()
                    .with_field_name(&column)
                    .with_metadata(HashMap::from([comment]));
                builder.with_commit_properties(properties).await?
            }
            Self::CommentTable(text) => {
                let update = TableMetadataUpdate {
                    name: None,
                    description: Some(text),
                };
                let builder = table.update_table_metadata().with_update(update);
                builder.with_commit_properties(properties).await?
            }
            Self::SetProperties(values) => {
                let builder = table
                    .set_tbl_properties()
                    .with_properties(values)
                    .with_raise_if_not_exists(false);
                builder.with_commit_properties(properties).await?
            }
        };
        Ok(Written {
            table,
            changes: Changes::default(),
        })
    }
}
