//! The walk over a plan that makes an operator's record of each node.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, StatisticsArgs, StatisticsContext, displayable,
};

use super::{Estimate, Operator, pipeline, scan};

/// Makes the records of a plan's nodes.
pub(super) fn operators(plan: &Arc<dyn ExecutionPlan>) -> Vec<Operator> {
    let mut walk = Walk {
        statistics: StatisticsContext::new(),
        operators: Vec::new(),
        pipelines: 1,
    };
    walk.visit(plan, None, 0, 1);
    walk.operators
}

struct Walk {
    /// Remembers what it computed, so that the estimates of all nodes cost one pass.
    statistics: StatisticsContext,
    operators: Vec<Operator>,
    pipelines: usize,
}

impl Walk {
    fn visit(
        &mut self,
        node: &Arc<dyn ExecutionPlan>,
        parent: Option<usize>,
        depth: usize,
        pipeline: usize,
    ) {
        let id = self.operators.len();
        let mut operator = self.operator(node);
        operator.id = id;
        operator.parent = parent;
        operator.depth = depth;
        operator.pipeline = pipeline;
        self.operators.push(operator);
        for (position, child) in node.children().into_iter().enumerate() {
            let pipeline = if pipeline::begins_at(node.as_ref(), position) {
                self.pipelines += 1;
                self.pipelines
            } else {
                pipeline
            };
            self.visit(child, Some(id), depth + 1, pipeline);
        }
    }

    fn operator(&self, node: &Arc<dyn ExecutionPlan>) -> Operator {
        // A node that cannot tell has no estimate; its query runs all the same.
        let statistics = self
            .statistics
            .compute(node.as_ref(), &StatisticsArgs::new())
            .ok();
        let line = displayable(node.as_ref()).one_line().to_string();
        let metrics = node.metrics();
        let mut operator = Operator {
            name: node.name().to_owned(),
            line: line.trim_end().to_owned(),
            partitions: node.output_partitioning().partition_count(),
            estimated_rows: statistics
                .as_ref()
                .and_then(|found| estimate(&found.num_rows)),
            estimated_bytes: statistics
                .as_ref()
                .and_then(|found| estimate(&found.total_byte_size)),
            ..Operator::default()
        };
        let summed = metrics.as_ref().map(MetricsSet::aggregate_by_name);
        operator.files = scan::files(node.as_ref(), summed.as_ref());
        if let (Some(metrics), Some(summed)) = (metrics, summed) {
            operator.skew = skew(&metrics);
            measure(&mut operator, &summed);
        }
        operator
    }
}

fn estimate(precision: &Precision<usize>) -> Option<Estimate> {
    match precision {
        Precision::Exact(value) => Some(Estimate {
            value: *value as u64,
            exact: true,
        }),
        Precision::Inexact(value) => Some(Estimate {
            value: *value as u64,
            exact: false,
        }),
        Precision::Absent => None,
    }
}

/// Takes what a node has counted into its record.
fn measure(operator: &mut Operator, metrics: &MetricsSet) {
    let mut memory = None;
    for metric in metrics.iter() {
        let value = metric.value();
        let count = value.as_usize() as u64;
        match value {
            MetricValue::OutputRows(_) => operator.rows = Some(count),
            MetricValue::OutputBytes(_) => operator.output_bytes = Some(count),
            MetricValue::SpillCount(_) => operator.spill.count = count,
            MetricValue::SpilledBytes(_) => operator.spill.bytes = count,
            MetricValue::SpilledRows(_) => operator.spill.rows = count,
            MetricValue::CurrentMemoryUsage(_) | MetricValue::PeakMemoryUsage { .. } => {
                memory = memory.max(Some(count));
            }
            MetricValue::Gauge { name, .. } if name == "build_mem_used" => {
                memory = memory.max(Some(count));
            }
            MetricValue::StartTimestamp(_)
            | MetricValue::EndTimestamp(_)
            | MetricValue::Ratio { .. } => continue,
            _ => {}
        }
        operator.counts.push((name_of(value), count));
    }
    operator.peak_memory = memory;
    operator.bytes_scanned = operator.count("bytes_scanned");
    operator.row_groups = scan::row_groups(metrics);
    operator.elapsed = elapsed(operator);
    if matches!(
        operator.name.as_str(),
        "RepartitionExec" | "RepartitionByHintExec"
    ) {
        operator.repartitioned_rows = operator.rows;
        operator.repartitioned_bytes = operator.output_bytes;
    }
}

/// The time of a node. Scans and exchanges count part of it under names of their own.
fn elapsed(operator: &Operator) -> Option<Duration> {
    [
        "elapsed_compute",
        "time_elapsed_processing",
        "repartition_time",
    ]
    .into_iter()
    .filter_map(|name| operator.count(name))
    .max()
    .map(Duration::from_nanos)
}

fn name_of(value: &MetricValue) -> Cow<'static, str> {
    match value {
        MetricValue::Count { name, .. }
        | MetricValue::Gauge { name, .. }
        | MetricValue::PeakMemoryUsage { name, .. }
        | MetricValue::Time { name, .. }
        | MetricValue::PruningMetrics { name, .. }
        | MetricValue::Custom { name, .. } => name.clone(),
        other => Cow::Owned(other.name().to_owned()),
    }
}

/// Compares the largest partition with the middle one.
fn skew(metrics: &MetricsSet) -> Option<f64> {
    let mut by_partition: BTreeMap<usize, u64> = BTreeMap::new();
    for metric in metrics.iter() {
        if let (Some(partition), MetricValue::OutputRows(count)) =
            (metric.partition(), metric.value())
        {
            *by_partition.entry(partition).or_default() += count.value() as u64;
        }
    }
    let mut rows: Vec<u64> = by_partition.into_values().collect();
    rows.sort_unstable();
    let largest = *rows.last()?;
    if rows.len() < 2 || largest == 0 {
        return None;
    }
    // Of two partitions the smaller one, so that a lopsided pair is seen.
    let middle = rows[(rows.len() - 1) / 2].max(1);
    Some(largest as f64 / middle as f64)
}
