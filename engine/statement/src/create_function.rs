//! CREATE FUNCTION and DROP FUNCTION: functions written in SQL, put into the queries that call them, and
//! functions written in Rust, compiled and loaded.

use async_trait::async_trait;
use datafusion::common::DFSchema;
use datafusion::logical_expr::ExprSchemable;
use datafusion::sql::sqlparser::ast::{ColumnDef, Ident, ObjectName};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};
use lakesh_catalog::{FunctionEntry, OnConflict};
use lakesh_native::NativeDefinition;
use lakesh_session::scope::{column_schema, expand, expression, function_types, single_expression};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{
    Language, ParseResult, SqlFunction, SqlParameter, StatementParser, TableName, normalized,
    parse_expression, parse_type, syntax_error,
};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::input::offset_of;

use super::create_view::accept_create;

/// The statement `CREATE FUNCTION`.
pub static CREATE_FUNCTION: StatementKind = StatementKind {
    name: "CREATE FUNCTION",
    usage: "CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS] name (parameter type [DEFAULT value], …)\n\
            RETURNS type [LANGUAGE SQL] RETURN expression\n\
            CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS] name (parameter type [DEFAULT value], …)\n\
            RETURNS type LANGUAGE RUST [STRICT] AS $$ body $$\n\
            CREATE [OR REPLACE] MACRO [IF NOT EXISTS] name (parameter [:= value], …) AS expression",
    summary: "Stores an expression under a name, or a body in Rust that the installed rustc compiles. A call is planned as the expression with its arguments; a body runs for each row, with Option for what can be NULL, or with plain values where STRICT makes NULL of NULL. A macro is an expression whose parameters and result have any type.",
    examples: &[
        "CREATE FUNCTION scaled(x DOUBLE, low DOUBLE DEFAULT 0, high DOUBLE DEFAULT 1) RETURNS DOUBLE \
         RETURN (x - low) / nullif(high - low, 0); SELECT scaled(5, high => 10);",
        "CREATE FUNCTION collatz(n BIGINT) RETURNS BIGINT LANGUAGE RUST STRICT AS $$ \
         let (mut n, mut steps) = (n, 0); \
         while n > 1 { n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 }; steps += 1; } \
         steps $$; SELECT collatz(27);",
        "CREATE MACRO twice(x, times := 2) AS x * times; SELECT twice(1.5), twice(2, times := 3);",
    ],
    parse: |parser| {
        let on_conflict = accept_create(parser, "function");
        let Some(on_conflict) = on_conflict.or_else(|| accept_create(parser, "macro")) else {
            return Ok(None);
        };
        let if_not_exists = parser.if_not_exists();
        let name = parser.name()?;
        let function = declaration(parser)?;
        Ok(Some(Box::new(CreateFunction {
            name,
            function: function.0,
            body: function.1,
            on_conflict: match if_not_exists {
                true => OnConflict::Skip,
                false => on_conflict,
            },
        })))
    },
};

/// Reads `(parameters) RETURNS type RETURN expression`; returns the place of the expression too.
fn declaration(parser: &mut StatementParser) -> ParseResult<(SqlFunction, Location)> {
    parser.sql().expect_token(&Token::LParen)?;
    let mut parameters: Vec<SqlParameter> = Vec::new();
    while !parser.sql().consume_token(&Token::RParen) {
        if !parameters.is_empty() {
            parser.sql().expect_token(&Token::Comma)?;
        }
        let name: Ident = parser.identifier()?;
        let next = parser.sql().peek_token_ref();
        let has_type = !matches!(next.token, Token::Comma | Token::RParen | Token::Assignment);
        let data_type = match has_type {
            true => parser.sql().parse_data_type()?.to_string(),
            false => String::new(),
        };
        let has_default = parser.accept(&["default"])
            || parser.sql().consume_token(&Token::Eq)
            || parser.sql().consume_token(&Token::Assignment);
        let default = match has_default {
            true => Some(parser.sql().parse_expr()?.to_string()),
            false => None,
        };
        let place = name.span.start;
        let name = normalized(&name);
        if parameters.iter().any(|known| known.name == name) {
            return Err(syntax_error(
                &format!("two parameters are called `{name}`"),
                place,
            ));
        }
        let follows_default = parameters.last().is_some_and(|last| last.default.is_some());
        if default.is_none() && follows_default {
            let message = format!("`{name}` needs a default, as the parameter before it has one");
            return Err(syntax_error(&message, place));
        }
        parameters.push(SqlParameter {
            name,
            data_type,
            default,
        });
    }
    if parser.peeks(&["as"]) {
        return macro_body(parser, parameters);
    }
    if let Some(free) = parameters.iter().find(|known| known.data_type.is_empty()) {
        let message = format!("a type for `{}`, or AS behind the parameters", free.name);
        return parser.expected(&message);
    }
    parser.expect(&["returns"])?;
    let returns = parser.sql().parse_data_type()?.to_string();
    let (language, strict) = manner(parser)?;
    parser.expect(match language {
        Language::Sql => &["return"],
        Language::Rust => &["as"],
    })?;
    let place = parser.sql().peek_token_ref().span.start;
    let body = match language {
        Language::Sql => parser.sql().parse_expr()?.to_string(),
        Language::Rust => quoted_body(parser)?,
    };
    let function = SqlFunction {
        parameters,
        returns,
        body,
        language,
        strict,
    };
    Ok((function, place))
}

