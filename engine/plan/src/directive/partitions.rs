//! The operators of REPARTITION and COALESCE.
//!
//! DataFusion takes its own exchanges out of a plan and puts them where it wants them, so these have
//! types of their own.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, StatisticsArgs,
};
use futures::StreamExt;
use futures::stream::select_all;

type Result<T> = std::result::Result<T, DataFusionError>;

/// Returns what is known of all partitions together; which rows one of them gets is not known.
fn of_whole(
    inputs: &[Arc<Statistics>],
    arguments: &StatisticsArgs,
    schema: &Schema,
) -> Arc<Statistics> {
    match arguments.partition() {
        None => Arc::clone(&inputs[0]),
        Some(_) => Arc::new(Statistics::new_unknown(schema)),
    }
}

pub(super) fn only(mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    match (children.pop(), children.is_empty()) {
        (Some(input), true) => Ok(input),
        _ => internal_err!("a hint has one input"),
    }
}

/// Hands rows to as many partitions as a hint says.
#[derive(Debug)]
pub(super) struct RepartitionByHintExec {
    exchange: RepartitionExec,
}

impl RepartitionByHintExec {
    pub(super) fn try_new(
        input: Arc<dyn ExecutionPlan>,
        partitioning: Partitioning,
    ) -> Result<Self> {
        Ok(Self {
            exchange: RepartitionExec::try_new(input, partitioning)?,
        })
    }
}

impl DisplayAs for RepartitionByHintExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitioning = self.exchange.partitioning();
        write!(formatter, "RepartitionByHintExec: {partitioning}")
    }
}

impl ExecutionPlan for RepartitionByHintExec {
    fn name(&self) -> &str {
        "RepartitionByHintExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.exchange.properties()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.exchange.children()
    }

    fn apply_expressions(
        &self,
        apply: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.exchange.apply_expressions(apply)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partitioning = self.exchange.partitioning().clone();
        Ok(Arc::new(Self::try_new(only(children)?, partitioning)?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.exchange.execute(partition, context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.exchange.metrics()
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(of_whole(inputs, arguments, &self.schema()))
    }
}

/// Puts several partitions into one each, until as few are left as a hint says.
#[derive(Debug)]
pub(super) struct CoalesceByHintExec {
    input: Arc<dyn ExecutionPlan>,
    most: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CoalesceByHintExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, most: usize) -> Self {
        let partitions = input.output_partitioning().partition_count().min(most);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self {
            input,
            most,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for CoalesceByHintExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.input.output_partitioning().partition_count();
        let to = self.properties.partitioning.partition_count();
        write!(formatter, "CoalesceByHintExec: partitions={from} to {to}")
    }
}

impl ExecutionPlan for CoalesceByHintExec {
    fn name(&self) -> &str {
        "CoalesceByHintExec"
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
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only(children)?, self.most)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let inputs = self.input.output_partitioning().partition_count();
        let step = self.properties.partitioning.partition_count();
        let streams = (partition..inputs)
            .step_by(step.max(1))
            .map(|input| self.input.execute(input, Arc::clone(&context)))
            .collect::<Result<Vec<_>>>()?;
        let measured = BaselineMetrics::new(&self.metrics, partition);
        let rows = select_all(streams).inspect(move |batch| {
            if let Ok(batch) = batch {
                measured.record_output(batch.num_rows());
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(of_whole(inputs, arguments, &self.schema()))
    }
}
