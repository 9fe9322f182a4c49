//! The operators that read kept rows, and compute them where they are not there yet.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, TryStreamExt};

use super::SharedRows;
use super::rows::HeldRows;

fn properties(schema: &SchemaRef, partitions: usize) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(Arc::clone(schema)),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        Boundedness::Bounded,
    ))
}

/// Counts the rows of a stream as its operator's.
fn counted(
    rows: SendableRecordBatchStream,
    metrics: &ExecutionPlanMetricsSet,
    partition: usize,
) -> SendableRecordBatchStream {
    let measured = BaselineMetrics::new(metrics, partition);
    let schema = rows.schema();
    let rows = rows.inspect(move |batch| {
        if let Ok(batch) = batch {
            measured.record_output(batch.num_rows());
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// Reads rows that are kept.
#[derive(Debug)]
pub(super) struct CachedScanExec {
    name: String,
    rows: Arc<HeldRows>,
    projection: Option<Arc<[usize]>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CachedScanExec {
    pub(super) fn try_new(
        name: String,
        rows: Arc<HeldRows>,
        schema: &SchemaRef,
        projection: Option<&Vec<usize>>,
    ) -> Result<Self> {
        let schema = match projection {
            None => Arc::clone(schema),
            Some(columns) => Arc::new(schema.project(columns)?),
        };
        Ok(Self {
            properties: properties(&schema, rows.partitions()),
            name,
            rows,
            projection: projection.map(|columns| columns.as_slice().into()),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

impl DisplayAs for CachedScanExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "CachedScanExec: table={}, rows={}",
            self.name, self.rows.rows
        )
    }
}

impl ExecutionPlan for CachedScanExec {
    fn name(&self) -> &str {
        "CachedScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.rows.stream(partition, self.projection.clone())?;
        Ok(counted(rows, &self.metrics, partition))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        if arguments.partition().is_none() {
            let rows = usize::try_from(self.rows.rows).unwrap_or(usize::MAX);
            statistics.num_rows = Precision::Exact(rows);
        }
        Ok(Arc::new(statistics))
    }
}

/// Computes its input once for all that share its rows, keeps them, and reads them from there.
#[derive(Debug)]
pub(crate) struct MaterializeExec {
    input: Arc<dyn ExecutionPlan>,
    shared: Arc<SharedRows>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl MaterializeExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, shared: Arc<SharedRows>) -> Self {
        let partitions = input.output_partitioning().partition_count();
        Self {
            properties: properties(&input.schema(), partitions),
            input,
            shared,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for MaterializeExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MaterializeExec")
    }
}

impl ExecutionPlan for MaterializeExec {
    fn name(&self) -> &str {
        "MaterializeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, Arc::clone(&self.shared)))),
            _ => internal_err!("rows are kept of one input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let (input, shared) = (Arc::clone(&self.input), Arc::clone(&self.shared));
        let rows = async move {
            let rows = shared.compute(&input, &context).await?;
            // Another reader may have been planned with fewer partitions than the one that came first.
            read_share(
                &rows,
                partition,
                input.output_partitioning().partition_count(),
            )
        };
        let rows = futures::stream::once(rows).try_flatten();
        let rows = Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows));
        Ok(counted(rows, &self.metrics, partition))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }
}

/// Reads what falls to one of `partitions` readers, so that together they read every row once.
fn read_share(
    rows: &Arc<HeldRows>,
    partition: usize,
    partitions: usize,
) -> Result<SendableRecordBatchStream> {
    let held = rows.partitions();
    let mine = (partition..held).step_by(partitions.max(1));
    let streams = mine
        .map(|part| rows.stream(part, None))
        .collect::<std::result::Result<Vec<_>, DataFusionError>>()?;
    let schema = rows.schema();
    let all = futures::stream::iter(streams).flatten();
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, all)))
}
