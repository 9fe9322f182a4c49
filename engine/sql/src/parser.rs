//! The parser that statements share: tokens with the version clauses taken out, over `DFParser`.

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParser, DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, Query as SqlQuery, SetExpr, Statement as SqlStatement, TableFactor,
    Value, Visit, VisitMut,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::headers::{ShownNames, name_columns, tell_apart};
use super::materialized::Materialized;
use super::versions::{VersionClause, VersionClauses};
use super::{
    DIALECT, Query, asof, complete, depth, frame, numbers, percent, pivot_statement, positional,
    prefix_alias, rewrite, short_forms, table_query,
};

/// What parsing a statement gives.
pub type ParseResult<T> = Result<T, DataFusionError>;

/// Reads one statement.
pub struct StatementParser {
    inner: DFParser<'static>,
    versions: VersionClauses,
    materialized: Materialized,
}

impl StatementParser {
    /// Splits the text of one statement into tokens.
    pub fn new(text: &str) -> ParseResult<Self> {
        let mut tokens = Tokenizer::new(&DIALECT, text)
            .tokenize_with_location()
            .map_err(ParserError::from)?;
        if let Err(deep) = depth::check(&tokens) {
            return Err(syntax_error(
                &format!("{} ({})", deep.message, deep.hint),
                deep.location,
            ));
        }
        numbers::plain(&mut tokens)?;
        frame::mark_exclusions(&mut tokens)?;
        positional::refuse(&tokens)?;
        let materialized = Materialized::take_from(&mut tokens);
        let (tokens, versions) = VersionClauses::take_from(tokens)?;
        let tokens = pivot_statement::rewrite(tokens)?;
        let tokens = short_forms::rewrite(tokens);
        let tokens = percent::rewrite(table_query::rewrite(tokens));
        let tokens = asof::rewrite(prefix_alias::rewrite(tokens))?;
        let inner = DFParserBuilder::new(tokens)
            .with_dialect(&DIALECT)
            .with_recursion_limit(depth::BRACKET_LIMIT * 4)
            .build()?;
        Ok(Self {
            inner,
            versions,
            materialized,
        })
    }

