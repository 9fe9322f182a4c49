//! Writing to Delta tables: create, append, overwrite, each as one commit.
//!
//! Everything goes through the library's write builder, so that constraints and generated columns
//! hold. The caller keeps the commit from being cut off: run it on a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::plan_err;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::Result as QueryResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use deltalake::delta_datafusion::{DataFusionMixins, SessionFallbackPolicy};
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::write::{SchemaMode, WriteBuilder};
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableError};
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_text::erased::Erased;
use object_store::ObjectStoreExt;

use super::TableContext;
use super::change_account::accounting_state;
use super::delta::Source;
use super::delta_change::{library_state, row_by_row};
use super::delta_log::commit_path;
use super::error::TableError;
use super::own_paths::check_paths;
use crate::commit::PointOfNoReturn;
use crate::stored_types::as_stored;

/// What is written.
#[derive(Debug, Clone)]
pub enum WriteInput {
    /// A query; the session's own planner plans it.
    Query(Erased<LogicalPlan>),
    /// A plan that is ready to run.
    Plan(Arc<dyn ExecutionPlan>),
}

/// What happens to rows that are there already.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteMode {
    /// There must not be a table yet.
    Create,
    /// They stay.
    Append,
    /// They go, all of them.
    Overwrite,
    /// Those go for which the condition holds; all new rows must meet it.
    Replace(Expr),
}

/// How a table's columns may change with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaChange {
    /// Not at all.
    #[default]
    Refuse,
    /// New columns are added.
    Merge,
    /// The new rows' columns replace them; for an overwrite of everything only.
    Overwrite,
}

/// One write to a Delta table.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// What is written.
    pub input: WriteInput,
    /// What happens to the rows that are there.
    pub mode: WriteMode,
    /// How the columns may change.
    pub schema_change: SchemaChange,
    /// The partition columns of a new table; empty keeps those of an existing one.
    pub partition_columns: Vec<String>,
    /// Table properties of a new table.
    pub properties: BTreeMap<String, String>,
    /// Comment of a new table.
    pub comment: Option<String>,
    /// What the commit carries besides the library's own entries.
    pub commit: CommitProperties,
    /// Is passed when the commit begins to write its log entry.
    pub point_of_no_return: Option<PointOfNoReturn>,
}

impl WriteRequest {
    /// Makes a request that changes neither columns nor properties.
    pub fn new(input: WriteInput, mode: WriteMode) -> Self {
        Self {
            input,
            mode,
            schema_change: SchemaChange::Refuse,
            partition_columns: Vec::new(),
            properties: BTreeMap::new(),
            comment: None,
            commit: CommitProperties::default(),
            point_of_no_return: None,
        }
    }
}

/// What a write did.
#[derive(Debug, Clone)]
pub struct WriteReport {
    /// How many rows were written.
    pub rows: u64,
    /// How many data files were added.
    pub files: u64,
    /// The version that the commit made.
    pub version: u64,
    /// The table at that version.
    pub table: DeltaTable,
}

/// Writes rows to the Delta table that a definition names.
pub async fn write_delta(
    definition: &TableDefinition,
    request: WriteRequest,
    context: &TableContext<'_>,
) -> Result<WriteReport, TableError> {
    let source = Source::new(definition, context)?;
    let existing = existing(&source, &request.mode, context).await?;
    let failed = |error| TableError::file(&source.location.display, error);
    let plan = planned(&request.input, context.state)
        .await
        .map_err(TableError::query)?;
    refuse_untyped(&plan.schema(), existing.as_ref(), &request).map_err(TableError::query)?;
    if let Some(table) = &existing {
        check_partitioning(&source, table, &request, &plan.schema())?;
    }
    let guarded = |log_store, base| match &request.point_of_no_return {
        Some(point) => point.guard(log_store, base),
        None => log_store,
    };
    let builder = match &existing {
        Some(table) => {
            let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
            WriteBuilder::new(
                guarded(table.log_store(), Some(snapshot)),
                Some(snapshot.snapshot().clone()),
            )
        }
        None => WriteBuilder::new(guarded(source.handle()?.log_store(), None), None),
    };
    let rewriting = rewriting_state(context.state, &request, existing.as_ref());
    let rewriting = rewriting.map_err(|error| source.failed(error))?;
    let builder = with_rows(builder, plan, rewriting, &request).map_err(failed)?;
    let builder = configured(builder, &request, existing.as_ref());
    let builder = builder.map_err(|error| source.failed(error))?;
    let table = builder.await.map_err(|error| source.failed(error))?;
    report(&source, table).await
}

