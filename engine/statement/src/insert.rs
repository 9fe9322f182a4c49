//! INSERT: adds rows to a table, in the place of all rows, of some, or of none.

mod copied;
mod parse;
mod rows;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, ObjectName, Query as SqlQuery};
use deltalake::DeltaTableError;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::VersionClauses;
use lakesh_table::{SchemaChange, WriteInput, WriteMode, WriteRequest, write_rows};
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

pub(crate) use copied::copied;

use crate::mutation::{
    self, Change, Changes, Columns, Commit, Mutation, Target, Written, has_subquery, is_recordable,
    touched_by, unqualified,
};

/// The statement `INSERT`.
pub static INSERT: StatementKind = StatementKind {
    name: "INSERT",
    usage: "INSERT [WITH SCHEMA EVOLUTION] INTO [TABLE] name [(column, …) | BY NAME] query | VALUES (…), …\n\
            INSERT [WITH SCHEMA EVOLUTION] OVERWRITE [TABLE] name [(column, …) | BY NAME] query | VALUES (…), …\n\
            INSERT INTO [TABLE] name REPLACE WHERE condition [(column, …) | BY NAME] query | VALUES (…), …\n\
            INSERT INTO [TABLE] name [(column, …)] query | VALUES (…), … ON CONFLICT (key, …)\n\
            DO NOTHING | DO UPDATE SET column = value, … [WHERE condition]",
    summary: "Adds rows; columns that are not named become NULL. OVERWRITE replaces all rows, REPLACE WHERE those for which the condition holds; ON CONFLICT looks for the keys first, and `excluded` is the new row.",
    examples: &[
        "CREATE TABLE t (id INT, name VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, 'b'); SELECT * FROM t;",
        "CREATE TABLE t (id INT, name VARCHAR); INSERT INTO t BY NAME SELECT 'a' AS name, 1 AS id; \
         INSERT INTO t REPLACE WHERE id = 1 VALUES (1, 'b'); INSERT OVERWRITE t VALUES (2, 'c');",
    ],
    parse: |parser| {
        if !parser.peeks(&["insert"]) {
            return Ok(None);
        }
        parser.accept(&["insert"]);
        parse::parse(parser).map(Some)
    },
};

/// What happens to the rows that are there.
enum Existing {
    Keep,
    Replace,
    ReplaceWhere(Box<SqlExpr>),
}

/// How the query's columns find those of the table.
#[derive(PartialEq)]
enum Matching {
    /// In the table's order.
    Position,
    /// In the order of this list.
    Listed(Vec<Ident>),
    /// By their names.
    Name,
}

struct Insert {
    table: ObjectName,
    existing: Existing,
    matching: Matching,
    evolves: bool,
    query: Box<SqlQuery>,
    versions: VersionClauses,
}

impl Insert {
    /// Plans which rows are replaced.
    fn mode(&self, context: &StatementContext, target: &Target) -> Result<WriteMode, Failure> {
        let condition = match &self.existing {
            Existing::Keep => return Ok(WriteMode::Append),
            Existing::Replace => return Ok(WriteMode::Overwrite),
            Existing::ReplaceWhere(condition) => condition,
        };
        let explain = |error| context.failure(error);
        let name = self.table.0.last().and_then(|part| part.as_ident());
        let visible = name.map(lakesh_sql::normalized).unwrap_or_default();
        let columns = Columns::new(context, target.qualified(&visible).map_err(explain)?);
        if has_subquery(condition) {
            return Err(Failure::new(
                FailureKind::Plan,
                "the condition of REPLACE WHERE cannot hold a query",
            )
            .hint("DELETE takes conditions with queries; INSERT adds the rows afterwards"));
        }
        let planned = columns.condition(condition)?;
        if !is_recordable(&planned) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "`{condition}` cannot be written into the table's log, as REPLACE WHERE must"
                ),
            ));
        }
        unqualified(planned)
            .map(WriteMode::Replace)
            .map_err(explain)
    }
}

#[async_trait]
impl Statement for Insert {
    fn verb(&self) -> &'static str {
        "INSERT"
    }

    fn writes(&self) -> bool {
        true
    }

    fn foretells(&self) -> bool {
        true
    }

    async fn foretell(&self, context: &StatementContext) -> Result<Output, Failure> {
        mutation::explain(self, context).await
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        mutation::run(self, context).await
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        mutation::check(self, context).await
    }
}

#[async_trait]
impl Mutation for Insert {
    fn verb(&self) -> &'static str {
        "INSERT"
    }

    fn target(&self) -> &ObjectName {
        &self.table
    }

    fn condition(&self) -> Option<String> {
        match &self.existing {
            Existing::ReplaceWhere(condition) => Some(format!("`REPLACE WHERE {condition}`")),
            Existing::Keep | Existing::Replace => None,
        }
    }

    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure> {
        let mode = self.mode(context, target)?;
        let rows = self.rows(context, target).await?;
        let request = WriteRequest {
            schema_change: match rows.adds_columns {
                true => SchemaChange::Merge,
                false => SchemaChange::Refuse,
            },
            ..WriteRequest::new(WriteInput::Query(rows.plan), mode)
        };
        Ok(Box::new(InsertChange {
            reads_target: rows.reads_target,
            request: Erased::new(request),
        }))
    }
}

/// An INSERT that is ready to run.
struct InsertChange {
    request: Erased<WriteRequest>,
    /// Whether the rows depend on the table that they go to.
    reads_target: bool,
}

#[async_trait]
impl Change for InsertChange {
    fn is_blind_append(&self) -> bool {
        self.request.mode == WriteMode::Append
            && self.request.schema_change == SchemaChange::Refuse
            && !self.reads_target
    }

    fn touched(&self, target: &Target) -> Result<Option<LogicalPlan>, Failure> {
        match &self.request.mode {
            WriteMode::Create | WriteMode::Append => Ok(None),
            WriteMode::Overwrite => touched_by(target, None),
            WriteMode::Replace(condition) => touched_by(target, Some(condition.clone())),
        }
    }

    async fn write(self: Box<Self>, commit: Commit) -> Result<Written, DeltaTableError> {
        let mut request = self.request.into_inner();
        request.commit = commit.properties;
        let (table, metrics) = write_rows(commit.table, request, commit.state.own()).await?;
        Ok(Written {
            table,
            changes: Changes {
                inserted: Some(metrics.rows),
                files_added: metrics.files_added,
                files_removed: metrics.files_removed,
                ..Changes::default()
            },
        })
    }
}
