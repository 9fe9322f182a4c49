//! Scans a Delta table, files with deletion vectors apart from the others.
//!
//! The library reads all files of a scan in one partition and without push-down as soon as one of
//! them has a deletion vector. So those files get a scan of their own, beside the one of the rest.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result as QueryResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};
use deltalake::DeltaTable;
use deltalake::delta_datafusion::{DeltaScanConfig, DeltaScanNext, FileSelection};
use deltalake::kernel::LogicalFileView;
use deltalake::table::state::DeltaTableState;
use futures::TryStreamExt;
use lakesh_catalog::definition::DELTA;

use super::TableContext;
use super::checked_filters::checked;
use super::delta::Source;
use super::error::TableError;
use super::facts::{KnownFile, TableFiles};
use super::log_bounds::{believed_scan, told_to_log};

/// The feature without which no file has a deletion vector.
const FEATURE: &str = "deletionVectors";

/// Files of one version, apart by whether they have deletion vectors.
#[derive(Default)]
pub(super) struct Files {
    plain: Vec<LogicalFileView>,
    with_vectors: Vec<LogicalFileView>,
}

impl Files {
    pub(super) fn push(&mut self, file: LogicalFileView) {
        match file.deletion_vector_descriptor() {
            None => self.plain.push(file),
            Some(_) => self.with_vectors.push(file),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.plain.len() + self.with_vectors.len()
    }
}

/// A table, or some of its files.
#[derive(Debug)]
pub(super) struct DeltaScan {
    schema: SchemaRef,
    /// Tells what filters can do; it has the schema of all parts.
    whole: DeltaScanNext,
    parts: Vec<DeltaScanNext>,
    /// How many files the table has; known where one part scans all of them.
    files: Option<usize>,
    /// The state of the table, if all of its files are scanned.
    state: Option<DeltaTableState>,
}

impl DeltaScan {
    /// Scans all files of a table.
    pub(super) async fn of_table(
        source: &Source,
        table: &DeltaTable,
        context: &TableContext<'_>,
    ) -> Result<Self, TableError> {
        let whole = scan(source, table, context)?;
        let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
        let protocol = serde_json::to_value(snapshot.snapshot().protocol()).unwrap_or_default();
        let features = protocol["readerFeatures"].as_array();
        let may_have_vectors = features
            .into_iter()
            .flatten()
            .any(|feature| feature == FEATURE);
        let mut files = Files::default();
        if may_have_vectors {
            let log_store = table.log_store();
            files = snapshot
                .snapshot()
                .file_views(log_store.as_ref(), None)
                .try_fold(files, |mut files, file| {
                    files.push(file);
                    std::future::ready(Ok(files))
                })
                .await
                .map_err(|error| source.failed(error))?;
        }
        let split = !files.plain.is_empty() && !files.with_vectors.is_empty();
        let parts = match split {
            true => parts(&whole, &files),
            false => vec![whole.clone()],
        };
        let files = (!split).then(|| snapshot.log_data().num_files());
        Ok(Self {
            state: Some(snapshot.clone()),
            ..Self::new(whole, parts, files)
        })
    }

    /// Lists the table's files; `None` where only some of them are scanned.
    pub(super) fn known_files(&self) -> Option<TableFiles> {
        let state = self.state.as_ref()?;
        let data = state.log_data();
        let files = data.iter().map(|file| KnownFile {
            path: file.object_store_path().to_string(),
            bytes: u64::try_from(file.size()).unwrap_or_default(),
            rows: file.num_records().map(|rows| rows as u64),
            has_deletions: file.deletion_vector_descriptor().is_some(),
        });
        Some(TableFiles {
            format: DELTA.to_owned(),
            compression: String::new(),
            partition_columns: state.metadata().partition_columns().to_vec(),
            files: files.collect(),
        })
    }

    /// Scans some files of a table.
    pub(super) fn of_files(
        source: &Source,
        table: &DeltaTable,
        files: &Files,
        context: &TableContext<'_>,
    ) -> Result<Self, TableError> {
        let whole = scan(source, table, context)?;
        let parts = parts(&whole, files);
        Ok(Self::new(whole, parts, None))
    }

    fn new(whole: DeltaScanNext, parts: Vec<DeltaScanNext>, files: Option<usize>) -> Self {
        Self {
            schema: whole.schema(),
            whole,
            parts,
            files,
            state: None,
        }
    }
}

fn scan(
    source: &Source,
    table: &DeltaTable,
    context: &TableContext<'_>,
) -> Result<DeltaScanNext, TableError> {
    let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
    let snapshot = Arc::new(snapshot.snapshot().clone());
    let config =
        DeltaScanConfig::new_from_session(&**context.state).with_wrap_partition_values(false);
    DeltaScanNext::new(snapshot, config).map_err(|error| source.failed_scan(error))
}

/// Returns a scan for each sort of files; one of no files where there are none.
fn parts(whole: &DeltaScanNext, files: &Files) -> Vec<DeltaScanNext> {
    let select = |files: &[LogicalFileView]| {
        // What the library offers in its place leaves the crate's public interface.
        #[allow(deprecated)]
        let adds = files.iter().map(LogicalFileView::add_action);
        whole
            .clone()
            .with_file_selection(FileSelection::from_adds(adds))
    };
    match (files.plain.is_empty(), files.with_vectors.is_empty()) {
        (false, false) => vec![select(&files.plain), select(&files.with_vectors)],
        (true, false) => vec![select(&files.with_vectors)],
        (_, true) => vec![select(&files.plain)],
    }
}

#[async_trait]
impl TableProvider for DeltaScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> QueryResult<Vec<TableProviderFilterPushDown>> {
        self.whole.supports_filters_pushdown(filters).map(checked)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let told = told_to_log(filters, &self.schema);
        // A limit may cut only rows that all filters have passed.
        let limit = limit.filter(|_| told.len() == filters.len());
        let mut plans = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let plan = part.scan(state, projection, &told, limit).await?;
            let plan = believed_scan(plan)?;
            if let Some(files) = self.files {
                lakesh_event::observation::count_considered_files(&plan, files);
            }
            plans.push(match plan.name() {
                "DeltaScanMetaExec" => Arc::new(CountedRows::new(plan)),
                _ => plan,
            });
        }
        match plans.len() {
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

/// Rows without columns, made from the log's counts.
///
/// The library's own node says that limits can be pushed into it and then ignores them; this one says
/// that they cannot.
#[derive(Debug)]
struct CountedRows {
    input: Arc<dyn ExecutionPlan>,
}

impl CountedRows {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input }
    }
}

impl DisplayAs for CountedRows {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CountedRows")
    }
}

impl ExecutionPlan for CountedRows {
    fn name(&self) -> &str {
        "CountedRows"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> QueryResult<TreeNodeRecursion>,
    ) -> QueryResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input))),
            _ => Err(DataFusionError::Internal(
                "a scan of counted rows has one input".to_owned(),
            )),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> QueryResult<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> QueryResult<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }
}
