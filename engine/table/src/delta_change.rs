//! A Delta table that is about to be changed: its newest state, scanned and handed to operations.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::Expr;
use deltalake::delta_datafusion::planner::DeltaPlanner;
use deltalake::delta_datafusion::{DataFusionMixins, DeltaScanConfig, DeltaScanNext};
use deltalake::table::state::DeltaTableState;
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_text::failure::{Failure, FailureKind};

use super::checked_filters::{CheckScans, CheckedFilters};
use super::delta::Source;
use super::delta_mapping::check_names;
use super::log_bounds::{keys_apart_from_log, undecided_by_log};
use super::own_paths::check_paths;
use super::{TableContext, TableError};
use crate::commit::PointOfNoReturn;

/// The column that holds the name of a row's file where a scan is asked for it.
pub const FILE_COLUMN: &str = "__lakesh_file";

/// The key of a column's metadata that says how the table computes the column.
pub const GENERATION_EXPRESSION: &str = "delta.generationExpression";

/// What the names of the properties that hold CHECK constraints begin with.
pub const CONSTRAINT_PREFIX: &str = "delta.constraints.";

/// Returns the session's state as the library's operations need it: with the planner of their own
/// nodes, and with the filters of their scans checked. The session's memory limit holds for them.
pub fn library_state(state: &SessionState) -> SessionState {
    SessionStateBuilder::new_from_existing(state.clone())
        .with_query_planner(DeltaPlanner::new())
        .with_analyzer_rule(Arc::new(CheckScans))
        .build()
}

/// Rewrites the condition of an UPDATE, DELETE or REPLACE WHERE so that no file is left out by bounds
/// of the log that may not hold.
pub fn row_by_row(condition: Expr, table: &DeltaTable) -> Result<Expr, DeltaTableError> {
    let schema = table.snapshot()?.snapshot().input_schema();
    Ok(undecided_by_log(condition, &schema))
}

/// Rewrites the condition of a MERGE so that no file is left out by bounds of the log that may not hold.
pub fn keys_row_by_row(on: Expr, table: &DeltaTable) -> Result<Expr, DeltaTableError> {
    let schema = table.snapshot()?.snapshot().input_schema();
    Ok(keys_apart_from_log(on, &schema)?)
}

/// The newest state of a Delta table.
pub struct OpenForChange {
    /// Scans the state.
    pub provider: Arc<dyn TableProvider>,
    /// Scans the state with [`FILE_COLUMN`].
    pub with_files: Arc<dyn TableProvider>,
    /// The state itself.
    pub(crate) table: DeltaTable,
    source: Source,
}

impl OpenForChange {
    /// Loads the newest state.
    pub async fn open(
        definition: &TableDefinition,
        context: &TableContext<'_>,
    ) -> Result<Self, TableError> {
        let source = Source::new(definition, context)?;
        let table = source.load(TableVersion::Latest, context).await?;
        check_paths(&source, &table, context)?;
        check_names(&source, &table, &context.cache.checked_files).await?;
        table
            .update_datafusion_session(&**context.state)
            .map_err(|error| source.failed(error))?;
        let config =
            DeltaScanConfig::new_from_session(&**context.state).with_wrap_partition_values(false);
        let scan = |config| -> Result<Arc<dyn TableProvider>, TableError> {
            let state = table.snapshot().map_err(|error| source.failed(error))?;
            let snapshot = state.snapshot().clone();
            let scan = DeltaScanNext::new(Arc::new(snapshot), config)
                .map_err(|error| TableError::file(&source.location.display, error))?;
            Ok(Arc::new(CheckedFilters::new(Arc::new(scan))))
        };
        Ok(Self {
            provider: scan(config.clone())?,
            with_files: scan(config.with_file_column_name(FILE_COLUMN))?,
            table,
            source,
        })
    }

