//! SET, RESET and USE.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr, Ident};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, StatementParser, constant_text, normalized};
use lakesh_text::failure::Failure;

/// The statement `SET`.
pub static SET: StatementKind = StatementKind {
    name: "SET",
    usage: "SET name = value\nSET TIME ZONE 'name'\nSET",
    summary: "Changes a setting of this session; the value may be any constant expression. SET alone lists the settings.",
    examples: &[
        "SET lakesh.max_rows = 20; SHOW lakesh.max_rows;",
        "SET TIME ZONE '+02:00';",
    ],
    parse: |parser| {
        if !parser.accept(&["set"]) {
            return Ok(None);
        }
        if is_at_the_end(parser) {
            return Ok(Some(Box::new(super::show::all_settings())));
        }
        if parser.accept(&["time", "zone"]) {
            if !parser.sql().consume_token(&Token::Eq) {
                parser.accept(&["to"]);
            }
            let value = parser.expression()?;
            let name = "datafusion.execution.time_zone".to_owned();
            return Ok(Some(Box::new(SetStatement {
                assignments: vec![(name, value)],
            })));
        }
        let mut assignments = Vec::new();
        loop {
            let name = setting_name(parser)?;
            if !parser.sql().consume_token(&Token::Eq) && !parser.accept(&["to"]) {
                return parser.expected("=");
            }
            assignments.push((name, parser.expression()?));
            if !parser.sql().consume_token(&Token::Comma) {
                break;
            }
        }
        Ok(Some(Box::new(SetStatement { assignments })))
    },
};

/// The statement `RESET`.
pub static RESET: StatementKind = StatementKind {
    name: "RESET",
    usage: "RESET name | ALL",
    summary: "Brings a setting, or all of them, back to what the session began with.",
    examples: &["SET lakesh.max_rows = 20; RESET lakesh.max_rows;"],
    parse: |parser| {
        if !parser.accept(&["reset"]) {
            return Ok(None);
        }
        if is_at_the_end(parser) || parser.accept(&["all"]) {
            return Ok(Some(Box::new(ResetAll)));
        }
        Ok(Some(Box::new(ResetStatement {
            name: setting_name(parser)?,
        })))
    },
};

/// The statement `USE`.
pub static USE: StatementKind = StatementKind {
    name: "USE",
    usage: "USE schema",
    summary: "Chooses the schema that names without one refer to.",
    examples: &["CREATE SCHEMA staging; USE staging;"],
    parse: |parser| {
        if !parser.accept(&["use"]) {
            return Ok(None);
        }
        let schema: Ident = parser.identifier()?;
        Ok(Some(Box::new(UseStatement {
            schema: normalized(&schema),
        })))
    },
};

fn is_at_the_end(parser: &mut StatementParser) -> bool {
    matches!(
        parser.sql().peek_token_ref().token,
        Token::EOF | Token::SemiColon
    )
}

/// The settings of Spark, which change nothing here.
const SPARK: &str = "spark.";

/// Reads a setting's name, with its dots.
pub(super) fn setting_name(parser: &mut StatementParser) -> ParseResult<String> {
    let mut parts = vec![normalized(&parser.identifier()?)];
    while parser.sql().consume_token(&Token::Period) {
        parts.push(normalized(&parser.identifier()?));
    }
    Ok(parts.join("."))
}

struct SetStatement {
    assignments: Vec<(String, Expr)>,
}

#[async_trait]
impl Statement for SetStatement {
    fn verb(&self) -> &'static str {
        "SET"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        for (name, value) in &self.assignments {
            if name.starts_with(SPARK) && !name.ends_with(".timezone") {
                let note = format!("`{name}` is a setting of Spark and changes nothing here");
                context.notice(note).await?;
                continue;
            }
            let name = match name.starts_with(SPARK) {
                true => "datafusion.execution.time_zone".to_owned(),
                false => context.session.full_setting_name(name),
            };
            let value = constant_text(value, &context.state, context.parameters())
                .map_err(|error| context.failure(error))?;
            let event = context.session.set(&name, &value)?;
            context.announce(event).await?;
        }
        Ok(Output::done("SET"))
    }

    /// Settings change how later statements are checked, so that they are set while checking too.
    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}

struct ResetStatement {
    name: String,
}

#[async_trait]
impl Statement for ResetStatement {
    fn verb(&self) -> &'static str {
        "RESET"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let name = context.session.full_setting_name(&self.name);
        let event = context.session.reset(&name)?;
        context.announce(event).await?;
        Ok(Output::done("RESET"))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}

struct ResetAll;

#[async_trait]
impl Statement for ResetAll {
    fn verb(&self) -> &'static str {
        "RESET"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        for event in context.session.reset_all()? {
            context.announce(event).await?;
        }
        Ok(Output::done("RESET"))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}

struct UseStatement {
    schema: String,
}

#[async_trait]
impl Statement for UseStatement {
    fn verb(&self) -> &'static str {
        "USE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        super::create_schema::require_schema(context, &self.schema)?;
        context.session.set_current_schema(&self.schema);
        Ok(Output::done("USE"))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}
