//! DIFF TABLE and DIFF SUMMARY TABLE: what differs between two versions of a Delta table.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};
use lakesh_catalog::definition::TableVersion;
use lakesh_session::scope::{Resolver, evaluate_version};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, StatementParser, VersionClause, VersionKind, normalized};
use lakesh_text::failure::Failure;

use super::table_function::diff::{self, Comparison};

/// The statement `DIFF`.
pub static DIFF: StatementKind = StatementKind {
    name: "DIFF",
    usage: "DIFF [SUMMARY] TABLE name | 'path' VERSION a TO b | TIMESTAMP a TO b [ON (key, …)]",
    summary: "Shows each row that differs between two versions of a Delta table; with keys, updates \
              as pairs of the row before and after. SUMMARY counts.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS id, 'a' AS name; INSERT INTO t VALUES (2, 'b'); DIFF TABLE t VERSION 0 TO 1 ON (id);",
        "CREATE TABLE t AS SELECT 1 AS id; INSERT INTO t VALUES (2); DIFF SUMMARY TABLE t VERSION 0 TO 1;",
    ],
    parse: |parser| {
        let summary = parser.accept(&["diff", "summary", "table"]);
        if !summary && !parser.accept(&["diff", "table"]) {
            return Ok(None);
        }
        let table = parser.name()?;
        let word = parser.identifier_if(&["version", "timestamp"])?;
        let kind = match word.value.eq_ignore_ascii_case("version") {
            true => VersionKind::Number,
            false => VersionKind::Timestamp,
        };
        let from = clause(parser, kind)?;
        parser.expect(&["to"])?;
        let to = clause(parser, kind)?;
        let mut keys = Vec::new();
        if parser.accept(&["on"]) {
            let in_brackets = parser.sql().consume_token(&Token::LParen);
            keys = parser
                .sql()
                .parse_comma_separated(|parser| parser.parse_identifier())?;
            if in_brackets {
                parser.sql().expect_token(&Token::RParen)?;
            }
        }
        Ok(Some(Box::new(DiffStatement {
            table,
            from,
            to,
            keys,
            summary,
        })))
    },
};

/// Reads one end of the range.
fn clause(parser: &mut StatementParser, kind: VersionKind) -> ParseResult<VersionClause> {
    let location: Location = parser.sql().peek_token_ref().span.start;
    let value: Expr = parser.expression()?;
    Ok(VersionClause {
        kind,
        value,
        location,
        of_path: false,
    })
}

struct DiffStatement {
    table: ObjectName,
    from: VersionClause,
    to: VersionClause,
    keys: Vec<Ident>,
    summary: bool,
}

impl DiffStatement {
    fn comparison(&self, context: &StatementContext) -> Result<Comparison, Failure> {
        let at = |clause| -> Result<TableVersion, Failure> { evaluate_version(clause, context) };
        Ok(Comparison {
            table: self.table.clone(),
            from: at(&self.from)?,
            to: at(&self.to)?,
            keys: self.keys.iter().map(normalized).collect(),
        })
    }
}

#[async_trait]
impl Statement for DiffStatement {
    fn verb(&self) -> &'static str {
        match self.summary {
            true => "DIFF SUMMARY",
            false => "DIFF",
        }
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let comparison = self.comparison(context)?;
        let resolver = Resolver::new(context);
        let plan = match self.summary {
            true => diff::summary(&resolver, &comparison).await?,
            false => diff::rows(&resolver, &comparison, true).await?,
        };
        Ok(Output::Plan(plan))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}
