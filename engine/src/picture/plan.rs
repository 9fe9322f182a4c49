//! The plan of a query as a tree of operators with what is known of each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};

use crate::failure::masked;

/// The operator that runs a plan to measure it.
const ANALYZE: &str = "AnalyzeExec";

/// An operator of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanNode {
    /// What it is: `HashJoin`.
    pub name: String,
    /// What it does, in lines such as `predicate=a > 1`.
    pub details: Vec<String>,
    /// The rows that it gave, or that it is thought to give.
    pub rows: Option<u64>,
    /// Whether the rows are an estimate.
    pub is_estimate: bool,
    /// The time that it took, over all threads; `None` if it has not run or does not say.
    pub elapsed: Option<Duration>,
    /// Where its rows come from.
    pub inputs: Vec<PlanNode>,
}

/// Describes a plan. Of one that has been measured, what it measured.
pub(crate) fn plan_node(plan: &Arc<dyn ExecutionPlan>) -> PlanNode {
    let measured = measured(plan);
    node(measured.unwrap_or(plan), measured.is_some())
}

/// Finds the plan that was run to be measured.
fn measured(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    let inputs = plan.children();
    match plan.name() == ANALYZE {
        true => inputs.into_iter().next(),
        false => inputs.into_iter().find_map(measured),
    }
}

fn node(plan: &Arc<dyn ExecutionPlan>, has_run: bool) -> PlanNode {
    let (rows, elapsed) = match has_run {
        true => results(plan),
        false => (estimate(plan), None),
    };
    let details = masked(&Details(plan.as_ref()).to_string());
    PlanNode {
        name: plan.name().trim_end_matches("Exec").to_owned(),
        details: details.lines().map(str::to_owned).collect(),
        rows,
        is_estimate: !has_run,
        elapsed,
        inputs: plan
            .children()
            .into_iter()
            .map(|input| node(input, has_run))
            .collect(),
    }
}

/// What an operator that has run says of its rows and its time.
fn results(plan: &Arc<dyn ExecutionPlan>) -> (Option<u64>, Option<Duration>) {
    let Some(metrics) = plan.metrics().map(|metrics| metrics.aggregate_by_name()) else {
        return (None, None);
    };
    // Scans count the time of their files apart.
    let scanning = metrics
        .sum_by_name("time_elapsed_processing")
        .map(|value| value.as_usize());
    let nanoseconds = metrics.elapsed_compute().max(scanning);
    (
        metrics.output_rows().map(|rows| rows as u64),
        nanoseconds.map(|nanoseconds| Duration::from_nanos(nanoseconds as u64)),
    )
}

fn estimate(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    let arguments = StatisticsArgs::default();
    let statistics = StatisticsContext::new().compute(plan.as_ref(), &arguments);
    match statistics.ok()?.num_rows {
        Precision::Exact(rows) | Precision::Inexact(rows) => Some(rows as u64),
        Precision::Absent => None,
    }
}

/// Writes what an operator does, as DataFusion's own tree of a plan has it.
struct Details<'a>(&'a dyn ExecutionPlan);

impl fmt::Display for Details<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(DisplayFormatType::TreeRender, formatter)
    }
}
