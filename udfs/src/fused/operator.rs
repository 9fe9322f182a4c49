//! The operator. It stands in for one of DataFusion's window operators, which it keeps: properties,
//! requirements and statistics are the same, only the way of computing is another.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_datafusion_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties,
};

use super::calls::feature_call;
use super::stream::FeatureStream;

/// Computes feature functions batch by batch.
#[derive(Debug)]
pub(super) struct FeatureWindowExec {
    /// The operator of DataFusion's that this one stands in for.
    original: Arc<dyn ExecutionPlan>,
    expressions: Vec<Arc<dyn WindowExpr>>,
    metrics: ExecutionPlanMetricsSet,
}

impl FeatureWindowExec {
    /// Stands in for an operator all of whose expressions can be computed.
    pub(super) fn new(
        original: Arc<dyn ExecutionPlan>,
        expressions: Vec<Arc<dyn WindowExpr>>,
    ) -> Self {
        Self {
            original,
            expressions,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// Returns the operator that this one stands in for.
    pub(super) fn original(&self) -> &Arc<dyn ExecutionPlan> {
        &self.original
    }

    pub(super) fn input(&self) -> Result<&Arc<dyn ExecutionPlan>> {
        let children = self.original.children();
        let input = children.first().copied();
        input.ok_or_else(|| internal_datafusion_err!("a window operator without input"))
    }
}

impl DisplayAs for FeatureWindowExec {
    fn fmt_as(&self, format: DisplayFormatType, out: &mut fmt::Formatter) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(out, "FeatureWindowExec: functions=[")?;
                for (place, expression) in self.expressions.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(out, "{comma}{}", expression.name())?;
                }
                write!(out, "]")
            }
            DisplayFormatType::TreeRender => {
                for expression in &self.expressions {
                    writeln!(out, "{}", expression.name())?;
                }
                Ok(())
            }
        }
    }
}

impl ExecutionPlan for FeatureWindowExec {
    fn name(&self) -> &'static str {
        "FeatureWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.original.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.original.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.original.apply_expressions(visit)
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.original.required_input_ordering()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.original.input_distribution_requirements()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let original = Arc::clone(&self.original).replace_children(children, options)?;
        Ok(Arc::new(Self::new(original, self.expressions.clone())))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input()?;
        let input_schema: SchemaRef = input.schema();
        let mut calls = Vec::with_capacity(self.expressions.len());
        for expression in &self.expressions {
            let call = feature_call(expression, &input_schema)?;
            calls.push(call.ok_or_else(|| {
                internal_datafusion_err!("`{}` is no feature function", expression.name())
            })?);
        }
        let keys = self.expressions.first();
        let consumer = MemoryConsumer::new(format!("FeatureWindow[{partition}]"));
        Ok(Box::pin(FeatureStream::new(
            self.schema(),
            input.execute(partition, with_larger_batches(&context, &input_schema))?,
            keys.map_or(Vec::new(), |expression| expression.partition_by().to_vec()),
            calls,
            consumer.register(context.memory_pool()),
            BaselineMetrics::new(&self.metrics, partition),
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(
        &self,
        partition: Option<usize>,
    ) -> Vec<datafusion::physical_plan::statistics::ChildStats> {
        self.original.child_stats_requests(partition)
    }

    fn statistics_from_inputs(
        &self,
        input: &[Arc<Statistics>],
        arguments: &datafusion::physical_plan::statistics::StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        self.original.statistics_from_inputs(input, arguments)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

/// The bytes that a batch of sorted input should have, about.
const BATCH_BYTES: usize = 2 << 20;

/// Batches of more rows are not sorted faster.
const MOST_ROWS: usize = 32 * 1024;

/// Lets the input come in larger batches where its rows are narrow: fewer runs to merge make DataFusion's
/// sort, which text keys need, faster by a fifth.
fn with_larger_batches(context: &Arc<TaskContext>, schema: &SchemaRef) -> Arc<TaskContext> {
    let config = context.session_config();
    let widths = schema.fields().iter().map(|field| {
        // Texts and lists have no width of their own: a guess that is rather too large.
        field.data_type().primitive_width().unwrap_or(64)
    });
    let rows = BATCH_BYTES / widths.sum::<usize>().max(1);
    let rows = rows.min(MOST_ROWS);
    // Whoever asks for small batches has a reason.
    if config.batch_size() < DEFAULT_ROWS || rows <= config.batch_size() {
        return Arc::clone(context);
    }
    let config = config.clone().with_batch_size(rows);
    Arc::new(TaskContext::new(
        context.task_id(),
        context.session_id(),
        config,
        context.scalar_functions().clone(),
        context.higher_order_functions().clone(),
        context.aggregate_functions().clone(),
        context.window_functions().clone(),
        context.runtime_env(),
    ))
}

/// DataFusion's own number of rows of a batch.
const DEFAULT_ROWS: usize = 8192;
