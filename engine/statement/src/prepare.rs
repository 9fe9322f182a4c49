//! PREPARE, EXECUTE and DEALLOCATE: a statement that is kept, and run with other values each time.

use std::collections::HashMap;

use async_trait::async_trait;
use datafusion::common::{DataFusionError, ParamValues, ScalarValue};
use datafusion::sql::sqlparser::ast::{CastKind, DataType as SqlType, Expr};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};
use lakesh_session::{Output, Prepared, Statement, StatementContext, StatementKind};
use lakesh_sql::{DIALECT, ParseResult, StatementParser, constant, constant_text, normalized};
use lakesh_text::failure::{Failure, FailureKind};

/// The statement `PREPARE`.
pub static PREPARE: StatementKind = StatementKind {
    name: "PREPARE",
    usage: "PREPARE name [(type, …)] AS statement",
    summary: "Keeps a statement until the session ends; `$1`, `$2` and so on, each `?` in turn, or `$name`, are the values that EXECUTE gives it.",
    examples: &[
        "PREPARE sum_of AS SELECT $1 + $2 AS sum; EXECUTE sum_of(1, 2); DEALLOCATE sum_of;",
    ],
    parse: |parser| {
        if !parser.accept(&["prepare"]) {
            return Ok(None);
        }
        let name = normalized(&parser.identifier()?);
        let mut types = Vec::new();
        if parser.sql().consume_token(&Token::LParen) {
            types = parser
                .sql()
                .parse_comma_separated(Parser::parse_data_type)?;
            parser.sql().expect_token(&Token::RParen)?;
        }
        parser.expect(&["as"])?;
        for word in ["prepare", "execute", "deallocate"] {
            if parser.peeks(&[word]) {
                return parser.expected("a statement that is not about prepared ones");
            }
        }
        let start = parser.sql().peek_token_ref().span.start;
        let statement = parser.statement()?;
        Ok(Some(Box::new(Prepare {
            name,
            types,
            start,
            writes: statement.writes(),
            keeps_rows: statement.keeps_rows(),
        })))
    },
};

/// The statement `EXECUTE`.
pub static EXECUTE: StatementKind = StatementKind {
    name: "EXECUTE",
    usage: "EXECUTE name [(value, … | name := value, …)]\nEXECUTE IMMEDIATE 'statement' [USING value, …]",
    summary: "Runs a prepared statement, or a statement that is a text, with values for its parameters.",
    examples: &[
        "PREPARE word AS SELECT upper($1) AS word; EXECUTE word('a');",
        "EXECUTE IMMEDIATE 'SELECT $1 + 1 AS n' USING 2;",
    ],
    parse: |parser| {
        if !parser.accept(&["execute"]) {
            return Ok(None);
        }
        if parser.accept(&["immediate"]) {
            let text = parser.expression()?;
            let values = match parser.accept(&["using"]) {
                true => unnamed(parser.expressions()?),
                false => Vec::new(),
            };
            return Ok(Some(Box::new(Execute {
                what: What::Text(Box::new(text)),
                values,
            })));
        }
        let name = normalized(&parser.identifier()?);
        let mut values = Vec::new();
        if parser.sql().consume_token(&Token::LParen) && !parser.sql().consume_token(&Token::RParen)
        {
            values = arguments(parser)?;
            parser.sql().expect_token(&Token::RParen)?;
        }
        Ok(Some(Box::new(Execute {
            what: What::Prepared(name),
            values,
        })))
    },
};

/// The statement `DEALLOCATE`.
pub static DEALLOCATE: StatementKind = StatementKind {
    name: "DEALLOCATE",
    usage: "DEALLOCATE [PREPARE] name | ALL",
    summary: "Forgets a prepared statement.",
    examples: &["PREPARE one AS SELECT 1 AS n; DEALLOCATE one;"],
    parse: |parser| {
        if !parser.accept(&["deallocate"]) {
            return Ok(None);
        }
        parser.accept(&["prepare"]);
        let name = match parser.accept(&["all"]) {
            true => None,
            false => Some(normalized(&parser.identifier()?)),
        };
        Ok(Some(Box::new(Deallocate { name })))
    },
};

/// A value, and the name of its parameter if that was said.
type Argument = (Option<String>, Expr);

fn unnamed(values: Vec<Expr>) -> Vec<Argument> {
    values.into_iter().map(|value| (None, value)).collect()
}

fn arguments(parser: &mut StatementParser) -> ParseResult<Vec<Argument>> {
    let mut arguments = Vec::new();
    loop {
        let is_named = matches!(
            parser.sql().peek_nth_token_ref(1).token,
            Token::Assignment | Token::RArrow
        );
        let name = match is_named {
            true => {
                let name = normalized(&parser.identifier()?);
                parser.sql().next_token();
                Some(name)
            }
            false => None,
        };
        arguments.push((name, parser.expression()?));
        if !parser.sql().consume_token(&Token::Comma) {
            return Ok(arguments);
        }
    }
}

struct Prepare {
    name: String,
    types: Vec<SqlType>,
    /// Where the statement begins.
    start: Location,
    writes: bool,
    keeps_rows: bool,
}

