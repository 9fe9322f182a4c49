//! What a statement is, and how the text of one is read.
//!
//! A statement is parsed without looking anything up; it looks up, plans and runs when it is run. Which
//! statements there are, the session is told.

mod beginning;
mod instead;

use std::ops::{Deref, DerefMut};

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_sql::{ParseResult, StatementParser};
use lakesh_text::failure::Failure;
use lakesh_text::input::Substituted;

use super::{Output, Session, StatementContext};

/// Reads a statement; `None`, with nothing consumed, when the next tokens are another kind's.
type Parse = fn(&mut Parsing) -> ParseResult<Option<Box<dyn Statement>>>;

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
    pub parse: Parse,
}

/// A parsed statement.
#[async_trait]
pub trait Statement: Send + Sync {
    /// Returns what it does, in the standard's words.
    fn verb(&self) -> &'static str;

    /// Says whether it changes the catalog or data.
    fn writes(&self) -> bool {
        false
    }

    /// Says whether it keeps rows for later statements.
    fn keeps_rows(&self) -> bool {
        false
    }

    /// Says whether what it would do can be foretold, as that of a change of a table can; EXPLAIN asks.
    fn foretells(&self) -> bool {
        false
    }

    /// Tells what it would do, without doing it; nothing where it does not foretell.
    async fn foretell(&self, _context: &StatementContext) -> Result<Output, Failure> {
        Ok(Output::done("EXPLAIN"))
    }

    /// Runs it.
    async fn run(&self, context: &StatementContext) -> Result<Output, Failure>;

    /// Checks names and types, and lets later statements of a script assume what it would create.
    async fn check(&self, context: &StatementContext) -> Result<(), Failure>;
}

/// A parser that knows the statements: some of them hold another one.
pub struct Parsing {
    parser: StatementParser,
    statements: &'static [&'static StatementKind],
}

impl Parsing {
    /// Reads the statement at the current token.
    pub fn statement(&mut self) -> ParseResult<Box<dyn Statement>> {
        for kind in self.statements {
            if let Some(statement) = (kind.parse)(self)? {
                return Ok(statement);
            }
        }
        unsupported(self)
    }
}

impl Deref for Parsing {
    type Target = StatementParser;

    fn deref(&self) -> &StatementParser {
        &self.parser
    }
}

impl DerefMut for Parsing {
    fn deref_mut(&mut self) -> &mut StatementParser {
        &mut self.parser
    }
}

impl Session {
    /// Parses the text of one statement.
    pub fn parse(&self, text: &Substituted) -> Result<Box<dyn Statement>, Failure> {
        parse(self.vocabulary.statements, text)
    }
}

/// Parses the text of one statement of the kinds that are given.
pub fn parse(
    statements: &'static [&'static StatementKind],
    text: &Substituted,
) -> Result<Box<dyn Statement>, Failure> {
    let parsed = StatementParser::new(&text.text).and_then(|parser| {
        let mut parsing = Parsing { parser, statements };
        let statement = parsing.statement()?;
        parsing.finish()?;
        Ok(statement)
    });
    parsed.map_err(|error| Failure::from_datafusion(beginning::with_hint(error, statements), text))
}

/// Returns the words that begin a statement, in lower case.
fn first_words(statements: &[&StatementKind]) -> Vec<String> {
    let named = statements
        .iter()
        .filter_map(|kind| kind.name.split(' ').next())
        .map(str::to_lowercase);
    let queries = BEGINNINGS
        .iter()
        .map(|keyword| format!("{keyword:?}").to_lowercase());
    let mut words: Vec<String> = named.chain(queries).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The words that begin a query.
const BEGINNINGS: &[Keyword] = &[
    Keyword::FROM,
    Keyword::SELECT,
    Keyword::TABLE,
    Keyword::VALUES,
    Keyword::WITH,
];

/// Says whether a query comes next.
pub fn starts_query(parser: &mut StatementParser) -> bool {
    match parser.sql().peek_token_ref().token {
        Token::LParen => true,
        Token::Word(ref word) => word.quote_style.is_none() && BEGINNINGS.contains(&word.keyword),
        _ => false,
    }
}

/// Fails for a statement that no kind has recognised, with the reason that fits best.
fn unsupported(parser: &mut Parsing) -> ParseResult<Box<dyn Statement>> {
    instead::refuse(parser)?;
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
