//! SHOW CREATE: the statement that makes a table or view.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_catalog::Entry;
use lakesh_catalog::definition::{TableDefinition, ViewDefinition};
use lakesh_session::scope::{Found, Resolver};
use lakesh_session::{Output, Statement, StatementContext};
use lakesh_sql::TableName;
use lakesh_table::{CONSTRAINT_PREFIX, GENERATION_EXPRESSION, OpenForChange};
use lakesh_text::failure::{Failure, FailureKind, sql_type_name};
use lakesh_text::keyword::quoted_name;

use crate::columns::COMMENT;

pub(super) struct ShowCreate {
    pub(super) name: ObjectName,
}

impl ShowCreate {
    async fn text(&self, context: &StatementContext) -> Result<String, Failure> {
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        let found = Resolver::new(context).find(&name, &parts).await;
        let found = found.map_err(|failure| match parts.last() {
            Some(part) => failure.at(context.place(part.span.start)),
            None => failure,
        })?;
        match found {
            Found::Table(definition) => {
                let entry = context.session.catalog().get(&name.schema, &name.table)?;
                if matches!(entry, Some(Entry::Table { managed: true, .. })) {
                    let open = OpenForChange::open(&definition, &context.table_context()).await?;
                    return managed_text(&name, &open);
                }
                Ok(table_text(&name, &definition))
            }
            Found::View(view) => Ok(view_text(&name, &view)),
            Found::Earlier(..) | Found::Provider(_) => Err(Failure::new(
                FailureKind::Plan,
                format!("`{}` is a system table; nothing creates it", name.table),
            )),
        }
    }
}

#[async_trait]
impl Statement for ShowCreate {
    fn verb(&self) -> &'static str {
        "SHOW"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let text = self.text(context).await?;
        let schema = Schema::new(vec![Field::new("statement", DataType::Utf8, false)]);
        // A row a line, so that a screen shows lines and a pipe gets text that runs as it is.
        let column = StringArray::from(text.lines().collect::<Vec<_>>());
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)])
            .map_err(Failure::from_error)?;
        Ok(Output::batch(batch))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.text(context).await.map(drop)
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn qualified(name: &TableName) -> String {
    format!("{}.{}", quoted_name(&name.schema), quoted_name(&name.table))
}

fn table_text(name: &TableName, definition: &TableDefinition) -> String {
    let mut text = format!("CREATE EXTERNAL TABLE {}", qualified(name));
    if let Some(schema) = &definition.schema {
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| {
                let not_null = if field.is_nullable() { "" } else { " NOT NULL" };
                format!(
                    "  {} {}{not_null}",
                    quoted_name(field.name()),
                    sql_type_name(field.data_type())
                )
            })
            .collect();
        write_to(&mut text, format_args!(" (\n{}\n)", columns.join(",\n")));
    }
    write_to(
        &mut text,
        format_args!("\nSTORED AS {}", definition.format.to_uppercase()),
    );
    if !definition.partition_columns.is_empty() {
        let columns: Vec<_> = definition
            .partition_columns
            .iter()
            .map(|name| quoted_name(name))
            .collect();
        write_to(
            &mut text,
            format_args!("\nPARTITIONED BY ({})", columns.join(", ")),
        );
    }
    let locations: Vec<_> = definition
        .locations
        .iter()
        .map(|location| literal(location))
        .collect();
    match locations.as_slice() {
        [location] => write_to(&mut text, format_args!("\nLOCATION {location}")),
        many => write_to(&mut text, format_args!("\nLOCATION ({})", many.join(", "))),
    }
    if !definition.options.is_empty() {
        let options: Vec<_> = definition
            .options
            .iter()
            .map(|(key, value)| format!("{} {}", literal(key), literal(value)))
            .collect();
        write_to(
            &mut text,
            format_args!("\nOPTIONS ({})", options.join(", ")),
        );
    }
    text.push(';');
    text
}

/// Writes the statement that makes a Delta table like one in the warehouse, without its rows.
fn managed_text(name: &TableName, open: &OpenForChange) -> Result<String, Failure> {
    let schema = open.provider.schema();
    let columns = schema.fields().iter().map(|field| column_text(field));
    let (constraints, properties): (Vec<_>, Vec<_>) = open
        .properties()?
        .into_iter()
        .partition(|(key, _)| key.starts_with(CONSTRAINT_PREFIX));
    let constraints = constraints.iter().map(|(key, condition)| {
        let name = quoted_name(&key[CONSTRAINT_PREFIX.len()..]);
        format!("  CONSTRAINT {name} CHECK ({condition})")
    });
    let lines: Vec<_> = columns.chain(constraints).collect();
    let mut text = format!(
        "CREATE TABLE {} (\n{}\n)\nUSING DELTA",
        qualified(name),
        lines.join(",\n")
    );
    let partitions = open.partition_columns()?;
    if !partitions.is_empty() {
        let columns: Vec<_> = partitions.iter().map(|name| quoted_name(name)).collect();
        write_to(
            &mut text,
            format_args!("\nPARTITIONED BY ({})", columns.join(", ")),
        );
    }
    if let Some(comment) = open.comment()? {
        write_to(&mut text, format_args!("\nCOMMENT {}", literal(&comment)));
    }
    if !properties.is_empty() {
        let properties: Vec<_> = properties
            .iter()
            .map(|(key, value)| format!("{} = {}", literal(key), literal(value)))
            .collect();
        write_to(
            &mut text,
            format_args!("\nTBLPROPERTIES ({})", properties.join(", ")),
        );
    }
    text.push(';');
    Ok(text)
}

fn column_text(field: &Field) -> String {
    let mut text = format!(
        "  {} {}",
        quoted_name(field.name()),
        sql_type_name(field.data_type())
    );
    if !field.is_nullable() {
        text.push_str(" NOT NULL");
    }
    if let Some(expression) = field.metadata().get(GENERATION_EXPRESSION) {
        write_to(
            &mut text,
            format_args!(" GENERATED ALWAYS AS ({expression})"),
        );
    }
    if let Some(comment) = field.metadata().get(COMMENT) {
        write_to(&mut text, format_args!(" COMMENT {}", literal(comment)));
    }
    text
}

fn view_text(name: &TableName, view: &ViewDefinition) -> String {
    if let Some(feature) = &view.feature {
        let keys: Vec<_> = feature.keys.iter().map(|key| quoted_name(key)).collect();
        return format!(
            "CREATE FEATURE VIEW {} KEYS ({}) TIMESTAMP {} AS\n{};",
            qualified(name),
            keys.join(", "),
            quoted_name(&feature.timestamp),
            view.query.trim()
        );
    }
    let mut text = format!("CREATE VIEW {}", qualified(name));
    if !view.columns.is_empty() {
        let columns: Vec<_> = view.columns.iter().map(|name| quoted_name(name)).collect();
        write_to(&mut text, format_args!(" ({})", columns.join(", ")));
    }
    write_to(&mut text, format_args!(" AS\n{};", view.query.trim()));
    text
}

fn write_to(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    text.write_fmt(what).unwrap_or_default();
}
