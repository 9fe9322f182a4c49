//! The table that a mutation changes, in its newest state.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, TableReference};
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::Ident;
use deltalake::{DeltaTable, DeltaTableError};
use lakesh_session::StatementContext;
use lakesh_session::scope::{Found, Resolver, find_name};
use lakesh_sql::TableName;
use lakesh_table::OpenForChange;
use lakesh_table::commit::PointOfNoReturn;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use super::Mutation;

/// What a mutation is planned against.
pub(crate) struct Target {
    /// The name as the user would write it.
    pub(crate) shown: String,
    /// Scans the state that the mutation reads.
    pub(crate) provider: Arc<dyn TableProvider>,
    /// Scans the same state with the name of each row's file in this column; absent while checking.
    pub(crate) with_files: Option<Arc<dyn TableProvider>>,
    /// Where the table lies; absent while checking a script that would make it.
    pub(crate) location: Option<String>,
    /// The names of the partition columns; empty while checking a script that would make the table.
    pub(crate) partitions: Vec<String>,
    /// The names of the columns that the table computes.
    pub(crate) generated: Vec<String>,
}

impl Target {
    /// Returns the columns in the table's order.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.provider.schema()
    }

    /// Returns the columns under the name that the statement gives the table.
    pub(crate) fn qualified(
        &self,
        name: &str,
    ) -> Result<DFSchema, datafusion::common::DataFusionError> {
        DFSchema::try_from_qualified_schema(TableReference::bare(name), &self.schema())
    }

    /// Finds a column by the name that the user wrote; explains one that is not there.
    pub(crate) fn column(
        &self,
        context: &StatementContext,
        name: &Ident,
    ) -> Result<usize, Failure> {
        let wanted = lakesh_sql::normalized(name);
        let schema = self.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let found = find_name(context, names.clone(), name)?;
        if let Some(index) = found.and_then(|found| schema.index_of(&found).ok()) {
            return Ok(index);
        }
        let failure = Failure::new(
            FailureKind::Plan,
            format!("table `{}` has no column `{wanted}`", self.shown),
        );
        let failure = match lakesh_text::similar::closest(&wanted, names) {
            Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
            None => failure,
        };
        Err(failure.at(context.place(name.span.start)))
    }

    /// Opens what `--check` knows of the table: it may exist only by an earlier statement.
    pub(super) async fn for_check(
        context: &StatementContext,
        mutation: &dyn Mutation,
    ) -> Result<Self, Failure> {
        let (name, _) = TableName::from_object(mutation.target(), context.current_schema())?;
        if let Some(lakesh_session::Overlay::Table(provider)) = context.overlay(&name) {
            return Ok(Self {
                shown: name.shown(context.current_schema()),
                generated: lakesh_table::generated_columns(&provider.schema()),
                provider,
                partitions: Vec::new(),
                with_files: None,
                location: None,
            });
        }
        Ok(DeltaTarget::open(context, mutation).await?.target)
    }
}

/// A target with what is needed to write it.
pub(super) struct DeltaTarget {
    pub(super) target: Target,
    open: OpenForChange,
}

impl DeltaTarget {
    /// Loads the newest state of the table that a mutation names.
    pub(super) async fn open(
        context: &StatementContext,
        mutation: &dyn Mutation,
    ) -> Result<Self, Failure> {
        let object = mutation.target();
        let (name, parts) = TableName::from_object(object, context.current_schema())?;
        let shown = name.shown(context.current_schema());
        let place = parts.last().map(|part| context.place(part.span.start));
        let opened = Self::open_named(context, mutation.verb(), &name, &parts, shown).await;
        opened.map_err(|failure| match place {
            Some(place) if failure.place.is_none() => failure.at(place),
            _ => failure,
        })
    }

    async fn open_named(
        context: &StatementContext,
        verb: &str,
        name: &TableName,
        parts: &[Ident],
        shown: String,
    ) -> Result<Self, Failure> {
        let refuse = |what: &str| {
            Failure::new(
                FailureKind::Plan,
                format!("`{shown}` is {what}; {verb} changes Delta tables only"),
            )
        };
        let definition = match Resolver::new(context).find(name, parts).await? {
            Found::Table(definition) => definition,
            Found::View(_) => return Err(refuse("a view")),
            Found::Earlier(..) => return Err(refuse("an earlier result")),
            Found::Provider(_) => return Err(refuse("a system table")),
        };
        if !definition.is_delta() {
            let what = format!("a table of format `{}`", definition.format);
            let failure = refuse(&what);
            return Err(match definition.format.as_str() {
                "parquet" => failure.hint("CONVERT TO DELTA makes a Delta table of Parquet files"),
                _ => failure.hint("CREATE TABLE … AS SELECT makes a Delta table of it"),
            });
        }
        let open = OpenForChange::open(&definition, &context.table_context()).await?;
        Ok(Self {
            target: Target {
                shown,
                provider: Arc::clone(&open.provider),
                with_files: Some(Arc::clone(&open.with_files)),
                location: Some(open.location()),
                partitions: open.partition_columns()?,
                generated: lakesh_table::generated_columns(&open.provider.schema()),
            },
            open,
        })
    }

    /// Returns the table with a log store that notes when the commit begins.
    pub(super) fn guarded(&self, point: &PointOfNoReturn) -> Result<DeltaTable, Failure> {
        Ok(self.open.guarded(point)?)
    }

    /// Explains what the library said.
    pub(super) fn failed(
        &self,
        context: &StatementContext,
        mutation: &dyn Mutation,
        error: DeltaTableError,
    ) -> Failure {
        let condition = mutation.condition();
        self.open
            .failed(&self.target.shown, condition.as_deref(), error)
            .unwrap_or_else(|error| context.failure(error))
    }

    /// Describes the newest commit: its version, what it did and when.
    pub(super) async fn newest_commit(&self, context: &StatementContext) -> Option<String> {
        self.open.newest_commit(&context.table_context()).await
    }
}

/// A session's state, and the same with the planner that the library's operations need.
pub(crate) struct PlanningState {
    own: Erased<SessionState>,
    delta: Erased<SessionState>,
}

impl PlanningState {
    pub(super) fn new(state: &Erased<SessionState>) -> Self {
        Self {
            own: state.clone(),
            delta: Erased::new(lakesh_table::library_state(state)),
        }
    }

    /// Returns the state that plans queries.
    pub(crate) fn own(&self) -> &Erased<SessionState> {
        &self.own
    }

    /// Returns the state as the library's operations take it.
    pub(crate) fn session(&self) -> Arc<dyn Session> {
        Arc::new((*self.delta).clone())
    }

    /// Returns the same for an operation that rewrites rows of a table and gives new values to some of its
    /// columns: it accounts for the rows.
    pub(crate) fn accounting(
        &self,
        table: &DeltaTable,
        assigned: &[String],
    ) -> Result<Arc<dyn Session>, DeltaTableError> {
        let state = lakesh_table::accounting_state(&self.own, table, assigned)?;
        Ok(Arc::new(state))
    }

    /// Returns the state of the library's operations.
    pub(crate) fn delta(&self) -> &SessionState {
        &self.delta
    }
}
