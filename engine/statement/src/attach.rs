//! ATTACH and DETACH: a folder or bucket whose tables are found by looking.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr, Ident};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_catalog::OnConflict;
use lakesh_event::event::Summary;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{constant_text, normalized};
use lakesh_text::failure::{Failure, FailureKind};
use std::collections::BTreeMap;

/// The statement `ATTACH`.
pub static ATTACH: StatementKind = StatementKind {
    name: "ATTACH",
    usage: "ATTACH [OR REPLACE] [IF NOT EXISTS] 'folder or URL' [AS name] [(option value, …)]",
    summary: "Gives every table below a folder or bucket a name: Delta tables, Parquet folders, files.",
    examples: &[
        "COPY (SELECT 1 AS n) TO 'lake/one.parquet'; ATTACH 'lake' AS lake; SELECT * FROM lake.one;",
    ],
    parse: |parser| {
        if !parser.accept(&["attach"]) {
            return Ok(None);
        }
        parser.accept(&["database"]);
        let on_conflict = if parser.accept(&["or", "replace"]) {
            OnConflict::Replace
        } else if parser.if_not_exists() {
            OnConflict::Skip
        } else {
            OnConflict::Fail
        };
        let location = parser.string()?;
        let name = if parser.accept(&["as"]) {
            Some(normalized(&parser.identifier()?))
        } else {
            None
        };
        let options = if parser.sql().peek_token_ref().token == Token::LParen {
            parser.options()?
        } else {
            Vec::new()
        };
        Ok(Some(Box::new(Attach {
            location,
            name,
            options,
            on_conflict,
        })))
    },
};

/// The statement `DETACH`.
pub static DETACH: StatementKind = StatementKind {
    name: "DETACH",
    usage: "DETACH [IF EXISTS] name",
    summary: "Forgets an attached folder; its files stay.",
    examples: &["COPY (SELECT 1 AS n) TO 'lake/one.parquet'; ATTACH 'lake' AS lake; DETACH lake;"],
    parse: |parser| {
        if !parser.accept(&["detach"]) {
            return Ok(None);
        }
        parser.accept(&["database"]);
        let if_exists = parser.if_exists();
        let name: Ident = parser.identifier()?;
        Ok(Some(Box::new(Detach {
            name: normalized(&name),
            if_exists,
        })))
    },
};

struct Attach {
    location: String,
    name: Option<String>,
    options: Vec<(String, Expr)>,
    on_conflict: OnConflict,
}

impl Attach {
    /// Returns the given name, or the folder's own.
    fn name(&self) -> Result<String, Failure> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let trimmed = self.location.trim_end_matches('/');
        let last = trimmed.rsplit('/').next().unwrap_or(trimmed);
        if last.is_empty() || last == "." || last == ".." {
            return Err(
                Failure::new(FailureKind::Plan, "the attached folder has no name")
                    .hint("give it one: ATTACH '…' AS name"),
            );
        }
        Ok(last.to_owned())
    }
}

#[async_trait]
impl Statement for Attach {
    fn verb(&self) -> &'static str {
        "ATTACH"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let name = self.name()?;
        let options = self
            .options
            .iter()
            .map(|(key, value)| {
                let value = constant_text(value, &context.state, context.parameters())?;
                Ok((key.clone(), value))
            })
            .collect::<Result<BTreeMap<_, _>, _>>()
            .map_err(|error| context.failure(error))?;
        let location = context.absolute(&self.location)?;
        let found = lakesh_table::discover(&location, &context.table_context()).await?;
        context
            .session
            .catalog()
            .attach(&name, &location, &options, self.on_conflict)?;
        if found.is_empty() {
            context
                .notice(format!("no table was found below `{}`", self.location))
                .await?;
        }
        Ok(Output::Done(Summary {
            verb: "ATTACH".to_owned(),
            counts: vec![("tables".to_owned(), found.len() as u64)],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.assume_schema(&self.name()?);
        Ok(())
    }
}

struct Detach {
    name: String,
    if_exists: bool,
}

#[async_trait]
impl Statement for Detach {
    fn verb(&self) -> &'static str {
        "DETACH"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let was_there = context.session.catalog().detach(&self.name)?;
        if was_there.is_none() && !self.if_exists {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{}` is not attached", self.name),
            ));
        }
        Ok(Output::done("DETACH"))
    }

    async fn check(&self, _context: &StatementContext) -> Result<(), Failure> {
        Ok(())
    }
}
