//! The physical node that carries a hint's mark from the planner to the rule that reads it.
//!
//! It hands its input on as it is. Marks of joins are taken out once joins are chosen, so that later rules
//! see the plan that they know; the mark that keeps filters off stays.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};

use super::node::{Asked, Effect};
use super::partitions::only;

/// A relation with what a hint asks for of it.
#[derive(Debug)]
pub(super) struct MarkExec {
    pub(super) input: Arc<dyn ExecutionPlan>,
    pub(super) asked: Asked,
}

impl MarkExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, asked: Asked) -> Self {
        Self { input, asked }
    }

    /// Whether it is there for the choice of joins alone.
    pub(super) fn is_for_joins(&self) -> bool {
        matches!(self.asked.effect, Effect::Join(_) | Effect::Order { .. })
    }
}

impl DisplayAs for MarkExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HintExec: {}", self.asked.effect)
    }
}

impl ExecutionPlan for MarkExec {
    fn name(&self) -> &str {
        "HintExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        Ok(Arc::new(Self::new(only(children)?, self.asked.clone())))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>, DataFusionError> {
        Ok(Arc::clone(&inputs[0]))
    }
}
