//! SUMMARIZE: one row a column with its range, distinct count, mean, quartiles and missing share.

use async_trait::async_trait;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::Query;
use lakesh_text::failure::Failure;

use super::describe::parse_relation;
use super::table_function::summary::summary_plan;

/// The statement `SUMMARIZE`.
pub static SUMMARIZE: StatementKind = StatementKind {
    name: "SUMMARIZE",
    usage: "SUMMARIZE name | 'file' | query",
    summary: "Shows range, distinct count, mean, quartiles and missing share of every column, in one scan.",
    examples: &["SUMMARIZE SELECT value, value % 7 AS weekday FROM generate_series(1, 1000);"],
    parse: |parser| {
        if !parser.accept(&["summarize"]) {
            return Ok(None);
        }
        Ok(Some(Box::new(Summarize {
            query: parse_relation(parser)?,
        })))
    },
};

struct Summarize {
    query: Query,
}

#[async_trait]
impl Statement for Summarize {
    fn verb(&self) -> &'static str {
        "SUMMARIZE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let input = context.plan(self.query.clone()).await?;
        let plan = summary_plan(&context.state, input.into_inner())
            .map_err(|error| context.failure(error))?;
        Ok(Output::Plan(plan.into()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.query.clone()).await.map(drop)
    }
}
