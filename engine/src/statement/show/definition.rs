//! SHOW CREATE: the statement that makes a table or view.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::sqlparser::ast::ObjectName;

use crate::definition::{TableDefinition, ViewDefinition};
use crate::failure::{Failure, FailureKind, sql_type_name};
use crate::scope::{Found, Resolver, TableName};
use crate::session::{Output, StatementContext};
use crate::statement::Statement;

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
            Found::Table(definition) => Ok(table_text(&name, &definition)),
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
        let column = StringArray::from(vec![text]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)])
            .map_err(Failure::from_error)?;
        Ok(Output::batch(batch))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.text(context).await.map(drop)
    }
}

/// Quotes an identifier where it is not a plain word in lower case.
fn identifier(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn qualified(name: &TableName) -> String {
    format!("{}.{}", identifier(&name.schema), identifier(&name.table))
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
                    identifier(field.name()),
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
            .map(|name| identifier(name))
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
    text
}

fn view_text(name: &TableName, view: &ViewDefinition) -> String {
    let mut text = format!("CREATE VIEW {}", qualified(name));
    if !view.columns.is_empty() {
        let columns: Vec<_> = view.columns.iter().map(|name| identifier(name)).collect();
        write_to(&mut text, format_args!(" ({})", columns.join(", ")));
    }
    write_to(&mut text, format_args!(" AS\n{}", view.query.trim()));
    text
}

fn write_to(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    text.write_fmt(what).unwrap_or_default();
}
