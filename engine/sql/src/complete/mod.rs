//! Nothing is ignored: each clause of a statement is used by a planner, or refused by its name.
//!
//! sqlparser reads what any database knows; DataFusion's planner takes of it what it understands and drops the
//! rest without a word (`GROUP BY … WITH TOTALS`, `FOR UPDATE`, `PREWHERE`, TABLESAMPLE behind a subquery,
//! `abs(DISTINCT x)`). Here every node of the tree is taken apart without `..`, so that a field which a new
//! version of sqlparser adds does not compile before somebody has decided what becomes of it. A field that is
//! bound to `_` is read by DataFusion's planner, by `rewrite` next door, or says nothing about the result.
//!
//! The walk below nodes is sqlparser's own; what it visits are queries, SELECTs, relations, expressions and
//! values. The parts between them are checked by the node that holds them.

mod call;
mod expression;
mod query;
mod relation;
mod select;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Query, Select, TableFactor, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use crate::{ParseResult, syntax_error};

pub use call::{CallKind, check_calls};

/// What a check finds.
type Checked = Result<(), Refusal>;

/// Why a statement is refused, and where it says so.
#[derive(Debug)]
pub(crate) struct Refusal {
    message: String,
    place: Place,
}

/// Where a clause stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    At(Location),
    /// At the first of these words behind a place: the tree keeps no place of most clauses.
    Behind(Location, &'static str),
}

impl Refusal {
    /// Refuses what stands at a place that the tree keeps.
    pub(crate) fn at(location: Location, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: Place::At(location),
        }
    }

    /// Refuses a clause that begins with these words.
    fn clause(behind: Location, words: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: Place::Behind(behind, words),
        }
    }

    /// Makes the error, with the place of the clause among a parser's tokens.
    pub(crate) fn into_error(self, parser: &Parser<'_>) -> datafusion::common::DataFusionError {
        let location = match self.place {
            Place::At(location) => location,
            Place::Behind(start, words) => found(parser, start, words).unwrap_or(start),
        };
        syntax_error(&self.message, location)
    }
}

/// Finds words among a parser's tokens, at or behind a place.
fn found(parser: &Parser<'_>, start: Location, words: &str) -> Option<Location> {
    let expected: Vec<&str> = words.split(' ').collect();
    let mut matched = 0;
    let mut first = None;
    for place in 0.. {
        let token = parser.token_at(place);
        match &token.token {
            Token::EOF => return None,
            Token::Whitespace(_) => continue,
            _ if token.span.start < start => continue,
            found if is(found, expected[matched]) => {
                let begin = *first.get_or_insert(token.span.start);
                matched += 1;
                if matched == expected.len() {
                    return Some(begin);
                }
            }
            found => {
                let again = is(found, expected[0]);
                first = again.then_some(token.span.start);
                matched = usize::from(again);
                if again && expected.len() == 1 {
                    return first;
                }
            }
        }
    }
    None
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// Refuses what no planner would read.
pub(crate) fn check<T: Visit>(tree: &T, parser: &Parser<'_>) -> ParseResult<()> {
    match tree.visit(&mut Completeness) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(refusal.into_error(parser)),
    }
}

struct Completeness;

fn flow(checked: Checked) -> ControlFlow<Refusal> {
    match checked {
        Ok(()) => ControlFlow::Continue(()),
        Err(refusal) => ControlFlow::Break(refusal),
    }
}

impl Visitor for Completeness {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        flow(query::query(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refusal> {
        flow(select::select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refusal> {
        flow(relation::factor(factor))
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Refusal> {
        flow(expression::expression(expression))
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Refusal> {
        flow(expression::value(value))
    }
}
