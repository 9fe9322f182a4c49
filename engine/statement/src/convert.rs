//! CONVERT TO DELTA: makes a Delta table of a folder of Parquet files, where they lie.

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{ColumnDef, ObjectName};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_catalog::definition::{DELTA, TableDefinition};
use lakesh_catalog::{Entry, EntryKind};
use lakesh_event::event::Summary;
use lakesh_session::scope::{Found, Resolver};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, StatementParser, TableName};
use lakesh_text::failure::{Failure, FailureKind};

use super::columns::defined_columns;

/// The statement `CONVERT TO DELTA`.
pub static CONVERT: StatementKind = StatementKind {
    name: "CONVERT TO DELTA",
    usage: "CONVERT TO DELTA 'folder or URL' | name [PARTITIONED BY (column type, …)]",
    summary: "Makes a Delta table of Parquet files, where they lie; PARTITIONED BY names the columns that the folders hold.",
    examples: &[
        "COPY (SELECT value, value % 2 AS odd FROM generate_series(1, 10)) TO 'numbers' STORED AS PARQUET PARTITIONED BY (odd); \
         CONVERT TO DELTA 'numbers' PARTITIONED BY (odd BIGINT); SELECT * FROM 'numbers' VERSION AS OF 0;",
    ],
    parse: |parser| {
        if !parser.peeks(&["convert", "to", "delta"]) {
            return Ok(None);
        }
        parser.accept(&["convert", "to", "delta"]);
        parse(parser).map(|convert| Some(Box::new(convert) as Box<dyn Statement>))
    },
};

fn parse(parser: &mut StatementParser) -> ParseResult<Convert> {
    let is_path = matches!(
        parser.sql().peek_token_ref().token,
        Token::SingleQuotedString(_)
    );
    let files = match is_path {
        true => Files::Path(parser.string()?),
        false => Files::Table(parser.name()?),
    };
    let mut partitions = Vec::new();
    if parser.accept(&["partitioned", "by"]) {
        parser.sql().expect_token(&Token::LParen)?;
        partitions = parser
            .sql()
            .parse_comma_separated(Parser::parse_column_def)?;
        parser.sql().expect_token(&Token::RParen)?;
    }
    if parser.sql().peek_token_ref().token != Token::EOF && parser.peeks(&["no", "statistics"]) {
        return Err(DataFusionError::NotImplemented(
            "CONVERT TO DELTA … NO STATISTICS is not supported: statistics are what makes reading fast"
                .to_owned(),
        ));
    }
    Ok(Convert { files, partitions })
}

enum Files {
    Path(String),
    Table(ObjectName),
}

struct Convert {
    files: Files,
    partitions: Vec<ColumnDef>,
}

impl Convert {
    /// Finds the folder, and the catalog's name for it if it has one.
    async fn definition(
        &self,
        context: &StatementContext,
    ) -> Result<(TableDefinition, Option<TableName>), Failure> {
        let name = match &self.files {
            Files::Path(path) => {
                return Ok((TableDefinition::delta(context.absolute(path)?), None));
            }
            Files::Table(name) => name,
        };
        let (name, parts) = TableName::from_object(name, context.current_schema())?;
        let shown = name.shown(context.current_schema());
        let refuse = |what: &str| {
            Failure::new(
                FailureKind::Plan,
                format!(
                    "`{shown}` is {what}; only a table of Parquet files can become a Delta table"
                ),
            )
        };
        match Resolver::new(context).find(&name, &parts).await? {
            Found::Table(definition) if definition.format == "parquet" => {
                let definition = TableDefinition {
                    format: DELTA.to_owned(),
                    schema: None,
                    partition_columns: Vec::new(),
                    ..definition
                };
                Ok((definition, Some(name)))
            }
            Found::Table(definition) => Err(refuse(&format!(
                "a table of format `{}`",
                definition.format
            ))),
            Found::View(_) => Err(refuse("a view")),
            Found::Earlier(..) => Err(refuse("an earlier result")),
            Found::Provider(_) => Err(refuse("a system table")),
        }
    }
}

#[async_trait]
impl Statement for Convert {
    fn verb(&self) -> &'static str {
        "CONVERT TO DELTA"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let partitions = defined_columns(context, &self.partitions)?;
        let (definition, name) = self.definition(context).await?;
        let files = context.convert_to_delta(&definition, partitions).await?;
        if let Some(name) = name {
            let catalog = context.session.catalog();
            catalog.alter(&name.schema, &name.table, EntryKind::Table, |entry| {
                if let Entry::Table {
                    definition: known, ..
                } = entry
                {
                    known.clone_from(&definition);
                }
            })?;
        }
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![("files".to_owned(), files), ("version".to_owned(), 0)],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        defined_columns(context, &self.partitions)?;
        match &self.files {
            Files::Path(path) => context.absolute(path).map(drop),
            Files::Table(_) => self.definition(context).await.map(drop),
        }
    }
}