/// Reads `AS expression`: the parameters and the result have whatever type they have.
fn macro_body(
    parser: &mut StatementParser,
    parameters: Vec<SqlParameter>,
) -> ParseResult<(SqlFunction, Location)> {
    parser.expect(&["as"])?;
    let place = parser.sql().peek_token_ref().span.start;
    // `TABLE SELECT …` comes as a query by now.
    let queries = ["table", "select", "with", "from", "values"];
    if queries.iter().any(|word| parser.peeks(&[*word])) {
        let message =
            "a macro is one value here; CREATE VIEW keeps a query, and PREPARE one with parameters";
        return Err(syntax_error(message, place));
    }
    let body = parser.sql().parse_expr()?.to_string();
    if parser.sql().peek_token_ref().token == Token::Comma {
        let place = parser.sql().peek_token_ref().span.start;
        let message = "a macro has one list of parameters here; those behind := may be left out";
        return Err(syntax_error(message, place));
    }
    let function = SqlFunction {
        parameters,
        returns: String::new(),
        body,
        language: Language::Sql,
        strict: false,
    };
    Ok((function, place))
}

/// Reads a body, between dollars or in quotes.
fn quoted_body(parser: &mut StatementParser) -> ParseResult<String> {
    let token = parser.sql().next_token();
    match token.token {
        Token::DollarQuotedString(text) => Ok(text.value),
        Token::SingleQuotedString(text) => Ok(text),
        _ => Ok(parser.sql().expected("a body between $$ and $$", token)?),
    }
}

/// Reads LANGUAGE and what becomes of NULL, in any order.
fn manner(parser: &mut StatementParser) -> ParseResult<(Language, bool)> {
    let mut language = Language::Sql;
    let mut nulls: Option<(bool, Location)> = None;
    loop {
        let place = parser.sql().peek_token_ref().span.start;
        if parser.accept(&["language"]) {
            let word = parser.identifier_if(&["sql", "rust"])?;
            language = match normalized(&word).as_str() {
                "rust" => Language::Rust,
                _ => Language::Sql,
            };
        } else if parser.accept(&["strict"])
            || parser.accept(&["returns", "null", "on", "null", "input"])
        {
            nulls = Some((true, place));
        } else if parser.accept(&["called", "on", "null", "input"]) {
            nulls = Some((false, place));
        } else {
            break;
        }
    }
    match (language, nulls) {
        (Language::Sql, Some((_, place))) => Err(syntax_error(
            "what becomes of NULL is said for functions in Rust only: an expression says it itself",
            place,
        )),
        (language, nulls) => Ok((language, nulls.is_some_and(|(strict, _)| strict))),
    }
}

struct CreateFunction {
    name: ObjectName,
    function: SqlFunction,
    body: Location,
    on_conflict: OnConflict,
}