impl Prepare {
    fn keep(&self, context: &StatementContext) -> Result<(), Failure> {
        let text = context.text_from(self.start);
        let parameters = parameters(&text).map_err(|error| context.failure(error))?;
        if self.types.len() > parameters.len() {
            return Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "`{}` has {} and {}",
                    self.name,
                    counted(self.types.len(), "type"),
                    counted(parameters.len(), "parameter")
                ),
            ));
        }
        context.session.prepare(
            &self.name,
            Prepared {
                text,
                types: self.types.clone(),
                parameters,
            },
        )
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// Returns the names of the parameters in a text: `$2` is one of two.
fn parameters(text: &str) -> Result<Vec<String>, DataFusionError> {
    let tokens = Tokenizer::new(&DIALECT, text).tokenize().map_err(|error| {
        DataFusionError::from(datafusion::sql::sqlparser::parser::ParserError::from(error))
    })?;
    let mut names: Vec<String> = Vec::new();
    let mut most = 0;
    let mut questions = 0;
    for token in tokens {
        let Token::Placeholder(written) = token else {
            continue;
        };
        if written == "?" {
            // The parser counts them.
            questions += 1;
            most = most.max(questions);
            continue;
        }
        let Some(name) = written.strip_prefix('$') else {
            return Err(DataFusionError::Plan(format!(
                "`{written}` is no parameter; write $1, $2 and so on, or $name"
            )));
        };
        match name.parse::<usize>() {
            Ok(number) => most = most.max(number),
            Err(_) if names.iter().any(|known| known == name) => {}
            Err(_) => names.push(name.to_owned()),
        }
    }
    let numbers = (1..=most).map(|number| number.to_string());
    Ok(numbers.chain(names).collect())
}

#[async_trait]
impl Statement for Prepare {
    fn verb(&self) -> &'static str {
        "PREPARE"
    }

    fn writes(&self) -> bool {
        self.writes
    }

    fn keeps_rows(&self) -> bool {
        self.keeps_rows
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        self.keep(context)?;
        Ok(Output::done(self.verb()))
    }

    /// Later statements of a script execute it, so that it is kept while checking too.
    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.keep(context)
    }
}

enum What {
    Prepared(String),
    Text(Box<Expr>),
}

struct Execute {
    what: What,
    values: Vec<Argument>,
}

impl Execute {
    fn prepared(&self, context: &StatementContext) -> Result<Prepared, Failure> {
        match &self.what {
            What::Prepared(name) => context.session.prepared(name),
            What::Text(text) => {
                let explain = |error| context.failure(error);
                let text =
                    constant_text(text, &context.state, context.parameters()).map_err(explain)?;
                let text = text.trim().trim_end_matches(';').to_owned();
                Ok(Prepared {
                    parameters: parameters(&text).map_err(explain)?,
                    types: Vec::new(),
                    text,
                })
            }
        }
    }

    /// Evaluates the values.
    fn bound(
        &self,
        context: &StatementContext,
        prepared: &Prepared,
    ) -> Result<ParamValues, Failure> {
        let mut bound: HashMap<String, ScalarValue> = context.session.parameter_values();
        let given: Vec<&Option<String>> = self.values.iter().map(|(name, _)| name).collect();
        let unnamed = given.iter().filter(|name| name.is_none()).count();
        // Parameters of the session stand for what is not given here.
        let lacking = prepared
            .parameters
            .iter()
            .filter(|name| !bound.contains_key(*name))
            .count();
        if unnamed == given.len() && (unnamed > prepared.parameters.len() || unnamed < lacking) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "{} takes {}, not {unnamed}",
                    self.shown(),
                    counted(prepared.parameters.len(), "value")
                ),
            ));
        }
        for (place, (name, value)) in self.values.iter().enumerate() {
            let name = match name {
                Some(name) => name.clone(),
                None => {
                    let by_place = prepared.parameters.get(place).cloned();
                    by_place.unwrap_or_else(|| (place + 1).to_string())
                }
            };
            if !prepared.parameters.contains(&name) {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("{} has no parameter `${name}`", self.shown()),
                ));
            }
            let value = match prepared.types.get(place) {
                None => value.clone(),
                Some(data_type) => Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(value.clone()),
                    data_type: data_type.clone(),
                    array: false,
                    format: None,
                },
            };
            let value = constant(&value, &context.state, context.parameters())
                .map_err(|error| context.failure(error))?;
            bound.insert(name, value);
        }
        Ok(ParamValues::from(bound))
    }

    fn shown(&self) -> String {
        match &self.what {
            What::Prepared(name) => format!("prepared statement `{name}`"),
            What::Text(_) => "the statement".to_owned(),
        }
    }
}

#[async_trait]
impl Statement for Execute {
    fn verb(&self) -> &'static str {
        "EXECUTE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let prepared = self.prepared(context)?;
        let parameters = self.bound(context, &prepared)?;
        context.run_text(&prepared.text, Some(parameters)).await
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let prepared = self.prepared(context)?;
        let parameters = self.bound(context, &prepared)?;
        context.check_text(&prepared.text, Some(parameters)).await
    }
}

struct Deallocate {
    name: Option<String>,
}

#[async_trait]
impl Statement for Deallocate {
    fn verb(&self) -> &'static str {
        "DEALLOCATE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        context.session.deallocate(self.name.as_deref())?;
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.session.deallocate(self.name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_are_counted() {
        let found = |text: &str| parameters(text).expect("it has tokens");
        assert_eq!(found("SELECT $2 + $1 + $1"), ["1", "2"]);
        assert_eq!(found("SELECT $day, '$1', $day"), ["day"]);
        assert_eq!(found("SELECT 1"), [""; 0]);
    }
}
