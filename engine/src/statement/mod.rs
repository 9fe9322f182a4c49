//! The statements of lakesh: one file a family, one line in the registry.
//!
//! A statement is parsed without looking anything up; it looks up, plans and runs when it is run.

mod alter_table;
mod attach;
mod beginning;
mod cache;
mod checkpoint;
mod columns;
mod convert;
mod copy;
mod create_encoder;
mod create_external_table;
mod create_function;
mod create_schema;
mod create_table;
mod create_view;
mod delete;
mod describe;
mod describe_history;
mod diff;
mod drop;
mod encoders;
mod explain;
mod explain_compare;
mod explain_hints;
mod feature_view;
mod insert;
mod leakage;
mod merge;
mod mutating;
mod optimize;
mod profile;
mod query;
mod restore;
mod set;
mod show;
mod summarize;
mod transform;
mod update;
mod vacuum;

use async_trait::async_trait;

pub(crate) use explain_compare::side_by_side;

use crate::failure::Failure;
use crate::input::Substituted;
use crate::mutation::Mutation;
use crate::session::{Output, StatementContext};
use crate::sql::{ParseResult, StatementParser};

/// Reads a statement; `None`, with nothing consumed, when the next tokens are another kind's.
type Parse = fn(&mut StatementParser) -> ParseResult<Option<Box<dyn Statement>>>;

/// A kind of statement: its description and how to recognise it.
pub struct StatementKind {
    /// What a user calls it: `CREATE VIEW`.
    pub name: &'static str,
    /// Its grammar in one line or a few.
    pub usage: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Scripts that run as they stand in an empty session.
    pub examples: &'static [&'static str],
    /// Returns `None`, with nothing consumed, when the next tokens are another statement's.
    parse: Parse,
}

/// A parsed statement.
#[async_trait]
pub(crate) trait Statement: Send + Sync {
    /// Returns what it does, in the standard's words.
    fn verb(&self) -> &'static str;

    /// Says whether it changes the catalog or data.
    fn writes(&self) -> bool {
        false
    }

    /// Returns the change of a table that it is, if it is one; EXPLAIN can foretell those.
    fn mutation(&self) -> Option<&dyn Mutation> {
        None
    }

    /// Runs it.
    async fn run(&self, context: &StatementContext) -> Result<Output, Failure>;

    /// Checks names and types, and lets later statements of a script assume what it would create.
    async fn check(&self, context: &StatementContext) -> Result<(), Failure>;
}

/// Returns the statements, in alphabetical order but where one begins as another does.
pub fn statements() -> &'static [&'static StatementKind] {
    STATEMENTS
}

/// Returns the words that begin a statement, in lower case.
pub(crate) fn first_words() -> Vec<String> {
    let named = STATEMENTS
        .iter()
        .filter_map(|kind| kind.name.split(' ').next())
        .map(str::to_lowercase);
    let queries = query::BEGINNINGS
        .iter()
        .map(|keyword| format!("{keyword:?}").to_lowercase());
    let mut words: Vec<String> = named.chain(queries).collect();
    words.sort_unstable();
    words.dedup();
    words
}

static STATEMENTS: &[&StatementKind] = &[
    &alter_table::ALTER_TABLE,
    &attach::ATTACH,
    &attach::DETACH,
    &cache::CACHE,
    &checkpoint::CHECKPOINT,
    &cache::CLEAR_CACHE,
    &profile::COMPRESS,
    &convert::CONVERT,
    &copy::COPY,
    &create_encoder::CREATE_ENCODER,
    &create_external_table::CREATE_EXTERNAL_TABLE,
    &feature_view::CREATE_FEATURE_VIEW,
    &create_function::CREATE_FUNCTION,
    &create_schema::CREATE_SCHEMA,
    &create_table::CREATE_TABLE,
    &create_view::CREATE_VIEW,
    &delete::DELETE,
    // Before DESCRIBE, which takes what these leave.
    &encoders::DESCRIBE_ENCODER,
    &describe_history::DESCRIBE_DETAIL,
    &describe_history::DESCRIBE_HISTORY,
    &describe::DESCRIBE,
    &diff::DIFF,
    &profile::DRIFT,
    &drop::DROP,
    &encoders::DROP_ENCODER,
    &feature_view::DROP_FEATURE_VIEW,
    &create_function::DROP_FUNCTION,
    // Before EXPLAIN, which takes what this leaves.
    &explain_compare::EXPLAIN_COMPARE,
    &leakage::EXPLAIN_LEAKAGE,
    // Before EXPLAIN, as DESCRIBE HISTORY is before DESCRIBE.
    &explain_hints::EXPLAIN_HINTS,
    &explain::EXPLAIN,
    &encoders::EXPORT_ENCODER,
    &insert::INSERT,
    &merge::MERGE,
    &optimize::OPTIMIZE,
    &set::RESET,
    &restore::RESTORE,
    &query::QUERY,
    &set::SET,
    &feature_view::SHOW_FEATURE_GRAPH,
    &cache::SHOW_CACHE,
    &show::SHOW,
    &summarize::SUMMARIZE,
    &transform::TRANSFORM,
    &cache::UNCACHE,
    &update::UPDATE,
    &set::USE,
    &vacuum::VACUUM,
];

/// Parses the text of one statement.
pub(crate) fn parse(text: &Substituted) -> Result<Box<dyn Statement>, Failure> {
    let parsed = StatementParser::new(&text.text).and_then(|mut parser| {
        let statement = parse_next(&mut parser)?;
        parser.finish()?;
        Ok(statement)
    });
    parsed.map_err(|error| Failure::from_datafusion(beginning::with_hint(error), text))
}

/// Parses the statement at the parser's current token.
pub(crate) fn parse_next(parser: &mut StatementParser) -> ParseResult<Box<dyn Statement>> {
    for kind in STATEMENTS {
        if let Some(statement) = (kind.parse)(parser)? {
            return Ok(statement);
        }
    }
    query::unsupported(parser)
}
