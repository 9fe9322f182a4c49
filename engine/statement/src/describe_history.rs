//! DESCRIBE HISTORY and DESCRIBE DETAIL: what a Delta table's log says of its past and its present.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::scope::Resolver;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, StatementParser};
use lakesh_text::failure::Failure;

use super::describe::provider_output;
use super::table_function::history::{detail, history};

/// The statement `DESCRIBE HISTORY`.
pub static DESCRIBE_HISTORY: StatementKind = StatementKind {
    name: "DESCRIBE HISTORY",
    usage: "DESCRIBE HISTORY name | 'path' [LIMIT n]",
    summary: "Lists the versions of a Delta table with their times and operations, newest first.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; INSERT INTO t VALUES (2); DESCRIBE HISTORY t LIMIT 1;",
        "CREATE TABLE t AS SELECT 1 AS n; SELECT version, operation FROM table_history('t');",
    ],
    parse: |parser| {
        if !accept(parser, "history") {
            return Ok(None);
        }
        let name = parser.name()?;
        let limit = match parser.accept(&["limit"]) {
            true => Some(parse_count(parser)?),
            false => None,
        };
        Ok(Some(Box::new(DescribeHistory { name, limit })))
    },
};

/// The statement `DESCRIBE DETAIL`.
pub static DESCRIBE_DETAIL: StatementKind = StatementKind {
    name: "DESCRIBE DETAIL",
    usage: "DESCRIBE DETAIL name | 'path'",
    summary: "Shows format, place, size, properties and protocol of a Delta table, as one row.",
    examples: &["CREATE TABLE t AS SELECT 1 AS n; DESCRIBE DETAIL t;"],
    parse: |parser| {
        if !accept(parser, "detail") {
            return Ok(None);
        }
        let name = parser.name()?;
        Ok(Some(Box::new(DescribeDetail { name })))
    },
};

/// Consumes `DESCRIBE word` if a name follows: tables may be called `history`.
fn accept(parser: &mut StatementParser, word: &str) -> bool {
    let begins = ["describe", "desc"]
        .iter()
        .find(|describe| parser.peeks(&[describe, word]));
    let Some(describe) = begins else {
        return false;
    };
    match parser.sql().peek_nth_token_ref(2).token {
        Token::Word(_) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => {
            parser.accept(&[describe, word])
        }
        _ => false,
    }
}

/// Reads a whole number from 0.
fn parse_count(parser: &mut StatementParser) -> ParseResult<usize> {
    let count = parser.sql().parse_literal_uint()?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

struct DescribeHistory {
    name: ObjectName,
    limit: Option<usize>,
}

#[async_trait]
impl Statement for DescribeHistory {
    fn verb(&self) -> &'static str {
        "DESCRIBE HISTORY"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let target = Resolver::new(context).delta(&self.name).await?;
        let provider = history(context, &target, self.limit).await?;
        provider_output(context, provider)
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}

struct DescribeDetail {
    name: ObjectName,
}

#[async_trait]
impl Statement for DescribeDetail {
    fn verb(&self) -> &'static str {
        "DESCRIBE DETAIL"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let target = Resolver::new(context).delta(&self.name).await?;
        let provider = detail(context, &target).await?;
        provider_output(context, provider)
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}