    /// Gives DataFusion's parser, at the current token.
    pub fn datafusion(&mut self) -> &mut DFParser<'static> {
        &mut self.inner
    }

    /// Gives sqlparser's parser, at the current token.
    pub fn sql(&mut self) -> &mut Parser<'static> {
        &mut self.inner.parser
    }

    /// Hands the version clauses to the statement that was parsed.
    pub fn take_versions(&mut self) -> VersionClauses {
        std::mem::take(&mut self.versions)
    }

    /// Hands out the version clause behind a word, once.
    pub fn claim_version(&mut self, word: &Ident) -> Option<VersionClause> {
        self.versions.claim(word)
    }

    /// Reads one of these words, with its place, or fails.
    pub fn identifier_if(&mut self, words: &[&str]) -> ParseResult<Ident> {
        match words.iter().any(|word| self.peeks(&[word])) {
            true => self.identifier(),
            false => self.expected(&words.join(" or ")),
        }
    }

    /// Says whether the next tokens are these words, in any case, without consuming them.
    pub fn peeks(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(position, expected)| {
            matches!(
                self.inner.parser.peek_nth_token_ref(position).token,
                Token::Word(ref word)
                    if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
            )
        })
    }

    /// Consumes these words if all of them come next.
    pub fn accept(&mut self, words: &[&str]) -> bool {
        let found = self.peeks(words);
        if found {
            for _ in words {
                self.inner.parser.next_token();
            }
        }
        found
    }

    /// Consumes these words or fails with what was found in their place.
    pub fn expect(&mut self, words: &[&str]) -> ParseResult<()> {
        if self.accept(words) {
            return Ok(());
        }
        self.expected(&words.join(" "))
    }

    /// Fails at the current token.
    pub fn expected<T>(&mut self, what: &str) -> ParseResult<T> {
        let found = self.inner.parser.peek_token();
        Ok(self.inner.parser.expected(what, found)?)
    }

    /// Consumes a token if it comes next.
    pub fn skip(&mut self, token: &Token) {
        // Whether it was there makes no difference.
        let _: bool = self.inner.parser.consume_token(token);
    }

    /// Reads a table's, view's or schema's name.
    pub fn name(&mut self) -> ParseResult<ObjectName> {
        Ok(self.inner.parser.parse_object_name(false)?)
    }

    /// Reads one identifier.
    pub fn identifier(&mut self) -> ParseResult<Ident> {
        Ok(self.inner.parser.parse_identifier()?)
    }

    /// Reads a string literal.
    pub fn string(&mut self) -> ParseResult<String> {
        Ok(self.inner.parser.parse_literal_string()?)
    }

    /// Reads `IF NOT EXISTS`.
    pub fn if_not_exists(&mut self) -> bool {
        self.accept(&["if", "not", "exists"])
    }

    /// Reads `IF EXISTS`.
    pub fn if_exists(&mut self) -> bool {
        self.accept(&["if", "exists"])
    }

    /// Reads `(key value, 'key' = value, key, …)`; keys come out in lower case, and what has no value is true.
    pub fn options(&mut self) -> ParseResult<Vec<(String, Expr)>> {
        let parser = self.sql();
        parser.expect_token(&Token::LParen)?;
        if parser.consume_token(&Token::RParen) {
            return Ok(Vec::new());
        }
        let mut options = Vec::new();
        loop {
            let key = option_key(parser)?;
            let value = match parser.peek_token_ref().token {
                Token::Comma | Token::RParen => Expr::value(Value::Boolean(true)),
                _ => {
                    let _: bool = parser.consume_token(&Token::Eq);
                    parser.parse_expr()?
                }
            };
            options.push((key, value));
            if parser.consume_token(&Token::RParen) {
                return Ok(options);
            }
            parser.expect_token(&Token::Comma)?;
            if parser.consume_token(&Token::RParen) {
                return Ok(options);
            }
        }
    }

    /// Reads a query; takes the version clauses of the whole statement.
    pub fn query(&mut self) -> ParseResult<Query> {
        let query = self.parsed_query()?;
        self.completed_query(query)
    }

    /// Reads a query whose rows are shown, of which several columns may have one name.
    pub fn shown_query(&mut self) -> ParseResult<(Query, ShownNames)> {
        let mut query = self.parsed_query()?;
        let names = tell_apart(&mut query);
        Ok((self.completed_query(query)?, names))
    }

    fn parsed_query(&mut self) -> ParseResult<Box<SqlQuery>> {
        let query = self.inner.parser.parse_query()?;
        complete::check(&query, &self.inner.parser)?;
        Ok(query)
    }

    fn completed_query(&mut self, mut query: Box<SqlQuery>) -> ParseResult<Query> {
        name_columns(&mut query);
        self.materialized.put_into(&mut query);
        rewrite::rewrite(&mut query, &self.inner.parser)?;
        Ok(Query {
            tree: Statement::Statement(Box::new(SqlStatement::Query(query))),
            versions: self.take_versions(),
            target: None,
        })
    }

    /// Reads an expression.
    pub fn expression(&mut self) -> ParseResult<Expr> {
        let mut expression = self.inner.parser.parse_expr()?;
        self.complete(&mut expression)?;
        Ok(expression)
    }

    /// Reads expressions with commas between them.
    pub fn expressions(&mut self) -> ParseResult<Vec<Expr>> {
        let mut expressions = self
            .inner
            .parser
            .parse_comma_separated(Parser::parse_expr)?;
        self.complete(&mut expressions)?;
        Ok(expressions)
    }

    /// Makes a tree that was read through [`Self::sql`] ready for the planner: refuses what the planner
    /// would ignore, and writes out what it would misread.
    pub fn complete<T: Visit + VisitMut>(&self, tree: &mut T) -> ParseResult<()> {
        complete::check(tree, &self.inner.parser)?;
        self.materialized.put_into(tree);
        rewrite::rewrite(tree, &self.inner.parser)
    }

    /// Reads `(query)`; takes the version clauses that stand in it and leaves those behind it.
    pub fn query_in_brackets(&mut self) -> ParseResult<Query> {
        self.inner.parser.expect_token(&Token::LParen)?;
        let mut query = self.query()?;
        let end = self.inner.parser.peek_token_ref().span.start;
        self.inner.parser.expect_token(&Token::RParen)?;
        self.versions = query.versions.split_off(end);
        Ok(query)
    }

    /// Reads what `parse_from_tail` reads, where this word follows: it is no alias, and what stands in
    /// brackets behind it are not the columns of one.
    pub fn parse_from_tail_before(&mut self, word: &str) -> ParseResult<Query> {
        let Some(count) = self.tokens_before(word) else {
            return self.parse_from_tail();
        };
        let tokens = (0..count).map(|_| self.inner.parser.next_token());
        let mut parser = Parser::new(&DIALECT)
            .with_recursion_limit(depth::BRACKET_LIMIT * 4)
            .with_tokens_with_locations(tokens.collect());
        let factor = parser.parse_table_factor()?;
        let behind = parser.peek_token();
        if behind.token != Token::EOF {
            return Ok(parser.expected(&word.to_uppercase(), behind)?);
        }
        self.select_from(factor)
    }

    /// Counts the tokens up to a word outside brackets; the first token never is that word.
    pub fn tokens_before(&self, word: &str) -> Option<usize> {
        let mut depth = 0_usize;
        for count in 0.. {
            match &self.inner.parser.peek_nth_token_ref(count).token {
                Token::EOF => return None,
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.checked_sub(1)?,
                Token::Word(found)
                    if depth == 0
                        && count > 0
                        && found.quote_style.is_none()
                        && found.value.eq_ignore_ascii_case(word) =>
                {
                    return Some(count);
                }
                _ => {}
            }
        }
        None
    }

    /// Reads a table, file or function call and returns `SELECT * FROM` it.
    pub fn parse_from_tail(&mut self) -> ParseResult<Query> {
        let factor = self.inner.parser.parse_table_factor()?;
        self.select_from(factor)
    }

    fn select_from(&mut self, factor: TableFactor) -> ParseResult<Query> {
        let mut query = Box::new(select_from_nothing());
        if let SetExpr::Select(select) = query.body.as_mut()
            && let Some(from) = select.from.first_mut()
        {
            from.relation = factor;
        }
        self.complete(&mut query)?;
        Ok(Query {
            tree: Statement::Statement(Box::new(SqlStatement::Query(query))),
            versions: self.take_versions(),
            target: None,
        })
    }

    /// Fails unless the statement ends here.
    pub fn finish(&mut self) -> ParseResult<()> {
        if self.inner.parser.peek_token_ref().token != Token::EOF {
            return self.expected("end of statement");
        }
        // A version that stands where no query reads it must not be dropped.
        match self.versions.unclaimed() {
            None => Ok(()),
            Some(clause) => Err(syntax_error(
                "a version can stand only behind a table's name in a query",
                clause.location,
            )),
        }
    }

    /// Consumes one of sqlparser's keywords if it comes next.
    pub fn accept_keyword(&mut self, keyword: Keyword) -> bool {
        self.inner.parser.parse_keyword(keyword)
    }
}

