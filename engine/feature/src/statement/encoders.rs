//! DROP ENCODER, DESCRIBE ENCODER and EXPORT ENCODER; SHOW ENCODERS stands with SHOW.

use std::ops::ControlFlow;

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{ObjectName, Value, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_session::scope::StoredEncoder;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, StatementParser, TableName, parse_query};
use lakesh_statement::describe::provider_output;
use lakesh_text::failure::Failure;

use super::transform::encoder_text;
use crate::table_function::encoder::encoder_outputs;

/// The statement `DROP ENCODER`.
pub static DROP_ENCODER: StatementKind = StatementKind {
    name: "DROP ENCODER",
    usage: "DROP ENCODER [IF EXISTS] name",
    summary: "Removes an encoder with all its versions.",
    examples: &["DROP ENCODER IF EXISTS te;"],
    parse: |parser| {
        if !parser.accept(&["drop", "encoder"]) {
            return Ok(None);
        }
        let if_exists = parser.if_exists();
        let name = parser.name()?;
        Ok(Some(Box::new(DropEncoder { name, if_exists })))
    },
};

struct DropEncoder {
    name: ObjectName,
    if_exists: bool,
}

impl DropEncoder {
    /// Returns the name, and the failure for the case that there is no such encoder.
    fn named(&self, context: &StatementContext) -> Result<(TableName, Failure), Failure> {
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        let catalog = context.session.catalog();
        let missing = catalog.encoder_not_found(&name.schema, &name.table, None);
        let mut missing = Failure::from(missing);
        if let Some(part) = parts.last() {
            missing = missing.at(context.place(part.span.start));
        }
        Ok((name, missing))
    }
}

#[async_trait]
impl Statement for DropEncoder {
    fn verb(&self) -> &'static str {
        "DROP ENCODER"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, missing) = self.named(context)?;
        let catalog = context.session.catalog();
        if !catalog.drop_encoder(&name.schema, &name.table)? {
            if !self.if_exists {
                return Err(missing);
            }
            let notice = format!("`{}` is not there; nothing was dropped", name.table);
            context.notice(notice).await?;
        }
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, missing) = self.named(context)?;
        let known = match context.assumed_encoder(&name) {
            Some(assumed) => assumed.is_some(),
            None => {
                let catalog = context.session.catalog();
                catalog.encoder(&name.schema, &name.table, None)?.is_some()
            }
        };
        if !known && !self.if_exists {
            return Err(missing);
        }
        context.assume_encoder(name, None);
        Ok(())
    }
}

/// The statement `DESCRIBE ENCODER`.
pub static DESCRIBE_ENCODER: StatementKind = StatementKind {
    name: "DESCRIBE ENCODER",
    usage: "DESCRIBE ENCODER name[@v1]",
    summary: "Shows the outputs of an encoder, what they were told, and on which rows they were fitted.",
    examples: &[
        "CREATE ENCODER bins AS SELECT quantile_bins(value, 4) AS quarter FROM generate_series(1, 100); \
         DESCRIBE ENCODER bins;",
    ],
    parse: |parser| {
        if !parser.accept(&["describe", "encoder"]) && !parser.accept(&["desc", "encoder"]) {
            return Ok(None);
        }
        let location = parser.sql().peek_token_ref().span.start;
        let name = parser.name()?;
        Ok(Some(Box::new(DescribeEncoder {
            encoder: encoder_text(&name),
            location,
        })))
    },
};

struct DescribeEncoder {
    encoder: String,
    location: Location,
}

#[async_trait]
impl Statement for DescribeEncoder {
    fn verb(&self) -> &'static str {
        "DESCRIBE ENCODER"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let encoder = StoredEncoder::find(&self.encoder, context.current_schema(), context)
            .map_err(|failure| failure.at(context.place(self.location)))?;
        provider_output(context, encoder_outputs(context, &encoder)?)
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        StoredEncoder::find(&self.encoder, context.current_schema(), context)
            .map(drop)
            .map_err(|failure| failure.at(context.place(self.location)))
    }
}

/// The statement `EXPORT ENCODER`.
pub static EXPORT_ENCODER: StatementKind = StatementKind {
    name: "EXPORT ENCODER",
    usage: "EXPORT ENCODER name[@v1] TO 'file' [STORED AS PARQUET | CSV | JSON | ARROW | DELTA] [OPTIONS (…)]",
    summary: "Writes what an encoder learned to a file, a row a category or bin: COPY of encoder_values('name').",
    examples: &[
        "CREATE ENCODER bins AS SELECT quantile_bins(value, 4) AS quarter FROM generate_series(1, 100); \
         EXPORT ENCODER bins TO 'bins.parquet'; SELECT lower, upper, value FROM 'bins.parquet';",
    ],
    parse: |parser| {
        if !parser.accept(&["export", "encoder"]) {
            return Ok(None);
        }
        let name = parser.name()?;
        export(parser, &encoder_text(&name)).map(Some)
    },
};

/// Reads the target, and copies what `encoder_values` returns to it.
fn export(parser: &mut StatementParser, encoder: &str) -> ParseResult<Box<dyn Statement>> {
    let mut query = parse_query("SELECT * FROM encoder_values('name')")?;
    if let datafusion::sql::parser::Statement::Statement(statement) = &mut query.tree {
        // The visitor never breaks.
        let _: ControlFlow<()> = statement.visit(&mut Named(encoder));
    }
    lakesh_statement::copy::copy_of(query, "EXPORT ENCODER", parser)
}

/// Puts a name in the place of the only text.
struct Named<'a>(&'a str);

impl VisitorMut for Named<'_> {
    type Break = ();

    fn pre_visit_value(
        &mut self,
        value: &mut datafusion::sql::sqlparser::ast::ValueWithSpan,
    ) -> ControlFlow<()> {
        value.value = Value::SingleQuotedString(self.0.to_owned());
        ControlFlow::Continue(())
    }
}
