//! CREATE EXTERNAL TABLE: a name for files that lie somewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::parser::{CreateExternalTable as Parsed, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::Value;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_catalog::{Created, Entry, OnConflict};
use lakesh_session::scope::column_schema;
use lakesh_session::{Output, Overlay, Statement, StatementContext, StatementKind};
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind};

/// The statement `CREATE EXTERNAL TABLE`.
pub static CREATE_EXTERNAL_TABLE: StatementKind = StatementKind {
    name: "CREATE EXTERNAL TABLE",
    usage: "CREATE [OR REPLACE] EXTERNAL TABLE [IF NOT EXISTS] name [(column type, …)]\n\
            STORED AS PARQUET | DELTA | CSV | JSON | ARROW | AVRO\n\
            [PARTITIONED BY (column, …)] LOCATION 'path or URL' | ('…', …)\n\
            [OPTIONS ('key' 'value', …)]",
    summary: "Gives files that are there already a name in the catalog.",
    examples: &["COPY (SELECT 1 AS n) TO 'one.parquet'; \
         CREATE EXTERNAL TABLE one STORED AS PARQUET LOCATION 'one.parquet'; SELECT * FROM one;"],
    parse: |parser| {
        let comes_next = [
            &["create", "external"][..],
            &["create", "or", "replace", "external"],
            &["create", "unbounded", "external"],
            &["create", "or", "replace", "unbounded", "external"],
        ]
        .iter()
        .any(|words| parser.peeks(words));
        if !comes_next {
            return Ok(None);
        }
        match parser.datafusion().parse_statement()? {
            ParsedStatement::CreateExternalTable(parsed) => {
                Ok(Some(Box::new(CreateExternalTable { parsed })))
            }
            _ => parser.expected("CREATE EXTERNAL TABLE"),
        }
    },
};

struct CreateExternalTable {
    parsed: Parsed,
}

impl CreateExternalTable {
    fn definition(&self, context: &StatementContext) -> Result<TableDefinition, Failure> {
        let parsed = &self.parsed;
        let refused = [
            ("UNBOUNDED", parsed.unbounded),
            ("TEMPORARY", parsed.temporary),
            ("WITH ORDER", !parsed.order_exprs.is_empty()),
            ("a table constraint", !parsed.constraints.is_empty()),
        ];
        if let Some((what, _)) = refused.iter().find(|(_, present)| *present) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("{what} is not supported for an external table"),
            ));
        }
        let schema = if parsed.columns.is_empty() {
            None
        } else {
            let schema = column_schema(&context.state, parsed.columns.clone())
                .map_err(|error| context.failure(error))?;
            Some(Arc::new(schema))
        };
        let locations = parsed
            .locations
            .iter()
            .map(|location| context.absolute(location))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(TableDefinition {
            format: parsed.file_type.to_lowercase(),
            locations,
            options: options(&parsed.options)?,
            schema,
            partition_columns: parsed.table_partition_cols.clone(),
            comment: None,
        })
    }

    fn on_conflict(&self) -> OnConflict {
        match (self.parsed.if_not_exists, self.parsed.or_replace) {
            (true, _) => OnConflict::Skip,
            (false, true) => OnConflict::Replace,
            (false, false) => OnConflict::Fail,
        }
    }
}

fn options(parsed: &[(String, Value)]) -> Result<BTreeMap<String, String>, Failure> {
    parsed
        .iter()
        .map(|(key, value)| {
            let text = match value {
                Value::SingleQuotedString(text)
                | Value::DoubleQuotedString(text)
                | Value::EscapedStringLiteral(text)
                | Value::Number(text, _) => text.clone(),
                Value::Boolean(value) => value.to_string(),
                other => {
                    return Err(Failure::new(
                        FailureKind::Plan,
                        format!("`{other}` is not an option's value"),
                    ));
                }
            };
            let key = key.to_lowercase();
            let key = key.strip_prefix("format.").unwrap_or(&key).to_owned();
            Ok((key, text))
        })
        .collect()
}

#[async_trait]
impl Statement for CreateExternalTable {
    fn verb(&self) -> &'static str {
        "CREATE EXTERNAL TABLE"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.parsed.name, context.current_schema())?;
        let definition = self.definition(context)?;
        let catalog = context.session.catalog();
        // Opening it now tells of a wrong location before a query does.
        let skips = self.parsed.if_not_exists && catalog.get(&name.schema, &name.table)?.is_some();
        if !skips {
            lakesh_table::open(&definition, TableVersion::Latest, &context.table_context()).await?;
        }
        let entry = Entry::Table {
            definition,
            managed: false,
        };
        let created = catalog.create(&name.schema, &name.table, &entry, self.on_conflict())?;
        if created == Created::Skipped {
            context
                .notice(format!(
                    "table `{}` is there already; nothing was changed",
                    name.table
                ))
                .await?;
        }
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.parsed.name, context.current_schema())?;
        let definition = self.definition(context)?;
        let assumed = definition
            .locations
            .iter()
            .find_map(|location| context.assumed_path(location));
        let provider = match assumed {
            Some(provider) => provider,
            None => {
                let at = TableVersion::Latest;
                lakesh_table::open(&definition, at, &context.table_context())
                    .await?
                    .provider
            }
        };
        context.assume(name, Overlay::Table(provider));
        Ok(())
    }
}