    /// Returns the table's properties, CHECK constraints among them, in the order of their names.
    pub fn properties(&self) -> Result<BTreeMap<String, String>, TableError> {
        let configuration = self.state()?.metadata().configuration().iter();
        Ok(configuration
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }

    /// Returns the names of the partition columns.
    pub fn partition_columns(&self) -> Result<Vec<String>, TableError> {
        Ok(self.state()?.metadata().partition_columns().to_vec())
    }

    /// Returns what the user wrote about the table.
    pub fn comment(&self) -> Result<Option<String>, TableError> {
        Ok(self.state()?.metadata().description().map(str::to_owned))
    }

    fn state(&self) -> Result<&DeltaTableState, TableError> {
        self.table
            .snapshot()
            .map_err(|error| self.source.failed(error))
    }

    /// Returns where the table lies, as the scope names places.
    pub fn location(&self) -> String {
        self.source.location.folder_url().to_string()
    }

    /// Returns the table with a log store that notes when a commit begins.
    pub fn guarded(&self, point: &PointOfNoReturn) -> Result<DeltaTable, TableError> {
        let state = self
            .table
            .snapshot()
            .map_err(|error| self.source.failed(error))?;
        let mut table = DeltaTable::new(point.guard(self.table.log_store(), Some(state)));
        table.state = Some(state.clone());
        Ok(table)
    }

    /// Explains what an operation said; `condition` is what rows had to meet beside the constraints.
    ///
    /// Gives back errors that are not about the table: whoever knows the statement explains them.
    pub fn failed(
        &self,
        shown: &str,
        condition: Option<&str>,
        error: DeltaTableError,
    ) -> Result<Failure, DataFusionError> {
        match error {
            DeltaTableError::Generic(text) => self
                .refused_rows(shown, condition, &text)
                .ok_or(DataFusionError::Execution(text)),
            DeltaTableError::Arrow { source } => self
                .refused_rows(shown, condition, &source.to_string())
                .ok_or_else(|| source.into()),
            DeltaTableError::InvalidData { message } => self
                .refused_rows(shown, condition, &message)
                .ok_or(DataFusionError::Execution(message)),
            error => Ok(self.source.failed(error).into()),
        }
    }

    /// Explains rows that the table does not take; `None` if the text is about something else.
    fn refused_rows(&self, shown: &str, condition: Option<&str>, text: &str) -> Option<Failure> {
        if text.contains("multiple source rows") {
            return Some(
                Failure::new(
                    FailureKind::Execution,
                    format!(
                        "a row of `{shown}` is matched by several rows of the source, which would change it differently"
                    ),
                )
                .hint("leave one source row for each row of the table, with GROUP BY or DISTINCT")
                .hint("the table is unchanged"),
            );
        }
        let broken = text.contains("failed validation check")
            || text.contains("declared as non-nullable but contains null values");
        if !broken {
            return None;
        }
        let count = text
            .split("rows failed validation check")
            .next()
            .and_then(|before| before.trim_end().rsplit(' ').next())
            .and_then(|number| number.parse::<u64>().ok());
        let rows = match count {
            Some(1) => "1 row breaks".to_owned(),
            Some(count) => format!("{count} rows break"),
            None => "a row breaks".to_owned(),
        };
        let or = condition.map(|condition| format!(" or {condition}"));
        let failure = Failure::new(
            FailureKind::Execution,
            format!(
                "{rows} a constraint of table `{shown}`{}",
                or.unwrap_or_default()
            ),
        )
        .hint("the table is unchanged");
        Some(match self.constraints() {
            constraints if constraints.is_empty() => failure,
            constraints => failure.hint(format!("its constraints: {}", constraints.join("; "))),
        })
    }

    /// Lists what rows of the table must meet.
    fn constraints(&self) -> Vec<String> {
        let schema = self.provider.schema();
        let mut constraints: Vec<String> = schema
            .fields()
            .iter()
            .filter(|field| !field.is_nullable())
            .map(|field| format!("`{}` NOT NULL", field.name()))
            .collect();
        for field in schema.fields() {
            if let Some(expression) = field.metadata().get(GENERATION_EXPRESSION) {
                constraints.push(format!("`{}` is {expression}", field.name()));
            }
        }
        if let Ok(state) = self.table.snapshot() {
            let mut checks: Vec<String> = state
                .metadata()
                .configuration()
                .iter()
                .filter_map(|(key, condition)| {
                    let name = key.strip_prefix(CONSTRAINT_PREFIX)?;
                    Some(format!("`{name}` CHECK ({condition})"))
                })
                .collect();
            checks.sort();
            constraints.extend(checks);
        }
        constraints
    }

    /// Describes the newest commit; `None` if it cannot be read.
    pub async fn newest_commit(&self, context: &TableContext<'_>) -> Option<String> {
        let table = self.source.load(TableVersion::Latest, context).await.ok()?;
        let commits: Vec<_> = table.history(Some(1)).try_collect().await.ok()?;
        let commit = commits.into_iter().next()?;
        let operation = commit.operation.unwrap_or_else(|| "a commit".to_owned());
        let writer = commit
            .engine_info
            .map(|engine| format!(" by {engine}"))
            .unwrap_or_default();
        let time = commit
            .timestamp
            .and_then(DateTime::<Utc>::from_timestamp_millis)
            .map(|time| format!(" at {}", time.to_rfc3339_opts(SecondsFormat::Millis, true)))
            .unwrap_or_default();
        let version = table.version()?;
        Some(format!("{operation}{writer}{time}, version {version}"))
    }
}

/// Returns the names of the columns that a table computes.
pub fn generated_columns(schema: &Schema) -> Vec<String> {
    schema
        .fields()
        .iter()
        .filter(|field| field.metadata().contains_key(GENERATION_EXPRESSION))
        .map(|field| field.name().clone())
        .collect()
}
