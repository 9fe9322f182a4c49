//! TRANSFORM: the rows of a table with the outputs of an encoder.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};
use lakesh_encoder::{OnNull, OnUnseen, Policy};
use lakesh_session::scope::{Resolver, StoredEncoder, leakage};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, Query, StatementParser, syntax_error};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use crate::{CrossFit, Transformation, transformed};

/// How many folds BY HASH makes where it is not told.
const FOLDS: u32 = 5;

/// The statement `TRANSFORM`.
pub static TRANSFORM: StatementKind = StatementKind {
    name: "TRANSFORM",
    usage: "TRANSFORM name | 'file' | (query) USING encoder[@v1]\n\
            [ON UNSEEN DEFAULT | NULL | ERROR] [ON NULL CATEGORY | NULL]\n\
            [CROSS FIT [k] BY HASH(column, …) | CROSS FIT BY column | CROSS FIT BY TIME column]",
    summary: "Returns the rows of a table with all outputs of an encoder. CROSS FIT encodes each row \
              from the other folds, or from the rows before it, so that no row knows its own target.",
    examples: &[
        "CREATE TABLE train AS SELECT value AS id, value % 3 AS city, value % 2 AS y FROM generate_series(1, 30); \
         CREATE ENCODER te AS SELECT target_encoder(city, y, smooth => 10) AS city_te FROM train; \
         TRANSFORM (SELECT 2 AS city) USING te ON UNSEEN ERROR; \
         TRANSFORM train USING te CROSS FIT 5 BY HASH(id);",
    ],
    parse: |parser| {
        if !parser.accept(&["transform"]) {
            return Ok(None);
        }
        let query = parser.parse_from_tail_before("using")?;
        parser.expect(&["using"])?;
        let location = parser.sql().peek_token_ref().span.start;
        let name = parser.name()?;
        let transformation = transformation(parser)?;
        Ok(Some(Box::new(Transform {
            query,
            encoder: encoder_text(&name),
            location,
            transformation,
        })))
    },
};

/// Returns an encoder's name as a text, whether it was quoted as one or not.
pub(super) fn encoder_text(name: &ObjectName) -> String {
    match name.0.as_slice() {
        [part] => match part.as_ident() {
            Some(Ident {
                value,
                quote_style: Some('\''),
                ..
            }) => value.clone(),
            _ => name.to_string(),
        },
        _ => name.to_string(),
    }
}

fn transformation(parser: &mut StatementParser) -> ParseResult<Transformation> {
    let mut policy = Policy::default();
    let mut cross_fit = None;
    loop {
        if parser.accept(&["on", "unseen"]) {
            policy.on_unseen = match parser.identifier_if(&["default", "null", "error"])? {
                word if word.value.eq_ignore_ascii_case("null") => OnUnseen::Null,
                word if word.value.eq_ignore_ascii_case("error") => OnUnseen::Error,
                _ => OnUnseen::Default,
            };
        } else if parser.accept(&["on", "null"]) {
            policy.on_null = match parser.identifier_if(&["category", "null"])? {
                word if word.value.eq_ignore_ascii_case("null") => OnNull::Null,
                _ => OnNull::Category,
            };
        } else if cross_fit.is_none() && parser.accept(&["cross", "fit"]) {
            cross_fit = Some(folds(parser)?);
        } else {
            return Ok(Transformation { policy, cross_fit });
        }
    }
}

/// Reads `[k] BY HASH(…) | BY column | BY TIME column`.
fn folds(parser: &mut StatementParser) -> ParseResult<CrossFit> {
    let start: Location = parser.sql().peek_token_ref().span.start;
    let count = match parser.sql().peek_token_ref().token {
        Token::Number(_, _) => Some(parser.sql().parse_literal_uint()?),
        _ => None,
    };
    parser.expect(&["by"])?;
    let brackets = parser.sql().peek_nth_token_ref(1).token == Token::LParen;
    if parser.peeks(&["hash"]) && brackets {
        parser.accept(&["hash"]);
        parser.sql().expect_token(&Token::LParen)?;
        let keys: Vec<Expr> = parser.expressions()?;
        parser.sql().expect_token(&Token::RParen)?;
        let folds = count.map_or(Some(FOLDS), |count| {
            u32::try_from(count)
                .ok()
                .filter(|count| (2..=1000).contains(count))
        });
        return match folds {
            Some(folds) => Ok(CrossFit::Hash { folds, keys }),
            None => Err(syntax_error("the number of folds is from 2 to 1000", start)),
        };
    }
    if count.is_some() {
        return Err(syntax_error(
            "a number of folds belongs to BY HASH(column); a column of folds has its own",
            start,
        ));
    }
    let names_column = matches!(
        parser.sql().peek_nth_token_ref(1).token,
        Token::Word(_) | Token::LParen
    ) && !parser
        .sql()
        .peek_nth_token_ref(1)
        .token
        .to_string()
        .eq_ignore_ascii_case("on");
    match parser.peeks(&["time"]) && names_column {
        true => {
            parser.accept(&["time"]);
            Ok(CrossFit::Time(parser.expression()?))
        }
        false => Ok(CrossFit::Fold(parser.expression()?)),
    }
}

struct Transform {
    query: Query,
    encoder: String,
    location: Location,
    transformation: Transformation,
}

#[async_trait]
impl Statement for Transform {
    fn verb(&self) -> &'static str {
        "TRANSFORM"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let encoder = StoredEncoder::find(&self.encoder, context.current_schema(), context)
            .map_err(|failure| failure.at(context.place(self.location)))?;
        let mut resolver = Resolver::new(context);
        let input = Erased::new(resolver.plan(self.query.clone()).await?);
        if self.transformation.cross_fit.is_none()
            && let Some(warning) = leakage(&encoder, &resolver.reads)
        {
            context.notice(warning).await?;
        }
        let plan = transformed(context, input, &encoder, &self.transformation).await?;
        Ok(Output::Plan(plan))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}
