//! DROP TABLE, VIEW and SCHEMA.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_catalog::{DropBehavior, EntryHeader, EntryKind, Missing};
use lakesh_session::{Output, Overlay, Statement, StatementContext, StatementKind};
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::source::Place;

/// The statement `DROP`.
pub static DROP: StatementKind = StatementKind {
    name: "DROP",
    usage: "DROP TABLE | VIEW [IF EXISTS] name, …\nDROP SCHEMA [IF EXISTS] name [CASCADE]",
    summary: "Removes a name; the files of an external table stay, those of a managed one go.",
    examples: &["CREATE VIEW one AS SELECT 1 AS n; DROP VIEW one; DROP VIEW IF EXISTS one;"],
    parse: |parser| {
        let object =
            if parser.accept(&["drop", "table"]) || parser.accept(&["drop", "external", "table"]) {
                Object::Entry(EntryKind::Table)
            } else if parser.accept(&["drop", "view"]) {
                Object::Entry(EntryKind::View)
            } else if parser.accept(&["drop", "schema"]) || parser.accept(&["drop", "database"]) {
                Object::Schema
            } else {
                return Ok(None);
            };
        let if_exists = parser.if_exists();
        let mut names = vec![parser.name()?];
        while parser.sql().consume_token(&Token::Comma) {
            names.push(parser.name()?);
        }
        let behaviour = if parser.accept(&["cascade"]) {
            DropBehavior::Cascade
        } else {
            parser.accept(&["restrict"]);
            DropBehavior::Restrict
        };
        Ok(Some(Box::new(Drop {
            object,
            names,
            if_exists,
            behaviour,
        })))
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Object {
    Entry(EntryKind),
    Schema,
}

struct Drop {
    object: Object,
    names: Vec<ObjectName>,
    if_exists: bool,
    behaviour: DropBehavior,
}

impl Drop {
    /// Resolves the names, each once.
    fn resolved(&self, context: &StatementContext) -> Result<Vec<Named>, Failure> {
        let mut found: Vec<Named> = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let (table, parts) = TableName::from_object(name, context.current_schema())?;
            if !found.iter().any(|known| known.table == table) {
                let place = parts.last().map(|part| context.place(part.span.start));
                found.push(Named { table, place });
            }
        }
        Ok(found)
    }

    /// Drops tables or views: all of them, or none.
    async fn entries(&self, context: &StatementContext, kind: EntryKind) -> Result<(), Failure> {
        let mut names = self.resolved(context)?;
        // What is temporary hides what the catalog has.
        names.retain(|name| !context.session.drop_temporary(&name.table, kind));
        if names.is_empty() {
            return Ok(());
        }
        let keys: Vec<(&str, &str)> = names
            .iter()
            .map(|name| (name.table.schema.as_str(), name.table.table.as_str()))
            .collect();
        let catalog = context.session.catalog();
        let dropped = catalog.drop_all(&keys, kind, self.missing());
        let dropped = dropped.map_err(|error| match names.as_slice() {
            [only] => only.at_its_place(error.into()),
            _ => error.into(),
        })?;
        for (name, entry) in names.iter().zip(&dropped) {
            if entry.is_none() && !self.if_exists {
                return Err(name.at_its_place(not_found(context, kind, &name.table)));
            }
            if entry.is_none() {
                let message = format!("`{}` is not there; nothing was dropped", name.table.table);
                context.notice(message).await?;
            }
        }
        let dropped: Vec<EntryHeader> = dropped.into_iter().flatten().collect();
        remove_files(context, &dropped)
    }

    /// Drops schemas: all of them, or none.
    fn schemas(&self, context: &StatementContext) -> Result<(), Failure> {
        let catalog = context.session.catalog();
        let names = self.resolved(context)?;
        let keys: Vec<&str> = names.iter().map(|name| name.table.table.as_str()).collect();
        let dropped = catalog.drop_schemas(&keys, self.behaviour, self.missing())?;
        let missing = keys
            .iter()
            .zip(&dropped)
            .find(|(_, dropped)| dropped.is_none());
        if let Some((name, _)) = missing
            && !self.if_exists
        {
            let message = format!("schema `{name}` not found");
            return Err(Failure::new(FailureKind::Plan, message));
        }
        for entries in dropped.iter().flatten() {
            remove_files(context, entries)?;
        }
        Ok(())
    }

    fn missing(&self) -> Missing {
        match self.if_exists {
            true => Missing::Accepted,
            false => Missing::Refused,
        }
    }
}

/// A name, and where it stands.
struct Named {
    table: TableName,
    place: Option<Place>,
}

impl Named {
    fn at_its_place(&self, failure: Failure) -> Failure {
        match &self.place {
            Some(place) => failure.at(place.clone()),
            None => failure,
        }
    }
}

/// Removes the files of managed tables that were dropped.
fn remove_files(context: &StatementContext, dropped: &[EntryHeader]) -> Result<(), Failure> {
    let catalog = context.session.catalog();
    for entry in dropped.iter().filter(|entry| entry.managed) {
        if let Some(location) = &entry.location {
            catalog.remove_managed(std::path::Path::new(location))?;
        }
    }
    Ok(())
}

fn not_found(context: &StatementContext, kind: EntryKind, name: &TableName) -> Failure {
    let what = match kind {
        EntryKind::Table => "table",
        EntryKind::View => "view",
    };
    let shown = name.shown(context.current_schema());
    let failure = Failure::new(FailureKind::Plan, format!("{what} `{shown}` not found"));
    match context.session.catalog().attachment(&name.schema) {
        Ok(Some(_)) => failure.hint(format!(
            "`{0}` is attached: its tables are files; DETACH {0} removes the name",
            name.schema
        )),
        _ => failure.hint("DROP … IF EXISTS accepts a name that is not there"),
    }
}

#[async_trait]
impl Statement for Drop {
    fn verb(&self) -> &'static str {
        match self.object {
            Object::Entry(EntryKind::Table) => "DROP TABLE",
            Object::Entry(EntryKind::View) => "DROP VIEW",
            Object::Schema => "DROP SCHEMA",
        }
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        match self.object {
            Object::Entry(kind) => self.entries(context, kind).await?,
            Object::Schema => self.schemas(context)?,
        }
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        for name in &self.names {
            let (found, parts) = TableName::from_object(name, context.current_schema())?;
            if let Object::Entry(kind) = self.object {
                if !self.if_exists && !context.name_exists(&found)? {
                    let failure = not_found(context, kind, &found);
                    return Err(match parts.last() {
                        Some(part) => failure.at(context.place(part.span.start)),
                        None => failure,
                    });
                }
                context.assume(found, Overlay::Dropped);
            }
        }
        Ok(())
    }
}
