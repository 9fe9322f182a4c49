//! SELECT, WITH, VALUES, FROM-first: whatever DataFusion plans as a query.

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::{Statement, StatementKind};
use crate::failure::Failure;
use crate::session::{Output, StatementContext};
use crate::sql::{ParseResult, Query, StatementParser};

pub(super) static QUERY: StatementKind = StatementKind {
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
        let query = parser.query()?;
        Ok(Some(Box::new(SelectStatement { query })))
    },
};

struct SelectStatement {
    query: Query,
}

#[async_trait]
impl Statement for SelectStatement {
    fn verb(&self) -> &'static str {
        "SELECT"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let plan = match crate::hint::remedied(context, &self.query).await? {
            Some(plan) => plan,
            None => context.plan(self.query.clone()).await?,
        };
        Ok(Output::Plan(plan))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.check_plan(self.query.clone()).await
    }
}

/// The words that begin a query.
pub(super) const BEGINNINGS: &[Keyword] = &[
    Keyword::FROM,
    Keyword::SELECT,
    Keyword::TABLE,
    Keyword::VALUES,
    Keyword::WITH,
];

/// Says whether a query comes next.
pub(super) fn starts_query(parser: &mut StatementParser) -> bool {
    match parser.sql().peek_token_ref().token {
        Token::LParen => true,
        Token::Word(ref word) => word.quote_style.is_none() && BEGINNINGS.contains(&word.keyword),
        _ => false,
    }
}

/// Fails for a statement that no kind has recognised, with the reason that fits best.
pub(super) fn unsupported(parser: &mut StatementParser) -> ParseResult<Box<dyn Statement>> {
    let first = parser.sql().peek_token();
    let known_to_parser = parser.datafusion().parse_statement();
    match (known_to_parser, first.token) {
        (Ok(_), Token::Word(word)) => Err(DataFusionError::NotImplemented(format!(
            "{} is not supported",
            word.value.to_uppercase()
        ))),
        (Err(error), _) => Err(error),
        (Ok(_), other) => Err(DataFusionError::NotImplemented(format!(
            "`{other}` does not begin a statement"
        ))),
    }
}
