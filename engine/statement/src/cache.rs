//! CACHE TABLE, UNCACHE TABLE, CLEAR CACHE and SHOW CACHE: rows that the session keeps.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_catalog::definition::ViewDefinition;
use lakesh_event::event::Summary;
use lakesh_plan::cache::{CacheEntry, CacheSource, Storage};
use lakesh_session::scope::Resolver;
use lakesh_session::{Output, Overlay, Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, Query, StatementParser, TableName, constant_text, parse_query};
use lakesh_text::failure::{Failure, FailureKind};

/// The statement `CACHE TABLE`.
pub static CACHE: StatementKind = StatementKind {
    name: "CACHE TABLE",
    usage: "CACHE [LAZY] TABLE name [OPTIONS ('storage' = 'memory' | 'memory_and_disk' | 'disk')] [AS query]",
    summary: "Keeps the rows of a table, a view or a query for this session; LAZY computes them when they are first read.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS a; CACHE TABLE t; SELECT * FROM t; SHOW CACHE;",
        "CACHE LAZY TABLE small OPTIONS ('storage' = 'disk') AS SELECT value FROM generate_series(1, 9); SELECT count(*) FROM small;",
    ],
    parse: |parser| {
        if !parser.peeks(&["cache", "table"]) && !parser.peeks(&["cache", "lazy", "table"]) {
            return Ok(None);
        }
        parser.accept(&["cache"]);
        let lazy = parser.accept(&["lazy"]);
        parser.expect(&["table"])?;
        let name = parser.name()?;
        let options = match parser.accept(&["options"]) {
            true => parser.options()?,
            false => Vec::new(),
        };
        let query = match parser.accept_keyword(Keyword::AS) {
            true => Some(body(parser)?),
            false => None,
        };
        Ok(Some(Box::new(CacheTable {
            lazy,
            name,
            options,
            query,
        })))
    },
};

/// The statement `UNCACHE TABLE`.
pub static UNCACHE: StatementKind = StatementKind {
    name: "UNCACHE TABLE",
    usage: "UNCACHE TABLE [IF EXISTS] name",
    summary: "Lets the rows of a cached table go.",
    examples: &["CACHE TABLE one AS SELECT 1 AS a; UNCACHE TABLE one;"],
    parse: |parser| {
        if !parser.accept(&["uncache"]) {
            return Ok(None);
        }
        parser.expect(&["table"])?;
        let if_exists = parser.if_exists();
        Ok(Some(Box::new(UncacheTable {
            if_exists,
            name: parser.name()?,
        })))
    },
};

/// The statement `CLEAR CACHE`.
pub static CLEAR_CACHE: StatementKind = StatementKind {
    name: "CLEAR CACHE",
    usage: "CLEAR CACHE",
    summary: "Lets the rows of all cached tables go.",
    examples: &["CLEAR CACHE;"],
    parse: |parser| {
        let found = parser.accept(&["clear", "cache"]);
        Ok(found.then(|| Box::new(ClearCache) as Box<dyn Statement>))
    },
};

/// The statement `SHOW CACHE`.
pub static SHOW_CACHE: StatementKind = StatementKind {
    name: "SHOW CACHE",
    usage: "SHOW CACHE",
    summary: "Lists the cached tables with their rows, bytes, hits and misses; `system.cache` stands in FROM.",
    examples: &["CACHE TABLE one AS SELECT 1 AS a; SHOW CACHE;"],
    parse: |parser| {
        if !parser.accept(&["show", "cache"]) {
            return Ok(None);
        }
        let query = parse_query("SELECT * FROM system.cache ORDER BY \"schema\", name")?;
        Ok(Some(Box::new(ShowCache { query })))
    },
};

/// Reads a query; returns where it begins, for its text is what is kept.
fn body(parser: &mut StatementParser) -> ParseResult<Location> {
    let start = parser.sql().peek_token_ref().span.start;
    parser.query()?;
    Ok(start)
}

struct CacheTable {
    lazy: bool,
    name: ObjectName,
    options: Vec<(String, Expr)>,
    query: Option<Location>,
}

