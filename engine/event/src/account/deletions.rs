//! Names the files where a scan with deletion vectors fails.
//!
//! Such a scan takes no source of files below it but its own, so that it is the whole scan whose failures
//! are named, and a panic of a decoder below it is kept to it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan,
    InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions, StatisticsArgs,
};

use super::named::{Name, named_rows};
use super::scan_config;

/// Returns a scan with deletion vectors whose errors name its file, or the folder of its files.
pub(super) fn with_named_failures(scan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    Arc::new(NamedScan {
        name: Name::new(&place(scan)),
        inner: Arc::clone(scan),
    })
}

/// Returns the file that a scan reads, or the folder in which all of its files lie.
fn place(scan: &Arc<dyn ExecutionPlan>) -> String {
    let mut files = Vec::new();
    collect_files(scan, &mut files);
    let Some((first, others)) = files.split_first() else {
        return "a table".to_owned();
    };
    let shared = others.iter().fold(first.as_str(), |shared, file| {
        let length = shared
            .bytes()
            .zip(file.bytes())
            .take_while(|(one, other)| one == other)
            .count();
        // Names differ in whole characters: what lies before a `/` ends at one.
        shared.get(..length).unwrap_or_default()
    });
    match others.is_empty() {
        true => first.clone(),
        false => shared
            .rsplit_once('/')
            .map_or(shared, |(folder, _)| folder)
            .to_owned(),
    }
}

fn collect_files(plan: &Arc<dyn ExecutionPlan>, files: &mut Vec<String>) {
    if let Some(config) = scan_config(plan.as_ref()) {
        let root = config.object_store_url.as_str();
        let root = root.strip_prefix("file://").unwrap_or(root);
        let found = config.file_groups.iter().flat_map(|group| group.iter());
        files.extend(found.map(|file| format!("{root}{}", file.object_meta.location)));
    }
    for child in plan.children() {
        collect_files(child, files);
    }
}

/// A scan that is another one to all who look at it.
#[derive(Debug)]
struct NamedScan {
    inner: Arc<dyn ExecutionPlan>,
    name: Name,
}

impl DisplayAs for NamedScan {
    fn fmt_as(&self, style: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_as(style, formatter)
    }
}

impl ExecutionPlan for NamedScan {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.inner.as_ref())
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.inner.properties()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.inner.input_distribution_requirements()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.inner.maintains_input_order()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inner.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(visit)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Arc::new(Self {
            inner: Arc::clone(&self.inner).replace_children(children, options)?,
            name: self.name.clone(),
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.name.guard(|| self.inner.execute(partition, context))?;
        let schema = rows.schema();
        let rows = named_rows(rows, self.name.clone());
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.inner.metrics()
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        self.inner.cardinality_effect()
    }

    fn fetch(&self) -> Option<usize> {
        self.inner.fetch()
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.inner.child_stats_requests(partition)
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        self.inner.statistics_from_inputs(inputs, arguments)
    }
}
