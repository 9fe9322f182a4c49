//! CREATE FEATURE VIEW and DROP FEATURE VIEW: views whose rows are facts about a key from a moment on.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::datasource::MemTable;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};
use lakesh_catalog::definition::{FeatureKeys, ViewDefinition};
use lakesh_catalog::{Entry, EntryKind, OnConflict};
use lakesh_session::scope::feature_graph;
use lakesh_session::{Output, Overlay, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{Query, StatementParser, TableName, normalized};
use lakesh_statement::create_view::accept_create;
use lakesh_statement::describe::provider_output;
use lakesh_text::failure::{Failure, FailureKind, sql_type_name};
use lakesh_text::similar::closest;

/// The statement `CREATE FEATURE VIEW`.
pub static CREATE_FEATURE_VIEW: StatementKind = StatementKind {
    name: "CREATE FEATURE VIEW",
    usage: "CREATE [OR REPLACE] FEATURE VIEW [IF NOT EXISTS] name KEYS (column, …) TIMESTAMP column AS query",
    summary: "Stores a query whose rows tell what was known of a key from a moment on, for ASOF JOIN.",
    examples: &[
        "CREATE TABLE rides AS SELECT value % 3 AS rider, to_timestamp(value) AS at, value AS fare FROM generate_series(1, 9); \
         CREATE FEATURE VIEW spent KEYS (rider) TIMESTAMP at AS \
         SELECT rider, at, sum(fare) OVER (PARTITION BY rider ORDER BY at) AS total FROM rides; \
         SELECT l.rider, spent.total FROM (SELECT 1 AS rider, to_timestamp(5) AS at) AS l \
         LEFT ASOF JOIN spent MATCH_CONDITION (l.at > spent.at) ON l.rider = spent.rider;",
    ],
    parse: |parser| {
        let Some(on_conflict) = accept_feature(parser) else {
            return Ok(None);
        };
        let if_not_exists = parser.if_not_exists();
        let name = parser.name()?;
        parser.expect(&["keys"])?;
        parser.sql().expect_token(&Token::LParen)?;
        let keys: Vec<Ident> = parser
            .sql()
            .parse_comma_separated(|parser| parser.parse_identifier())?;
        parser.sql().expect_token(&Token::RParen)?;
        parser.expect(&["timestamp"])?;
        let timestamp = parser.identifier()?;
        parser.expect(&["as"])?;
        if !starts_query(parser) {
            return parser.expected("a query");
        }
        let start = parser.sql().peek_token_ref().span.start;
        let query = parser.query()?;
        Ok(Some(Box::new(CreateFeatureView {
            name,
            keys,
            timestamp,
            query,
            start,
            on_conflict: match if_not_exists {
                true => OnConflict::Skip,
                false => on_conflict,
            },
        })))
    },
};

/// Consumes `CREATE [OR REPLACE] FEATURE VIEW`.
fn accept_feature(parser: &mut StatementParser) -> Option<OnConflict> {
    let begins = parser.peeks(&["create", "feature", "view"])
        || parser.peeks(&["create", "or", "replace", "feature", "view"]);
    if !begins {
        return None;
    }
    let on_conflict = accept_create(parser, "feature")?;
    parser.accept(&["view"]);
    Some(on_conflict)
}

struct CreateFeatureView {
    name: ObjectName,
    keys: Vec<Ident>,
    timestamp: Ident,
    query: Query,
    start: Location,
    on_conflict: OnConflict,
}

impl CreateFeatureView {
    fn definition(&self, context: &StatementContext) -> ViewDefinition {
        ViewDefinition {
            query: context.text_from(self.start),
            columns: Vec::new(),
            current_schema: context.current_schema().to_owned(),
            folder: Some(context.working_directory().to_string_lossy().into_owned()),
            comment: None,
            feature: Some(FeatureKeys {
                keys: self.keys.iter().map(normalized).collect(),
                timestamp: normalized(&self.timestamp),
            }),
        }
    }

    /// Plans the query, and checks that it returns the keys and a time.
    async fn plan(&self, context: &StatementContext) -> Result<(), Failure> {
        let plan = context.plan(self.query.clone()).await?;
        let fields = plan.schema().fields();
        for column in self.keys.iter().chain([&self.timestamp]) {
            let name = normalized(column);
            let found = fields.iter().find(|field| *field.name() == name);
            let failure = match found {
                None => {
                    let names = fields.iter().map(|field| field.name().as_str());
                    let failure = Failure::new(
                        FailureKind::Plan,
                        format!("the query returns no column `{name}`"),
                    );
                    match closest(&name, names) {
                        Some(close) => failure.hint(format!("did you mean `{close}`?")),
                        None => failure,
                    }
                }
                Some(field) if column == &self.timestamp && !is_time(field.data_type()) => {
                    Failure::new(
                        FailureKind::Plan,
                        format!(
                            "`{name}` is {}, not a time",
                            sql_type_name(field.data_type())
                        ),
                    )
                    .hint("a TIMESTAMP column is a timestamp, a date, or a whole number that grows with time")
                }
                Some(_) => continue,
            };
            return Err(failure.at(context.place(column.span.start)));
        }
        Ok(())
    }
}

fn is_time(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64
        )
}