impl CacheTable {
    fn storage(&self, context: &StatementContext) -> Result<Storage, Failure> {
        let mut storage = Storage::MemoryAndDisk;
        for (name, value) in &self.options {
            if !matches!(name.as_str(), "storage" | "storagelevel") {
                let message = format!("`{name}` is not an option of CACHE TABLE");
                return Err(
                    Failure::new(FailureKind::Plan, message).hint("the option is `storage`")
                );
            }
            let text = constant_text(value, &context.state, context.parameters())
                .map_err(|error| context.failure(error))?;
            storage = Storage::from_text(&text).ok_or_else(|| {
                let message = format!("`{text}` is not a value of `storage`");
                Failure::new(FailureKind::Plan, message)
                    .hint("the values are memory, memory_and_disk and disk")
            })?;
        }
        Ok(storage)
    }

    fn entry(&self, context: &StatementContext) -> Result<(Arc<CacheEntry>, Vec<Ident>), Failure> {
        let storage = self.storage(context)?;
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        let source = match &self.query {
            None => CacheSource::Named,
            Some(start) => {
                if context.name_exists(&name)? {
                    let shown = name.shown(context.current_schema());
                    let message = format!("`{shown}` is there already");
                    return Err(Failure::new(FailureKind::Plan, message)
                        .hint("choose another name, or leave AS out to cache what is there"));
                }
                CacheSource::Query(ViewDefinition {
                    query: context.text_from(*start),
                    columns: Vec::new(),
                    current_schema: context.current_schema().to_owned(),
                    folder: context.working_directory().to_str().map(str::to_owned),
                    comment: None,
                    feature: None,
                })
            }
        };
        let budget = &context.session.cache().budget;
        let entry = CacheEntry::new(name, source, storage, budget);
        Ok((Arc::new(entry), parts))
    }
}

#[async_trait]
impl Statement for CacheTable {
    fn verb(&self) -> &'static str {
        "CACHE TABLE"
    }

    fn keeps_rows(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (entry, parts) = self.entry(context)?;
        let table = {
            let mut resolver = Resolver::new(context);
            let table = resolver.cached_table(Arc::clone(&entry), &parts).await?;
            context.observer.reads(&resolver.reads);
            table
        };
        let mut summary = Summary {
            verb: self.verb().to_owned(),
            ..Summary::default()
        };
        if !self.lazy {
            let filled = table.fill(&context.state).await;
            let rows = filled.map_err(|error| context.failure(error))?;
            summary.rows = Some(rows.rows);
        }
        context.session.cache().insert(entry);
        Ok(Output::Done(summary))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (entry, parts) = self.entry(context)?;
        let mut resolver = Resolver::new(context);
        resolver.cached_table(Arc::clone(&entry), &parts).await?;
        if let CacheSource::Query(view) = &entry.source {
            context.assume(entry.name.clone(), Overlay::View(view.clone()));
        }
        Ok(())
    }
}

struct UncacheTable {
    if_exists: bool,
    name: ObjectName,
}

#[async_trait]
impl Statement for UncacheTable {
    fn verb(&self) -> &'static str {
        "UNCACHE TABLE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        if context.session.cache().remove(&name) || self.if_exists {
            return Ok(Output::done(self.verb()));
        }
        let shown = name.shown(context.current_schema());
        let message = format!("table `{shown}` is not cached");
        Err(Failure::new(FailureKind::Plan, message).hint("SHOW CACHE lists what is"))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        TableName::from_object(&self.name, context.current_schema()).map(drop)
    }
}

struct ClearCache;

#[async_trait]
impl Statement for ClearCache {
    fn verb(&self) -> &'static str {
        "CLEAR CACHE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let tables = context.session.cache().clear();
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![("tables".to_owned(), tables)],
            ..Summary::default()
        }))
    }

    async fn check(&self, _: &StatementContext) -> Result<(), Failure> {
        Ok(())
    }
}

struct ShowCache {
    query: Query,
}

#[async_trait]
impl Statement for ShowCache {
    fn verb(&self) -> &'static str {
        "SHOW CACHE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        Ok(Output::Plan(context.plan(self.query.clone()).await?))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.query.clone()).await.map(drop)
    }
}
