//! DRIFT and COMPRESS: how tables differ, and rows that stand for many.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::Ident;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, Query, StatementParser, normalized, syntax_error};
use lakesh_text::failure::Failure;

use crate::profile::{Drift, drift};
use crate::table_function::profile::{DRIFT_BINS, compressed};

/// The statement `DRIFT`.
pub static DRIFT: StatementKind = StatementKind {
    name: "DRIFT",
    usage: "DRIFT name | 'file' | (query) AGAINST name | 'file' | (query) [USING quantile n] [WEIGHT column]",
    summary: "Shows for each column how its distribution differs from that of a reference: the population stability index.",
    examples: &[
        "DRIFT (SELECT value % 7 AS v FROM generate_series(1, 500)) AGAINST (SELECT value % 9 AS v FROM generate_series(1, 500)) USING quantile 5;",
    ],
    parse: |parser| {
        if !parser.accept(&["drift"]) {
            return Ok(None);
        }
        let current = parser.parse_from_tail_before("against")?;
        parser.expect(&["against"])?;
        let reference = reference(parser)?;
        let bins = match parser.accept(&["using"]) {
            false => DRIFT_BINS,
            true => bins(parser)?,
        };
        let weight = weight(parser)?;
        Ok(Some(Box::new(DriftStatement {
            current,
            reference,
            bins,
            weight,
        })))
    },
};

/// Reads the second table, whose alias is neither USING nor WEIGHT.
fn reference(parser: &mut StatementParser) -> ParseResult<Query> {
    let next = match parser.tokens_before("using") {
        Some(_) => "using",
        None => "weight",
    };
    parser.parse_from_tail_before(next)
}

fn bins(parser: &mut StatementParser) -> ParseResult<usize> {
    parser.expect(&["quantile"])?;
    let start = parser.sql().peek_token_ref().span.start;
    let count = parser.sql().parse_literal_uint()?;
    match usize::try_from(count) {
        Ok(count) if (2..=1000).contains(&count) => Ok(count),
        _ => Err(syntax_error(
            "the number of quantiles is from 2 to 1000",
            start,
        )),
    }
}

fn weight(parser: &mut StatementParser) -> ParseResult<Option<String>> {
    match parser.accept(&["weight"]) {
        false => Ok(None),
        true => Ok(Some(normalized(&parser.identifier()?))),
    }
}

struct DriftStatement {
    current: Query,
    reference: Query,
    bins: usize,
    weight: Option<String>,
}

#[async_trait]
impl Statement for DriftStatement {
    fn verb(&self) -> &'static str {
        "DRIFT"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let current = context.plan(self.current.clone()).await?;
        let reference = context.plan(self.reference.clone()).await?;
        let compared = Drift {
            current,
            reference,
            bins: self.bins,
            weight: self.weight.clone(),
        };
        Ok(Output::batch(drift(context, compared).await?))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.current.clone()).await?;
        context.plan(self.reference.clone()).await.map(drop)
    }
}

/// The statement `COMPRESS`.
pub static COMPRESS: StatementKind = StatementKind {
    name: "COMPRESS",
    usage: "COMPRESS name | 'file' | (query) BY column, … [WEIGHT column] [VERIFY]",
    summary: "Returns each combination of values once, with the number of its rows and the sum of their weights; VERIFY proves that totals and weighted sums stay the same.",
    examples: &[
        "COMPRESS (SELECT value % 3 AS b, value % 2 AS y, value AS w FROM generate_series(1, 100)) BY b, y WEIGHT w VERIFY;",
    ],
    parse: |parser| {
        if !parser.accept(&["compress"]) {
            return Ok(None);
        }
        let query = parser.parse_from_tail_before("by")?;
        parser.expect(&["by"])?;
        let brackets = parser.sql().consume_token(&Token::LParen);
        let by: Vec<Ident> = parser
            .sql()
            .parse_comma_separated(|parser| parser.parse_identifier())?;
        if brackets {
            parser.sql().expect_token(&Token::RParen)?;
        }
        let weight = weight(parser)?;
        let verify = parser.accept(&["verify"]);
        Ok(Some(Box::new(Compress {
            query,
            by: by.iter().map(normalized).collect(),
            weight,
            verify,
        })))
    },
};

struct Compress {
    query: Query,
    by: Vec<String>,
    weight: Option<String>,
    verify: bool,
}

#[async_trait]
impl Statement for Compress {
    fn verb(&self) -> &'static str {
        "COMPRESS"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let input = context.plan(self.query.clone()).await?;
        let weight = self.weight.as_deref();
        let plan = compressed(context, input, &self.by, weight, self.verify).await?;
        Ok(Output::Plan(plan))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}