#[async_trait]
impl Statement for CreateFeatureView {
    fn verb(&self) -> &'static str {
        "CREATE FEATURE VIEW"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        self.plan(context).await?;
        let definition = self.definition(context);
        // The second look finds a view that would name itself, and shows the way round.
        context.plan_view(&name, &definition).await?;
        let entry = Entry::View(definition);
        let catalog = context.session.catalog();
        catalog.create(&name.schema, &name.table, &entry, self.on_conflict)?;
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        self.plan(context).await?;
        context.assume(name, Overlay::View(self.definition(context)));
        Ok(())
    }
}

/// The statement `DROP FEATURE VIEW`.
pub static DROP_FEATURE_VIEW: StatementKind = StatementKind {
    name: "DROP FEATURE VIEW",
    usage: "DROP FEATURE VIEW [IF EXISTS] name",
    summary: "Removes a feature view.",
    examples: &["DROP FEATURE VIEW IF EXISTS spent;"],
    parse: |parser| {
        if !parser.accept(&["drop", "feature", "view"]) {
            return Ok(None);
        }
        let if_exists = parser.if_exists();
        let name = parser.name()?;
        Ok(Some(Box::new(DropFeatureView { name, if_exists })))
    },
};

struct DropFeatureView {
    name: ObjectName,
    if_exists: bool,
}

impl DropFeatureView {
    /// Finds the view; `None` where there is none and that is accepted.
    fn found(&self, context: &StatementContext) -> Result<Option<TableName>, Failure> {
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        let found = match context.overlay(&name) {
            Some(Overlay::View(view)) => Some(Entry::View(view)),
            Some(_) => None,
            None => context.session.catalog().get(&name.schema, &name.table)?,
        };
        let failure = match found {
            Some(Entry::View(view)) if view.feature.is_some() => return Ok(Some(name)),
            Some(_) => Failure::new(
                FailureKind::Plan,
                format!("`{}` is not a feature view", name.table),
            )
            .hint("DROP VIEW and DROP TABLE drop the others"),
            None if self.if_exists => return Ok(None),
            None => Failure::new(
                FailureKind::Plan,
                format!("feature view `{}` not found", name.table),
            )
            .hint("SHOW FEATURE VIEWS lists what there is"),
        };
        Err(match parts.last() {
            Some(part) => failure.at(context.place(part.span.start)),
            None => failure,
        })
    }
}

#[async_trait]
impl Statement for DropFeatureView {
    fn verb(&self) -> &'static str {
        "DROP FEATURE VIEW"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        match self.found(context)? {
            Some(name) => {
                let catalog = context.session.catalog();
                catalog.drop(&name.schema, &name.table, EntryKind::View)?;
            }
            None => {
                let notice = format!("`{}` is not there; nothing was dropped", self.name);
                context.notice(notice).await?;
            }
        }
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        if let Some(name) = self.found(context)? {
            context.assume(name, Overlay::Dropped);
        }
        Ok(())
    }
}

/// The statement `SHOW FEATURE GRAPH`.
pub static SHOW_FEATURE_GRAPH: StatementKind = StatementKind {
    name: "SHOW FEATURE GRAPH",
    usage: "SHOW FEATURE GRAPH [FOR name]",
    summary: "Lists feature views with all that they read, what is read before what reads it.",
    examples: &["CREATE TABLE t AS SELECT 1 AS k, 1 AS at; \
         CREATE FEATURE VIEW one KEYS (k) TIMESTAMP at AS SELECT * FROM t; \
         CREATE FEATURE VIEW two KEYS (k) TIMESTAMP at AS SELECT * FROM one; \
         SHOW FEATURE GRAPH FOR two;"],
    parse: |parser| {
        if !parser.accept(&["show", "feature", "graph"]) {
            return Ok(None);
        }
        let name = match parser.accept(&["for"]) {
            true => Some(parser.name()?),
            false => None,
        };
        Ok(Some(Box::new(ShowFeatureGraph { name })))
    },
};

struct ShowFeatureGraph {
    name: Option<ObjectName>,
}

#[async_trait]
impl Statement for ShowFeatureGraph {
    fn verb(&self) -> &'static str {
        "SHOW FEATURE GRAPH"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let name = self
            .name
            .as_ref()
            .map(|name| TableName::from_object(name, context.current_schema()))
            .transpose()?
            .map(|(name, _)| name);
        let batch = feature_graph(context, name).await?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])
            .map_err(|error| context.failure(error))?;
        provider_output(context, Arc::new(table))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.run(context).await.map(drop)
    }
}