/// What a write to a table that exists did.
pub struct WriteMetrics {
    pub rows: u64,
    pub files_added: u64,
    pub files_removed: u64,
}

/// Writes rows to a table in the state in which it was opened.
pub async fn write_rows(
    table: DeltaTable,
    request: WriteRequest,
    state: &Erased<SessionState>,
) -> Result<(DeltaTable, WriteMetrics), DeltaTableError> {
    let plan = planned(&request.input, state).await?;
    refuse_untyped(&plan.schema(), Some(&table), &request)?;
    let snapshot = table.snapshot()?.snapshot().clone();
    let builder = WriteBuilder::new(table.log_store(), Some(snapshot));
    let rewriting = rewriting_state(state, &request, Some(&table))?;
    let builder = with_rows(builder, plan, rewriting, &request)?;
    let table = configured(builder, &request, Some(&table))?.await?;
    let version = table.version().unwrap_or_default();
    let entry = table.log_store().read_commit_entry(version).await?;
    let metrics = operation_metrics(&entry.unwrap_or_default());
    let count = |name: &str| metrics[name].as_u64().unwrap_or_default();
    let written = WriteMetrics {
        rows: count("num_added_rows"),
        files_added: count("num_added_files"),
        files_removed: count("num_removed_files"),
    };
    Ok((table, written))
}

async fn planned(
    input: &WriteInput,
    state: &Erased<SessionState>,
) -> QueryResult<Arc<dyn ExecutionPlan>> {
    match input {
        WriteInput::Plan(plan) => Ok(Arc::clone(plan)),
        WriteInput::Query(query) => match as_stored(query)? {
            Some(stored) => {
                let stored = Erased::new(stored);
                state.create_physical_plan(&stored).await
            }
            None => state.create_physical_plan(query).await,
        },
    }
}

/// Refuses a new column of which nothing but NULL is known: it would take no value later.
fn refuse_untyped(
    rows: &SchemaRef,
    existing: Option<&DeltaTable>,
    request: &WriteRequest,
) -> QueryResult<()> {
    let known = match existing {
        Some(table) if request.schema_change != SchemaChange::Overwrite => {
            Some(table.snapshot()?.snapshot().input_schema())
        }
        _ => None,
    };
    let is_new = |field: &&Arc<Field>| {
        let known = known.as_ref();
        known.is_none_or(|known| known.field_with_name(field.name()).is_err())
    };
    match rows
        .fields()
        .iter()
        .filter(is_new)
        .find(|field| is_untyped(field.data_type()))
    {
        None => Ok(()),
        Some(field) => plan_err!(
            "column `{0}` has no type, since nothing but NULL is known of it; give it one: \
             `CAST(NULL AS VARCHAR) AS {0}`",
            field.name()
        ),
    }
}

fn is_untyped(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null => true,
        DataType::Struct(fields) => fields.iter().any(|field| is_untyped(field.data_type())),
        DataType::List(item) | DataType::LargeList(item) => is_untyped(item.data_type()),
        _ => false,
    }
}

/// Returns the session's state as the library's write needs it; where rows are replaced, those of their files
/// that stay are accounted for.
fn rewriting_state(
    state: &Erased<SessionState>,
    request: &WriteRequest,
    existing: Option<&DeltaTable>,
) -> Result<SessionState, DeltaTableError> {
    match (&request.mode, existing) {
        (WriteMode::Replace(_), Some(table)) => accounting_state(state, table, &[]),
        _ => Ok(library_state(state)),
    }
}

/// Gives a builder what every write has: the rows, the session, what the commit carries.
fn with_rows(
    builder: WriteBuilder,
    plan: Arc<dyn ExecutionPlan>,
    state: SessionState,
    request: &WriteRequest,
) -> QueryResult<WriteBuilder> {
    let rows = provider_as_source(Arc::new(PlannedRows { plan }));
    let input = LogicalPlanBuilder::scan("rows", rows, None)?.build()?;
    Ok(builder
        .with_input_plan(input)
        .with_session_state(Arc::new(state))
        .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState)
        .with_commit_properties(request.commit.clone()))
}