/// Returns `SELECT * FROM relation`, whose relation is there to be replaced.
pub fn select_from_nothing() -> SqlQuery {
    parse_query_tree("SELECT * FROM relation").expect("the text is a query")
}

/// Parses a text of our own that is a query and nothing else.
pub fn parse_query_tree(text: &str) -> Result<SqlQuery, ParserError> {
    let query = Parser::new(&DIALECT).try_with_sql(text)?.parse_query()?;
    Ok(*query)
}

/// Parses a text that is a query and nothing else.
pub fn parse_query(text: &str) -> ParseResult<Query> {
    let mut parser = StatementParser::new(text)?;
    let query = parser.query()?;
    parser.finish()?;
    Ok(query)
}

/// Parses a text that is an expression and nothing else.
pub fn parse_expression(text: &str) -> ParseResult<Expr> {
    let mut parser = StatementParser::new(text)?;
    let expression = parser.expression()?;
    parser.finish()?;
    Ok(expression)
}

/// Parses a text that is a table's name and nothing else.
pub fn parse_name(text: &str) -> ParseResult<ObjectName> {
    let mut parser = StatementParser::new(text)?;
    let name = parser.name()?;
    parser.finish()?;
    Ok(name)
}

/// Reads a key with dots in it, quoted as a string or as words.
fn option_key(parser: &mut Parser<'static>) -> ParseResult<String> {
    let mut key = String::new();
    loop {
        let token = parser.next_token();
        match &token.token {
            Token::Word(word) => key.push_str(&word.value),
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => key.push_str(text),
            _ => return Ok(parser.expected("an option's name", token)?),
        }
        if !parser.consume_token(&Token::Period) {
            return Ok(key.to_lowercase());
        }
        key.push('.');
    }
}

/// Makes a parse error at a place of the statement.
pub fn syntax_error(message: &str, location: Location) -> DataFusionError {
    ParserError::ParserError(format!("{message}{location}")).into()
}