impl CreateFunction {
    /// Plans the expression over the parameters; it must have the type that is declared.
    fn plan(&self, context: &StatementContext, name: &TableName) -> Result<(), Failure> {
        if context.session.function_names().contains(&name.table) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{}` is a function of lakesh itself", name.table),
            )
            .hint("choose another name"));
        }
        let explain = |error| context.failure(error);
        let mut columns = Vec::new();
        if self.function.returns.is_empty() {
            // What has no types is planned where it is called.
            return Ok(());
        }
        for parameter in &self.function.parameters {
            columns.push(ColumnDef {
                name: Ident::with_quote('"', &parameter.name),
                data_type: parse_type(&parameter.data_type).map_err(explain)?,
                options: Vec::new(),
            });
            if let Some(default) = &parameter.default {
                let none = DFSchema::empty();
                let default = parse_expression(default).map_err(explain)?;
                single_expression(context, &none, default)?;
            }
        }
        if self.function.language == Language::Rust {
            return self.compile(context, name);
        }
        let at_body = |failure: Failure| {
            let mut failure = failure;
            failure.place = Some(context.place(self.body));
            failure
        };
        let schema = column_schema(&context.state, columns).map_err(explain)?;
        let schema = DFSchema::try_from(schema).map_err(explain)?;
        let mut body = parse_expression(&self.function.body).map_err(explain)?;
        let functions = expand(context, &mut body, context.current_schema(), Some(name))
            .map_err(|error| at_body(context.failure(error)))?;
        let planned = expression(&context.state, &schema, body, None, functions)
            .map_err(|error| at_body(context.failure(error)))?;
        let returns = vec![ColumnDef {
            name: Ident::new("returned"),
            data_type: parse_type(&self.function.returns).map_err(explain)?,
            options: Vec::new(),
        }];
        let returns = column_schema(&context.state, returns).map_err(explain)?;
        planned
            .cast_to(returns.field(0).data_type(), &schema)
            .map(drop)
            .map_err(|error| at_body(context.failure(error)))
    }

    /// Compiles the body; what rustc says of it is shown at the line that it is about.
    fn compile(&self, context: &StatementContext, name: &TableName) -> Result<(), Failure> {
        let place = context.place(self.body);
        if let Some(refusal) = context.session.native_refusal() {
            return Err(refusal.at(place));
        }
        let (parameters, returns) =
            function_types(context, &self.function).map_err(|error| context.failure(error))?;
        let shown = name.shown(context.current_schema());
        let definition = NativeDefinition::new(&shown, &self.function, &parameters, &returns)
            .map_err(|failure| failure.at(place.clone()))?;
        let options = context.session.options();
        let Err(error) = definition.load(&options.program_path, &options.cache_folder) else {
            return Ok(());
        };
        // The body stands in the text as it is, behind the dollars that open it.
        let text = &context.text.text;
        let from = offset_of(text, self.body.line, self.body.column);
        let start = text[from..]
            .find(&self.function.body)
            .map(|start| from + start);
        let position = start.zip(error.at).map(|(start, at)| {
            let offset = (start + at).min(text.len());
            let behind = |character: char| !character.is_alphanumeric() && character != '_';
            let word = text[offset..].find(behind).unwrap_or(text.len() - offset);
            context.text.original(offset..offset + word)
        });
        let failure = error.into_failure();
        Err(failure.at(position.unwrap_or(place)))
    }
}

#[async_trait]
impl Statement for CreateFunction {
    fn verb(&self) -> &'static str {
        "CREATE FUNCTION"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        self.plan(context, &name)?;
        let definition = serde_json::to_string(&self.function).map_err(Failure::from_error)?;
        let entry = FunctionEntry {
            schema: name.schema.clone(),
            name: name.table.clone(),
            definition,
        };
        let catalog = context.session.catalog();
        if !catalog.create_function(&entry, self.on_conflict)? {
            let notice = format!(
                "function `{}` is there already; nothing was changed",
                name.table
            );
            context.notice(notice).await?;
        }
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        self.plan(context, &name)?;
        context.assume_function(name, Some(self.function.clone()));
        Ok(())
    }
}

/// The statement `DROP FUNCTION`.
pub static DROP_FUNCTION: StatementKind = StatementKind {
    name: "DROP FUNCTION",
    usage: "DROP FUNCTION | MACRO [IF EXISTS] name",
    summary: "Removes a function that CREATE FUNCTION has made.",
    examples: &["DROP FUNCTION IF EXISTS scaled;"],
    parse: |parser| {
        if !parser.accept(&["drop", "function"]) && !parser.accept(&["drop", "macro"]) {
            return Ok(None);
        }
        let if_exists = parser.if_exists();
        let name = parser.name()?;
        Ok(Some(Box::new(DropFunction { name, if_exists })))
    },
};

struct DropFunction {
    name: ObjectName,
    if_exists: bool,
}

#[async_trait]
impl Statement for DropFunction {
    fn verb(&self) -> &'static str {
        "DROP FUNCTION"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        let catalog = context.session.catalog();
        if catalog.drop_function(&name.schema, &name.table)? {
            return Ok(Output::done(self.verb()));
        }
        if !self.if_exists {
            let missing = catalog.function_not_found(&name.schema, &name.table);
            let failure = Failure::from(missing);
            return Err(match parts.last() {
                Some(part) => failure.at(context.place(part.span.start)),
                None => failure,
            });
        }
        let notice = format!("`{}` is not there; nothing was dropped", name.table);
        context.notice(notice).await?;
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        let known = match context.assumed_function(&name) {
            Some(assumed) => assumed.is_some(),
            None => {
                let catalog = context.session.catalog();
                catalog.function(&name.schema, &name.table)?.is_some()
            }
        };
        if !known && !self.if_exists {
            let catalog = context.session.catalog();
            return Err(catalog.function_not_found(&name.schema, &name.table).into());
        }
        context.assume_function(name, None);
        Ok(())
    }
}
