//! CREATE TABLE: a Delta table, empty or with the rows of a query.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    CheckConstraint, ColumnDef, Expr as SqlExpr, Ident, ObjectName, TableConstraint, Value,
};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_catalog::definition::{DELTA, TableDefinition};
use lakesh_catalog::{Entry, OnConflict};
use lakesh_event::event::Summary;
use lakesh_plan::nullable::taking_null;
use lakesh_session::{Output, Overlay, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{
    ParseResult, Query, Selection, StatementParser, TableName, normalized, without_joins,
};
use lakesh_table::{SchemaChange, WriteInput, WriteMode, WriteRequest};
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use super::alter_table::{Action, AlterTable, properties};
use super::columns::{defined_columns, partition_columns};
use super::create_view::accept_create_temporary;
use crate::mutation::Columns;

/// The statement `CREATE TABLE`.
pub static CREATE_TABLE: StatementKind = StatementKind {
    name: "CREATE TABLE",
    usage: "CREATE [OR REPLACE] [TEMP] TABLE [IF NOT EXISTS] name [(column type [NOT NULL] [COMMENT 'text']\n\
            [GENERATED ALWAYS AS (expression)], …, [CONSTRAINT name CHECK (condition)])] [USING DELTA]\n\
            [PARTITIONED BY (column, …)] [LOCATION 'path or URL'] [COMMENT 'text']\n\
            [TBLPROPERTIES (key = value, …)] [AS query | LIKE table]",
    summary: "Makes a Delta table, in the catalog's own folder or at a location. A TEMP TABLE goes with the session.",
    examples: &[
        "CREATE TABLE n AS SELECT value FROM generate_series(1, 3); SELECT sum(value) FROM n;",
        "CREATE TABLE zones (id INT, name VARCHAR) USING DELTA LOCATION 'zones'; \
         INSERT INTO zones VALUES (1, 'Newark'); SELECT * FROM zones;",
    ],
    parse: |parser| {
        let Some((on_conflict, is_temporary)) = accept_create_temporary(parser, "table") else {
            return Ok(None);
        };
        parse(parser, on_conflict, is_temporary)
            .map(|statement| Some(Box::new(statement) as Box<dyn Statement>))
    },
};

fn parse(
    parser: &mut StatementParser,
    on_conflict: OnConflict,
    is_temporary: bool,
) -> ParseResult<CreateTable> {
    let on_conflict = if parser.if_not_exists() {
        OnConflict::Skip
    } else {
        on_conflict
    };
    let mut statement = CreateTable {
        name: parser.name()?,
        columns: Vec::new(),
        partition_columns: Vec::new(),
        location: None,
        comment: None,
        properties: BTreeMap::new(),
        constraints: Vec::new(),
        query: None,
        is_temporary,
        on_conflict,
    };
    if parser.sql().peek_token_ref().token == Token::LParen {
        let (mut columns, mut constraints) = parser.sql().parse_columns()?;
        parser.complete(&mut columns)?;
        parser.complete(&mut constraints)?;
        statement.columns = columns;
        statement.constraints = checks(constraints)?;
    }
    loop {
        if parser.accept(&["using"]) {
            let format = parser.identifier()?;
            if !format.value.eq_ignore_ascii_case(DELTA) {
                return Err(datafusion::common::DataFusionError::Plan(format!(
                    "CREATE TABLE makes Delta tables, not `{}`; write files with COPY and name them with CREATE EXTERNAL TABLE",
                    format.value
                )));
            }
        } else if parser.accept(&["partitioned", "by"]) {
            parser.sql().expect_token(&Token::LParen)?;
            let columns: Vec<Ident> = parser
                .sql()
                .parse_comma_separated(|parser| parser.parse_identifier())?;
            parser.sql().expect_token(&Token::RParen)?;
            statement.partition_columns = columns.iter().map(normalized).collect();
        } else if parser.peeks(&["location"]) && is_temporary {
            return Err(datafusion::common::DataFusionError::Plan(
                "a temporary table has no LOCATION: it goes with the session".to_owned(),
            ));
        } else if parser.accept(&["location"]) {
            statement.location = Some(parser.string()?);
        } else if parser.accept(&["comment"]) {
            parser.skip(&Token::Eq);
            statement.comment = Some(parser.string()?);
        } else if parser.accept(&["tblproperties"]) {
            statement.properties = properties(parser)?.into_iter().collect();
        } else {
            break;
        }
    }
    if statement.columns.is_empty() && parser.accept(&["like"]) {
        statement.query = Some(like(parser)?);
        return Ok(statement);
    }
    let has_as = parser.accept(&["as"]);
    if has_as || starts_query(parser) {
        statement.query = Some(parser.query()?);
    }
    Ok(statement)
}

/// Reads the table whose columns the new one has; it has no rows.
fn like(parser: &mut StatementParser) -> ParseResult<Query> {
    let mut factor = parser.sql().parse_table_factor()?;
    parser.complete(&mut factor)?;
    let nothing = SqlExpr::value(Value::Boolean(false));
    let selection = Selection {
        distinct: false,
        items: Vec::new(),
        from: vec![without_joins(factor)],
        condition: Some(nothing),
    };
    selection.query(parser.take_versions())
}

/// Takes CHECK constraints; Delta tables have no others.
///
/// One without a name is called `check_1`, `check_2` and so on, by its place.
fn checks(constraints: Vec<TableConstraint>) -> ParseResult<Vec<(Ident, SqlExpr)>> {
    constraints
        .into_iter()
        .zip(1..)
        .map(|(constraint, place)| match constraint {
            TableConstraint::Check(CheckConstraint { name, expr, .. }) => {
                let name = name.unwrap_or_else(|| Ident::new(format!("check_{place}")));
                Ok((name, *expr))
            }
            other => Err(datafusion::common::DataFusionError::NotImplemented(
                format!("`{other}`: Delta tables have CHECK constraints only"),
            )),
        })
        .collect()
}

struct CreateTable {
    name: ObjectName,
    columns: Vec<ColumnDef>,
    partition_columns: Vec<String>,
    location: Option<String>,
    comment: Option<String>,
    properties: BTreeMap<String, String>,
    constraints: Vec<(Ident, SqlExpr)>,
    query: Option<Query>,
    is_temporary: bool,
    on_conflict: OnConflict,
}

impl CreateTable {
    /// Plans the rows of the new table; without a query there are none.
    async fn input(&self, context: &StatementContext) -> Result<Erased<LogicalPlan>, Failure> {
        if let Some(query) = &self.query {
            if !self.columns.is_empty() {
                return Err(Failure::new(
                    FailureKind::Plan,
                    "CREATE TABLE … AS takes its columns from the query",
                )
                .hint("leave the column list out, or CAST inside the query"));
            }
            let rows = context.plan(query.clone()).await?.into_inner();
            return taking_null(rows)
                .map(Erased::new)
                .map_err(|error| context.failure(error));
        }
        if self.columns.is_empty() {
            return Err(
                Failure::new(FailureKind::Plan, "a table needs columns or a query").hint(
                    "CREATE TABLE t (id BIGINT, name VARCHAR), or CREATE TABLE t AS SELECT …",
                ),
            );
        }
        let schema = defined_columns(context, &self.columns)?;
        self.check_constraints(context, &schema)?;
        empty_plan(Arc::new(schema))
            .map(Erased::new)
            .map_err(|error| context.failure(error))
    }

    /// Plans the constraints, so that a wrong one is found before the table is made.
    fn check_constraints(
        &self,
        context: &StatementContext,
        schema: &Schema,
    ) -> Result<(), Failure> {
        let schema = DFSchema::try_from(schema.clone()).map_err(|error| context.failure(error))?;
        let columns = Columns::new(context, schema);
        for (_, condition) in &self.constraints {
            columns.condition(condition)?;
        }
        Ok(())
    }

    /// Splits the properties: what belongs to Delta is set with the table's first version, where it
    /// can decide the protocol; what is the user's own, and anything on a table that was there, after.
    fn first_properties(&self, is_new: bool) -> BTreeMap<String, String> {
        let is_first = |name: &str| is_new && name.starts_with("delta.");
        let first = self.properties.iter().filter(|(name, _)| is_first(name));
        first
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Adds what cannot be part of the first version; returns what the last change did.
    async fn complete(
        &self,
        context: &StatementContext,
        is_new: bool,
    ) -> Result<Option<Output>, Failure> {
        let first = self.first_properties(is_new);
        let later: HashMap<String, String> = self
            .properties
            .iter()
            .filter(|(name, _)| !first.contains_key(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut actions = Vec::new();
        if !later.is_empty() {
            actions.push(Action::SetProperties(later));
        }
        // The library gives a comment to new tables only.
        if let Some(comment) = self.comment.clone().filter(|_| !is_new) {
            actions.push(Action::CommentTable(comment));
        }
        let constraints = self.constraints.iter().cloned();
        actions.extend(
            constraints.map(|(name, condition)| Action::AddConstraint(name, Box::new(condition))),
        );
        let mut last = None;
        for action in actions {
            let alter = AlterTable {
                table: self.name.clone(),
                action,
            };
            last = Some(crate::mutation::run(&alter, context).await?);
        }
        Ok(last)
    }

    /// Makes a table that goes with the session.
    async fn make_temporary(
        &self,
        context: &StatementContext,
        name: &TableName,
    ) -> Result<Output, Failure> {
        if context.session.skips_temporary(name, self.on_conflict)? {
            let note = format!(
                "table `{}` is there already; nothing was changed",
                name.table
            );
            context.notice(note).await?;
            return Ok(Output::done(self.verb()));
        }
        let input = self.input(context).await?;
        let partitions =
            partition_columns(context, &self.partition_columns, input.schema().as_arrow())?;
        let folder = context.session.temporary_folder()?;
        let location = folder.path().to_string_lossy().into_owned();
        let definition = self.definition(location, &partitions);
        let mut request = WriteRequest::new(WriteInput::Query(input), WriteMode::Create);
        request.schema_change = SchemaChange::Refuse;
        request.partition_columns = partitions;
        request.comment.clone_from(&self.comment);
        request.properties = self.first_properties(true);
        let report = context.write_delta(&definition, request).await?;
        let entry = Entry::Table {
            definition,
            managed: false,
        };
        context.session.keep_temporary(name, entry, Some(folder));
        self.complete(context, true).await?;
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            rows: Some(report.rows),
            ..Summary::default()
        }))
    }

    fn definition(&self, location: String, managed_columns: &[String]) -> TableDefinition {
        TableDefinition {
            partition_columns: managed_columns.to_vec(),
            comment: self.comment.clone(),
            ..TableDefinition::delta(location)
        }
    }
}

fn empty_plan(schema: SchemaRef) -> Result<LogicalPlan, datafusion::common::DataFusionError> {
    let source = datafusion::datasource::provider_as_source(Arc::new(EmptyTable::new(schema)));
    LogicalPlanBuilder::scan("columns", source, None)?.build()
}

#[async_trait]
impl Statement for CreateTable {
    fn verb(&self) -> &'static str {
        "CREATE TABLE"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        super::create_schema::require_schema(context, &name.schema)?;
        if self.is_temporary {
            return self.make_temporary(context, &name).await;
        }
        let catalog = context.session.catalog();
        let existing = catalog.get(&name.schema, &name.table)?;
        match (&existing, self.on_conflict) {
            (Some(_), OnConflict::Skip) => {
                let text = format!(
                    "table `{}` is there already; nothing was changed",
                    name.table
                );
                context.notice(text).await?;
                return Ok(Output::done(self.verb()));
            }
            (Some(_), OnConflict::Fail) => {
                let shown = name.shown(context.current_schema());
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("table `{shown}` exists already"),
                )
                .hint("CREATE OR REPLACE TABLE replaces it, IF NOT EXISTS keeps it"));
            }
            _ => {}
        }
        if let Some(Entry::View(_)) = &existing {
            let shown = name.shown(context.current_schema());
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{shown}` is a view, not a table"),
            )
            .hint(format!("DROP VIEW {shown} frees the name")));
        }
        let input = self.input(context).await?;
        let managed = self.location.is_none();
        let location = match &self.location {
            Some(location) => context.absolute(location)?,
            None => {
                let folder = catalog.managed_location(&name.schema, &name.table)?;
                folder.to_string_lossy().into_owned()
            }
        };
        let beginning = match managed {
            true => Some(catalog.begin_managed(std::path::Path::new(&location))?),
            false => None,
        };
        let partitions =
            partition_columns(context, &self.partition_columns, input.schema().as_arrow())?;
        let definition = self.definition(location, &partitions);
        let (mode, schema_change) = match (managed, self.on_conflict) {
            (false, OnConflict::Replace) => (WriteMode::Overwrite, SchemaChange::Overwrite),
            _ => (WriteMode::Create, SchemaChange::Refuse),
        };
        let is_new = mode == WriteMode::Create;
        let mut request = WriteRequest::new(WriteInput::Query(input), mode);
        request.schema_change = schema_change;
        request.partition_columns = partitions;
        request.comment.clone_from(&self.comment);
        request.properties = self.first_properties(is_new);
        let report = context.write_delta(&definition, request).await?;
        let entry = Entry::Table {
            definition,
            managed,
        };
        catalog.create(&name.schema, &name.table, &entry, self.on_conflict)?;
        if let Some(beginning) = beginning {
            beginning.finish();
        }
        if let Some(Entry::Table {
            definition: old,
            managed: true,
        }) = existing
        {
            for location in &old.locations {
                catalog.remove_managed(std::path::Path::new(location))?;
            }
        }
        let mut version = report.version;
        if let Some(Output::Done(completed)) = self.complete(context, is_new).await? {
            let last = completed.counts.iter().find(|(name, _)| name == "version");
            version = last.map_or(version, |(_, last)| *last);
        }
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            rows: Some(report.rows),
            counts: vec![
                ("files".to_owned(), report.files),
                ("version".to_owned(), version),
            ],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        let plan = self.input(context).await?;
        let schema: &Schema = plan.schema().as_arrow();
        partition_columns(context, &self.partition_columns, schema)?;
        let provider = Arc::new(EmptyTable::new(Arc::new(schema.clone())));
        context.assume(name, Overlay::Table(provider));
        Ok(())
    }
}
