//! What rules look at: the query's text, its plans, and the tables that it reads.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::StatisticsContext;
use datafusion::sql::sqlparser::ast::Query as SqlQuery;
use lakesh_catalog::definition::DELTA;
use lakesh_event::observation::Observation;
use lakesh_session::scope::{Resolver, SourceKey};
use lakesh_session::{HintSettings, StatementContext};
use lakesh_sql::{Query, normalized, stem};
use lakesh_table::{TableFiles, known_files};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::finding::Severity;
use super::scans::{self, ScanFacts};
use super::text::{NameKind, NamedTable, readable};

/// Everything that rules may look at.
pub(crate) struct Evidence {
    /// The query, as text that can be printed.
    pub(crate) tree: SqlQuery,
    /// The plan of the query as it is written.
    pub(crate) planned: Erased<LogicalPlan>,
    /// What DataFusion makes of it.
    pub(crate) optimized: Erased<LogicalPlan>,
    pub(crate) physical: Arc<dyn ExecutionPlan>,
    /// The nodes of the physical plan, parents first.
    pub(crate) nodes: Vec<Node>,
    /// The tables that the query's own text names.
    pub(crate) tables: Vec<TableFacts>,
    /// The reads of files in the physical plan.
    pub(crate) scans: Vec<ScanFacts>,
    /// The names of the functions that take many rows.
    pub(crate) aggregates: HashSet<String>,
    pub(crate) options: Arc<ConfigOptions>,
    /// Threads that the session began with: one for each processor unless it was told otherwise.
    pub(crate) processors: usize,
    /// From which size on something matters.
    pub(crate) thresholds: HintSettings,
    /// What a run of the physical plan showed; `None` where it was only planned.
    pub(crate) observation: Option<Observation>,
}

/// A node of the physical plan.
pub(crate) struct Node {
    /// Its place: `0`, `0.1`, …
    pub(crate) path: String,
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    /// Rows that the planner expects.
    pub(crate) rows: Option<u64>,
}

impl Node {
    /// Returns what a user sees of it: its name and place.
    pub(crate) fn label(&self) -> String {
        format!("{} [{}]", self.plan.name(), self.path)
    }
}

/// A table that the query's text names.
#[derive(Clone)]
pub(crate) struct TableFacts {
    /// As the text names it, its version included.
    pub(crate) name: String,
    /// What columns are qualified with where it has no alias.
    pub(crate) visible: String,
    /// Whether the name is one of the catalog, not a path.
    pub(crate) in_catalog: bool,
    /// Whether the text asks for an old version.
    pub(crate) has_version: bool,
    pub(crate) key: SourceKey,
    pub(crate) source: Arc<dyn TableSource>,
    pub(crate) schema: SchemaRef,
    pub(crate) files: TableFiles,
    /// Footers of some Parquet files.
    pub(crate) footers: Vec<Arc<ParquetMetaData>>,
    /// The place among the scans, if a scan reads it.
    pub(crate) scan: Option<usize>,
    /// Rows, as far as they are known without reading.
    pub(crate) rows: Option<u64>,
}

impl TableFacts {
    pub(crate) fn bytes(&self) -> u64 {
        self.files.files.iter().map(|file| file.bytes).sum()
    }

    pub(crate) fn is_delta(&self) -> bool {
        self.files.format == DELTA
    }

    pub(crate) fn is_parquet(&self) -> bool {
        self.is_delta() || self.files.format == "parquet"
    }

    /// Says whether lines of text have to be parsed to read it.
    pub(crate) fn is_text(&self) -> bool {
        lakesh_table::format(&self.files.format).is_ok_and(|format| format.is_text())
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.schema.field_with_name(name).ok()
    }

    /// Returns the rows, estimated from the bytes where nothing says them.
    pub(crate) fn estimated_rows(&self) -> u64 {
        // A row of text is seldom shorter; a wrong guess only changes a severity.
        self.rows.unwrap_or_else(|| self.bytes() / 40)
    }
}

impl Evidence {
    /// Plans a query and collects what is known of it. Returns `None` where a statement is no query.
    pub(crate) async fn gather(
        context: &StatementContext,
        resolver: &mut Resolver<'_>,
        query: &Query,
    ) -> Result<Option<Self>, Failure> {
        let Some((tree, names)) = readable(query) else {
            return Ok(None);
        };
        let planned: Erased<LogicalPlan> = resolver.plan(query.clone()).await?.into();
        let optimized: Erased<LogicalPlan> = context
            .state
            .optimize(&planned)
            .map_err(|error| context.failure(error))?
            .into();
        // The optimized plan is planned as it is: optimizing it once more would take the time again.
        let physical = context
            .state
            .query_planner()
            .create_physical_plan(&optimized, &*context.state)
            .await
            .map_err(|error| context.failure(error))?;
        let mut tables = Vec::new();
        for name in names {
            tables.extend(table_facts(resolver, name).await);
        }
        let nodes = nodes(&physical);
        let scans = scans::collect(&nodes);
        for table in &mut tables {
            connect(table, &scans);
            if table.is_parquet()
                && let Some(scan) = table.scan
            {
                table.footers = scans::footers(context, &scans[scan]).await;
            }
            if table.rows.is_none() {
                table.rows = scans::rows_of(table, &scans);
            }
        }
        Ok(Some(Self {
            tree,
            planned,
            optimized,
            physical,
            nodes,
            tables,
            scans,
            aggregates: context
                .state
                .aggregate_functions()
                .keys()
                .cloned()
                .collect(),
            options: Arc::clone(context.state.config_options()),
            processors: context.session.options().thread_count(),
            thresholds: context.session.hint_settings(),
            observation: None,
        }))
    }

