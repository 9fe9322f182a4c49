//! The columns that CREATE TABLE and ALTER TABLE define: names, types, and what Delta keeps beside them.

use std::collections::HashMap;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::DFSchema;
use datafusion::logical_expr::ExprSchemable;
use datafusion::sql::sqlparser::ast::{ColumnDef, ColumnOption, Expr as SqlExpr};
use lakesh_session::StatementContext;
use lakesh_session::scope::{column_schema, find_name, spelled_expression};
use lakesh_sql::{portable, word};
use lakesh_table::GENERATION_EXPRESSION;
use lakesh_text::failure::{Failure, FailureKind, sql_type_name};

use crate::mutation::{Columns, has_subquery};

/// The key of a column's metadata that holds its comment.
pub(super) const COMMENT: &str = "comment";

/// Finds the columns that files are put apart by, as a schema spells them.
pub(crate) fn partition_columns(
    context: &StatementContext,
    names: &[String],
    schema: &Schema,
) -> Result<Vec<String>, Failure> {
    names
        .iter()
        .map(|name| {
            let fields = schema.fields().iter().map(|field| field.name().as_str());
            let found = find_name(context, fields, &word(name))?;
            found.ok_or_else(|| lakesh_table::unknown_partition_column(name, schema))
        })
        .collect()
}

/// Turns definitions into the columns of a Delta table.
pub(super) fn defined_columns(
    context: &StatementContext,
    definitions: &[ColumnDef],
) -> Result<Schema, Failure> {
    let plain = column_schema(&context.state, definitions.to_vec())
        .map_err(|error| context.failure(error))?;
    let fields = definitions
        .iter()
        .zip(plain.fields())
        .map(|(definition, field)| {
            let metadata = metadata(context, definition, field, &plain)?;
            Ok(field.as_ref().clone().with_metadata(metadata))
        })
        .collect::<Result<Vec<Field>, Failure>>()?;
    Ok(Schema::new(fields))
}

fn metadata(
    context: &StatementContext,
    definition: &ColumnDef,
    field: &Field,
    all: &Schema,
) -> Result<HashMap<String, String>, Failure> {
    let mut metadata = HashMap::new();
    for option in &definition.options {
        match &option.option {
            ColumnOption::Null | ColumnOption::NotNull => {}
            ColumnOption::Comment(text) => {
                metadata.insert(COMMENT.to_owned(), text.clone());
            }
            ColumnOption::Generated {
                generation_expr: Some(expression),
                ..
            } => {
                check_generated(context, expression, field, all)
                    .map_err(|failure| failure.at_unless_placed(context, definition))?;
                let schema =
                    DFSchema::try_from(all.clone()).map_err(|error| context.failure(error))?;
                let spelled = spelled_expression(context, &schema, expression)?;
                metadata.insert(GENERATION_EXPRESSION.to_owned(), portable(&spelled));
            }
            other => return Err(refused(other, definition, context)),
        }
    }
    Ok(metadata)
}

/// Checks that a generated column can be computed from the others and has their type.
fn check_generated(
    context: &StatementContext,
    expression: &SqlExpr,
    field: &Field,
    all: &Schema,
) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::new(FailureKind::Plan, message));
    if has_subquery(expression) {
        return refuse("a generated column cannot be computed by a query".to_owned());
    }
    let others: Vec<_> = all
        .fields()
        .iter()
        .filter(|other| other.name() != field.name())
        .cloned()
        .collect();
    let schema = DFSchema::try_from(Schema::new(others)).map_err(|error| context.failure(error))?;
    let columns = Columns::for_storage(context, schema);
    let planned = columns.expression(expression)?;
    let found = planned
        .get_type(columns.schema())
        .map_err(|error| context.failure(error))?;
    if found.equals_datatype(field.data_type()) {
        return Ok(());
    }
    let (found, wanted) = (sql_type_name(&found), sql_type_name(field.data_type()));
    if found == wanted {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Plan,
        format!(
            "column `{}` is {wanted}, but its expression gives {found}",
            field.name()
        ),
    )
    .hint(format!(
        "GENERATED ALWAYS AS (CAST({expression} AS {wanted}))"
    )))
}

fn refused(option: &ColumnOption, definition: &ColumnDef, context: &StatementContext) -> Failure {
    let (what, hint) = match option {
        ColumnOption::Default(_) => (
            "a DEFAULT, which cannot be written to Delta tables yet",
            "name the value in INSERT, or make it a generated column",
        ),
        ColumnOption::Check(_) => (
            "a CHECK of its own",
            "write it behind the columns: CONSTRAINT name CHECK (condition)",
        ),
        ColumnOption::PrimaryKey(_) | ColumnOption::Unique(_) | ColumnOption::ForeignKey(_) => (
            "a key, which Delta tables do not have",
            "MERGE keeps rows unique by a condition",
        ),
        ColumnOption::Generated { .. } | ColumnOption::Identity(_) => (
            "an identity, which cannot be written to Delta tables yet",
            "compute the number in the query: row_number() OVER ()",
        ),
        _ => (
            "an option that Delta tables do not have",
            "NOT NULL, COMMENT and GENERATED ALWAYS AS can stand behind a column's type",
        ),
    };
    Failure::new(
        FailureKind::Plan,
        format!("column `{}` has {what}", definition.name.value),
    )
    .hint(hint)
    .at(context.place(definition.name.span.start))
}

trait Placed {
    fn at_unless_placed(self, context: &StatementContext, definition: &ColumnDef) -> Failure;
}

impl Placed for Failure {
    /// Puts a failure at a column's definition unless it knows a better place.
    fn at_unless_placed(self, context: &StatementContext, definition: &ColumnDef) -> Failure {
        match self.place {
            Some(_) => self,
            None => self.at(context.place(definition.name.span.start)),
        }
    }
}
