//! SELECT, WITH, VALUES, FROM-first: whatever DataFusion plans as a query.

use async_trait::async_trait;
use lakesh_session::{Output, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{Query, ShownNames};
use lakesh_text::failure::Failure;

/// The statement `SELECT`.
pub static QUERY: StatementKind = StatementKind {
    name: "SELECT",
    usage: "[WITH …] SELECT … FROM … [WHERE …] [GROUP BY …] [ORDER BY …] [LIMIT …]\n\
            VALUES (…), …\n\
            FROM table",
    summary: "Reads rows from tables, files and functions.",
    examples: &[
        "SELECT 1 + 1 AS two;",
        "WITH n AS (SELECT * FROM generate_series(1, 10) AS t(i)) SELECT sum(i) FROM n;",
        "VALUES (1, 'one'), (2, 'two');",
    ],
    parse: |parser| {
        if !starts_query(parser) {
            return Ok(None);
        }
        let (query, names) = parser.shown_query()?;
        Ok(Some(Box::new(SelectStatement { query, names })))
    },
};

struct SelectStatement {
    query: Query,
    names: ShownNames,
}

#[async_trait]
impl Statement for SelectStatement {
    fn verb(&self) -> &'static str {
        "SELECT"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let advisor = context.session.advisor();
        let plan = match advisor.planned(context, &self.query).await? {
            Some(plan) => plan,
            None => context.plan(self.query.clone()).await?,
        };
        Ok(Output::Shown(plan, self.names.clone()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.check_plan(self.query.clone()).await
    }
}
