//! The operator. It stands in for DataFusion's sort, which it keeps: properties, requirements and
//! statistics are the same, only the way of sorting is another.

use std::fmt;
use std::sync::{Arc, PoisonError};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_datafusion_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties,
};

use super::key::is_supported;
use super::stream::{Sorter, TakenOver};

/// Sorts each partition by keys of numbers, times and booleans.
#[derive(Debug)]
pub struct KeySortExec {
    /// The operator of DataFusion's that this one stands in for.
    original: Arc<SortExec>,
    metrics: ExecutionPlanMetricsSet,
    taken_over: TakenOver,
}

impl KeySortExec {
    /// Stands in for a sort, or returns `None` where it cannot: for sorts that keep only the first rows,
    /// and for keys of other types.
    ///
    /// # Errors
    ///
    /// When a key does not fit the sort's input, which planning excludes.
    pub fn instead_of(sort: &SortExec) -> Result<Option<Self>> {
        if sort.fetch().is_some() {
            return Ok(None);
        }
        let schema = sort.input().schema();
        for key in sort.expr() {
            if is_volatile(&key.expr) || !is_supported(&key.expr.data_type(&schema)?) {
                return Ok(None);
            }
        }
        Ok(Some(Self::new(Arc::new(sort.clone()))))
    }

    fn new(original: Arc<SortExec>) -> Self {
        Self {
            original,
            metrics: ExecutionPlanMetricsSet::new(),
            taken_over: TakenOver::default(),
        }
    }

    /// Returns the operator that this one stands in for.
    pub fn original(&self) -> &Arc<SortExec> {
        &self.original
    }
}

impl DisplayAs for KeySortExec {
    fn fmt_as(&self, format: DisplayFormatType, out: &mut fmt::Formatter) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                let preserve = self.original.preserve_partitioning();
                write!(
                    out,
                    "KeySortExec: expr=[{}], preserve_partitioning=[{preserve}]",
                    self.original.expr()
                )
            }
            DisplayFormatType::TreeRender => self.original.fmt_as(format, out),
        }
    }
}

impl ExecutionPlan for KeySortExec {
    fn name(&self) -> &'static str {
        "KeySortExec"
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

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.original.input_distribution_requirements()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        self.original.benefits_from_input_partitioning()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = Arc::clone(&self.original).replace_children(children, options)?;
        let sort = replaced.downcast_ref::<SortExec>();
        let sort =
            sort.ok_or_else(|| internal_datafusion_err!("a sort became another operator"))?;
        Ok(Arc::new(Self::new(Arc::new(sort.clone()))))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.original.input();
        let order = self.original.expr().clone();
        let stream = input.execute(partition, Arc::clone(&context))?;
        if input
            .equivalence_properties()
            .ordering_satisfy(order.clone())?
        {
            return Ok(stream);
        }
        let consumer = MemoryConsumer::new(format!("KeySort[{partition}]")).with_can_spill(true);
        let sorter = Sorter {
            input: stream,
            order,
            reservation: consumer.register(context.memory_pool()),
            metrics: BaselineMetrics::new(&self.metrics, partition),
            context,
            taken_over: Arc::clone(&self.taken_over),
        };
        Ok(sorter.stream())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut all = self.metrics.clone_inner();
        let taken_over = self.taken_over.lock();
        for sort in taken_over.unwrap_or_else(PoisonError::into_inner).iter() {
            let metrics = sort.metrics().unwrap_or_default();
            metrics
                .iter()
                .for_each(|metric| all.push(Arc::clone(metric)));
        }
        Some(all)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.original.child_stats_requests(partition)
    }

    fn statistics_from_inputs(
        &self,
        input: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        self.original.statistics_from_inputs(input, arguments)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