    /// Takes note that the physical plan has run, so that its nodes have metrics.
    pub(crate) fn observe(&mut self) {
        self.observation = Some(Observation::of(&self.physical));
    }

    /// Finds a table by its text in the query.
    pub(crate) fn table(&self, text: &str) -> Option<&TableFacts> {
        self.tables.iter().find(|table| table.name == text)
    }

    /// Says whether a table is so large that what is done with it matters.
    pub(crate) fn is_large(&self, table: &TableFacts) -> bool {
        table.estimated_rows() >= self.thresholds.rows
    }

    /// Says whether the query reads a table that is large.
    pub(crate) fn reads_much(&self) -> bool {
        let largest = self.nodes.iter().filter_map(|node| node.rows).max();
        self.tables.iter().any(|table| self.is_large(table))
            || largest.is_some_and(|rows| rows >= self.thresholds.rows)
    }

    /// Returns advice for what concerns a large table, and else what is only worth knowing.
    pub(crate) fn severity_of(&self, table: &TableFacts) -> Severity {
        match self.is_large(table) {
            true => Severity::Advice,
            false => Severity::Info,
        }
    }

    /// Returns advice for queries over large tables, and else what is only worth knowing.
    pub(crate) fn severity(&self) -> Severity {
        match self.reads_much() {
            true => Severity::Advice,
            false => Severity::Info,
        }
    }

    /// Returns the rows that the planner expects of a node.
    pub(crate) fn rows_of(&self, plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
        let mut nodes = self.nodes.iter();
        nodes.find(|node| Arc::ptr_eq(&node.plan, plan))?.rows
    }

    /// Says whether a node of the physical plan satisfies a test.
    pub(crate) fn has_node(&self, test: impl Fn(&Node) -> bool) -> bool {
        self.nodes.iter().any(test)
    }
}

/// Opens a table that the query names; `None` for what is no table of files.
async fn table_facts(resolver: &mut Resolver<'_>, name: NamedTable) -> Option<TableFacts> {
    let (key, opened) = match name.kind {
        NameKind::Call => resolver.opened_call(&name.text)?,
        NameKind::Catalog | NameKind::Path => {
            let is_path = name.kind == NameKind::Path;
            let opened = resolver.open_relation(&name.parts, is_path, name.version.as_ref());
            // What cannot be opened by this name is a subquery's name; the query itself was planned.
            opened.await.ok()?
        }
    };
    let source = whole_table_of(&opened).unwrap_or(opened);
    let files = known_files(&source)?;
    let last = name.parts.last()?;
    let counts: Option<Vec<u64>> = files.files.iter().map(|file| file.rows).collect();
    Some(TableFacts {
        visible: match name.kind {
            NameKind::Path | NameKind::Call => stem(&last.value),
            NameKind::Catalog => normalized(last),
        },
        name: name.text,
        in_catalog: name.kind == NameKind::Catalog,
        has_version: name.version.is_some(),
        key,
        schema: source.schema(),
        source,
        rows: counts.map(|counts| counts.iter().sum()),
        files,
        footers: Vec::new(),
        scan: None,
    })
}

/// Returns the table of which a view shows all columns as they are.
fn whole_table_of(view: &Arc<dyn TableSource>) -> Option<Arc<dyn TableSource>> {
    let plan = view.get_logical_plan()?;
    let mut node = plan.as_ref();
    loop {
        node = match node {
            LogicalPlan::Projection(projection)
                if projection
                    .expr
                    .iter()
                    .all(|expr| matches!(expr, Expr::Column(_))) =>
            {
                projection.input.as_ref()
            }
            LogicalPlan::SubqueryAlias(alias) => alias.input.as_ref(),
            LogicalPlan::Filter(filter) => filter.input.as_ref(),
            LogicalPlan::TableScan(scan) => {
                let same = scan.source.schema().fields() == view.schema().fields();
                return same.then(|| Arc::clone(&scan.source));
            }
            _ => return None,
        };
    }
}

/// Finds the scan that reads a table's files.
fn connect(table: &mut TableFacts, scans: &[ScanFacts]) {
    table.scan = scans.iter().position(|scan| {
        let first = scan.files.first();
        first.is_some_and(|first| {
            let read = first.object_meta.location.as_ref();
            let files = &table.files.files;
            files.iter().any(|file| read.ends_with(&file.path))
        })
    });
}

/// Lists the nodes of a plan, parents first, with the rows that the planner expects.
fn nodes(plan: &Arc<dyn ExecutionPlan>) -> Vec<Node> {
    let statistics = StatisticsContext::new();
    let mut nodes = Vec::new();
    let mut waiting = vec![("0".to_owned(), Arc::clone(plan))];
    while let Some((path, plan)) = waiting.pop() {
        let rows = statistics
            .compute(plan.as_ref(), &Default::default())
            .ok()
            .and_then(|statistics| statistics.num_rows.get_value().copied())
            .map(|rows| rows as u64);
        for (number, child) in plan.children().into_iter().enumerate().rev() {
            waiting.push((format!("{path}.{number}"), Arc::clone(child)));
        }
        nodes.push(Node { path, plan, rows });
    }
    nodes
}