/// Passes on what the request says about mode, columns and a new table's properties.
fn configured(
    builder: WriteBuilder,
    request: &WriteRequest,
    existing: Option<&DeltaTable>,
) -> Result<WriteBuilder, DeltaTableError> {
    let mut builder = match &request.mode {
        WriteMode::Create => builder.with_save_mode(SaveMode::ErrorIfExists),
        WriteMode::Append => builder.with_save_mode(SaveMode::Append),
        WriteMode::Overwrite => builder.with_save_mode(SaveMode::Overwrite),
        WriteMode::Replace(condition) => builder
            .with_save_mode(SaveMode::Overwrite)
            .with_replace_where(match existing {
                Some(table) => row_by_row(condition.clone(), table)?,
                None => condition.clone(),
            }),
    };
    match request.schema_change {
        SchemaChange::Refuse => {}
        SchemaChange::Merge => builder = builder.with_schema_mode(SchemaMode::Merge),
        SchemaChange::Overwrite => builder = builder.with_schema_mode(SchemaMode::Overwrite),
    }
    if !request.partition_columns.is_empty() {
        builder = builder.with_partition_columns(request.partition_columns.clone());
    }
    if existing.is_none() {
        builder = builder.with_configuration(configuration(request.properties.clone()));
        if let Some(comment) = &request.comment {
            builder = builder.with_description(comment.clone());
        }
    }
    Ok(builder)
}

fn configuration(
    properties: BTreeMap<String, String>,
) -> impl Iterator<Item = (String, Option<String>)> {
    properties
        .into_iter()
        .map(|(name, value)| (name, Some(value)))
}

/// Loads the table that is there, and refuses what does not fit the mode.
async fn existing(
    source: &Source,
    mode: &WriteMode,
    context: &TableContext<'_>,
) -> Result<Option<DeltaTable>, TableError> {
    let loaded = source.load(TableVersion::Latest, context).await;
    match (loaded, mode) {
        (Ok(_), WriteMode::Create) => Err(TableError::Exists {
            location: source.location.display.clone(),
        }),
        (Ok(table), WriteMode::Replace(_)) => {
            check_paths(source, &table, context)?;
            Ok(Some(table))
        }
        (Ok(table), _) => Ok(Some(table)),
        (
            Err(TableError::NotDelta { .. } | TableError::NotFound { .. }),
            WriteMode::Create | WriteMode::Overwrite,
        ) => Ok(None),
        (Err(error), _) => Err(error),
    }
}

/// Refuses to replace a table by one that is partitioned otherwise, which the library cannot commit.
fn check_partitioning(
    source: &Source,
    table: &DeltaTable,
    request: &WriteRequest,
    rows: &SchemaRef,
) -> Result<(), TableError> {
    if request.schema_change != SchemaChange::Overwrite {
        return Ok(());
    }
    let state = table.snapshot().map_err(|error| source.failed(error))?;
    let kept = state.metadata().partition_columns();
    let wanted = &request.partition_columns;
    let is_lost = |column: &String| rows.field_with_name(column).is_err();
    if (wanted.is_empty() || wanted == kept) && !kept.iter().any(is_lost) {
        return Ok(());
    }
    Err(TableError::Partitioning {
        location: source.location.display.clone(),
        kept: kept.join(", "),
    })
}

/// Reads what the write did from its commit.
async fn report(source: &Source, table: DeltaTable) -> Result<WriteReport, TableError> {
    let version = table.version().unwrap_or_default();
    let path = commit_path(&source.location.base, version);
    let failed = |error| TableError::store(source.location.display_of(&path), error);
    let commit = source.store.get(&path).await.map_err(failed)?;
    let commit = commit.bytes().await.map_err(failed)?;
    let metrics = operation_metrics(&commit);
    Ok(WriteReport {
        rows: metrics["num_added_rows"].as_u64().unwrap_or_default(),
        files: metrics["num_added_files"].as_u64().unwrap_or_default(),
        version,
        table,
    })
}

/// Reads what an operation counted from its commit.
fn operation_metrics(commit: &[u8]) -> serde_json::Value {
    commit
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .find_map(|action| action.get("commitInfo")?.get("operationMetrics").cloned())
        .unwrap_or_default()
}

/// A plan as a table, so that the session's planner plans the query and the library's the write.
#[derive(Debug)]
struct PlannedRows {
    plan: Arc<dyn ExecutionPlan>,
}

#[async_trait]
impl TableProvider for PlannedRows {
    fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let schema = self.plan.schema();
        let Some(projection) = projection else {
            return Ok(Arc::clone(&self.plan));
        };
        let columns: Vec<_> = projection
            .iter()
            .map(|index| {
                let name = schema.field(*index).name();
                let column = datafusion::physical_expr::expressions::Column::new(name, *index);
                (Arc::new(column) as _, name.clone())
            })
            .collect::<Vec<(Arc<dyn datafusion::physical_expr::PhysicalExpr>, String)>>();
        let projected = ProjectionExec::try_new(columns, Arc::clone(&self.plan))?;
        Ok(Arc::new(projected))
    }
}
