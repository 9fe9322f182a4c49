//! The operator of an as-of join: merges two inputs that are sorted by key and time.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning,
    PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties,
};

use super::merge::{Merge, Side};
use super::node::Matching;

type Pair = (Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>);

/// Joins each left row with the right row that was current at its time.
#[derive(Debug)]
pub(super) struct AsOfJoinExec {
    left: Arc<dyn ExecutionPlan>,
    right: Arc<dyn ExecutionPlan>,
    on: Vec<Pair>,
    times: Pair,
    matching: Matching,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl AsOfJoinExec {
    pub(super) fn try_new(
        left: Arc<dyn ExecutionPlan>,
        right: Arc<dyn ExecutionPlan>,
        on: Vec<Pair>,
        times: Pair,
        matching: Matching,
        schema: SchemaRef,
    ) -> Result<Self, DataFusionError> {
        let partitioning =
            Partitioning::UnknownPartitioning(left.output_partitioning().partition_count());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            left,
            right,
            on,
            times,
            matching,
            schema,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The order that an input must have: by the keys, by the time, and on the right by what is left, which
    /// decides between rows of the same time.
    fn ordering(&self, right: bool) -> Option<OrderingRequirements> {
        let side = |pair: &Pair| Arc::clone(if right { &pair.1 } else { &pair.0 });
        let mut expressions: Vec<_> = self.on.iter().chain([&self.times]).map(side).collect();
        if right {
            let schema = self.right.schema();
            for (position, field) in schema.fields().iter().enumerate() {
                let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), position));
                let known = expressions.iter().any(|known| known == &column);
                if !known && is_sortable(field.data_type()) {
                    expressions.push(column);
                }
            }
        }
        let ascending = SortOptions {
            descending: false,
            nulls_first: true,
        };
        let sort = expressions
            .into_iter()
            .map(|expression| PhysicalSortExpr::new(expression, ascending));
        LexOrdering::new(sort).map(OrderingRequirements::from)
    }
}

fn is_sortable(data_type: &DataType) -> bool {
    data_type.is_primitive()
        || data_type.is_string()
        || data_type.is_binary()
        || data_type == &DataType::Boolean
        || matches!(data_type, DataType::Dictionary(_, values) if values.is_string())
}

impl DisplayAs for AsOfJoinExec {
    fn fmt_as(&self, _kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.matching.outer { "Left" } else { "Inner" };
        let (left, right) = &self.times;
        let operator = self.matching.operator();
        write!(
            formatter,
            "AsOfJoinExec: type={kind}, match={left} {operator} {right}, on=["
        )?;
        for (position, (left, right)) in self.on.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(formatter, "{comma}({left}, {right})")?;
        }
        formatter.write_str("]")
    }
}

impl ExecutionPlan for AsOfJoinExec {
    fn name(&self) -> &str {
        "AsOfJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        if self.on.is_empty() {
            return InputDistributionRequirements::new(vec![
                Distribution::SinglePartition,
                Distribution::SinglePartition,
            ]);
        }
        let (left, right) = self.on.iter().cloned().unzip();
        InputDistributionRequirements::co_partitioned(vec![
            Distribution::KeyPartitioned(left),
            Distribution::KeyPartitioned(right),
        ])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.ordering(false), self.ordering(true)]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true, false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.left, &self.right]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        for (left, right) in self.on.iter().chain([&self.times]) {
            for expression in [left, right] {
                if visit(expression)? == TreeNodeRecursion::Stop {
                    return Ok(TreeNodeRecursion::Stop);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let [left, right] = children.as_slice() else {
            return internal_err!("an as-of join has two inputs");
        };
        Ok(Arc::new(Self::try_new(
            Arc::clone(left),
            Arc::clone(right),
            self.on.clone(),
            self.times.clone(),
            self.matching,
            Arc::clone(&self.schema),
        )?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let partitions =
            |plan: &Arc<dyn ExecutionPlan>| plan.output_partitioning().partition_count();
        if partitions(&self.left) != partitions(&self.right) {
            return internal_err!("the inputs of an as-of join are partitioned differently");
        }
        let (left_keys, right_keys): (Vec<_>, Vec<_>) = self.on.iter().cloned().unzip();
        let (left_time, right_time) = self.times.clone();
        let schema = self.left.schema();
        let key_types = left_keys
            .iter()
            .map(|key| key.data_type(&schema))
            .collect::<Result<Vec<_>, _>>()?;
        let time_type = left_time.data_type(&schema)?;
        let rows = |plan: &Arc<dyn ExecutionPlan>| plan.execute(partition, Arc::clone(&context));
        let left = Side::new(
            rows(&self.left)?,
            left_keys,
            left_time,
            &key_types,
            &time_type,
        )?;
        let right = Side::new(
            rows(&self.right)?,
            right_keys,
            right_time,
            &key_types,
            &time_type,
        )?;
        let reservation =
            MemoryConsumer::new(format!("as-of join[{partition}]")).register(context.memory_pool());
        let merge = Merge::new(
            left,
            right,
            self.matching,
            Arc::clone(&self.schema),
            self.right.schema(),
            context.session_config().batch_size(),
            reservation,
        );
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let rows =
            futures::stream::try_unfold((merge, metrics), |(mut merge, metrics)| async move {
                let batch = merge.next().await?;
                Ok(batch.map(|batch| {
                    metrics.record_output(batch.num_rows());
                    (batch, (merge, metrics))
                }))
            });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
