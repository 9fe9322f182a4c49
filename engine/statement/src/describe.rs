//! DESCRIBE: the columns of a table, a view, a file or a query.

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::{
    Output, Statement, StatementContext, StatementKind, columns_provider, starts_query,
};
use lakesh_sql::{ParseResult, Query, StatementParser, syntax_error};
use lakesh_text::failure::Failure;
use std::sync::Arc;

/// The statement `DESCRIBE`.
pub static DESCRIBE: StatementKind = StatementKind {
    name: "DESCRIBE",
    usage: "DESCRIBE | DESC [TABLE] name | 'file' | query\nSHOW COLUMNS FROM name",
    summary: "Lists the columns of a table, a view, a file or a query with their types.",
    examples: &[
        "CREATE VIEW one AS SELECT 1 AS n; DESCRIBE one;",
        "DESCRIBE SELECT 1 AS n;",
    ],
    parse: |parser| {
        if !parser.accept(&["describe"]) && !parser.accept(&["desc"]) {
            return Ok(None);
        }
        parser.accept(&["table"]);
        let is_extended = parser.peeks(&["extended"]) || parser.peeks(&["formatted"]);
        if is_extended && matches!(parser.sql().peek_nth_token_ref(1).token, Token::Word(_)) {
            let place = parser.sql().peek_token_ref().span.start;
            return Err(syntax_error(
                "DESCRIBE EXTENDED is not supported; DESCRIBE lists the columns, DESCRIBE DETAIL says where a Delta table lies and what it has",
                place,
            ));
        }
        Ok(Some(Box::new(Describe {
            query: parse_relation(parser)?,
        })))
    },
};

/// Reads a query, or a table's name, file or function call, which stands for `FROM` it.
pub(super) fn parse_relation(parser: &mut StatementParser) -> ParseResult<Query> {
    if starts_query(parser) {
        return parser.query();
    }
    parser.parse_from_tail()
}

/// Returns the plan that lists a schema's columns.
pub(super) fn columns_output(
    context: &StatementContext,
    schema: &SchemaRef,
) -> Result<Output, Failure> {
    let provider = columns_provider(schema).map_err(|error| context.failure(error))?;
    provider_output(context, provider)
}

/// Returns the plan that shows all rows of a table that the session made.
pub fn provider_output(
    context: &StatementContext,
    provider: Arc<dyn TableProvider>,
) -> Result<Output, Failure> {
    LogicalPlanBuilder::scan("rows", provider_as_source(provider), None)
        .and_then(LogicalPlanBuilder::build)
        .map(|plan| Output::Plan(plan.into()))
        .map_err(|error| context.failure(error))
}

pub(super) struct Describe {
    pub(super) query: Query,
}

#[async_trait]
impl Statement for Describe {
    fn verb(&self) -> &'static str {
        "DESCRIBE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let plan = context.plan(self.query.clone()).await?;
        let schema = Arc::clone(plan.schema().inner());
        columns_output(context, &schema)
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.query.clone()).await.map(drop)
    }
}
