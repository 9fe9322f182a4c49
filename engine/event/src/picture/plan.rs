//! The plan of a query as operators with what is known of each.

use std::fmt;
use std::sync::Arc;

use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use lakesh_text::failure::masked;

use crate::observation::Observation;

/// The operator that runs a plan to measure it.
const ANALYZE: &str = "AnalyzeExec";

/// A plan to draw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanPicture {
    /// What is known of the operators.
    pub observation: Observation,
    /// What each of them does, in the same order: `predicate=a > 1`.
    pub details: Vec<Vec<String>>,
    /// Whether the plan has run, so that its rows are counted and not estimated.
    pub has_run: bool,
}

impl PlanPicture {
    /// Describes a plan; of one that was run to be measured, what it measured.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let measured = measured(plan);
        let plan = measured.unwrap_or(plan);
        let mut details = Vec::new();
        describe(plan, &mut details);
        Self {
            observation: Observation::of(plan),
            details,
            has_run: measured.is_some(),
        }
    }
}

/// Finds the plan that was run to be measured.
fn measured(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    let inputs = plan.children();
    match plan.name() == ANALYZE {
        true => inputs.into_iter().next(),
        false => inputs.into_iter().find_map(measured),
    }
}

/// Writes what operators do, in pre-order as they are observed.
fn describe(plan: &Arc<dyn ExecutionPlan>, details: &mut Vec<Vec<String>>) {
    let text = masked(&Details(plan.as_ref()).to_string());
    // Some operators have nothing to say but their name.
    let lines = text.lines().filter(|line| *line != plan.name());
    details.push(lines.map(str::to_owned).collect());
    for input in plan.children() {
        describe(input, details);
    }
}

/// Writes what an operator does, as DataFusion's own tree of a plan has it.
struct Details<'a>(&'a dyn ExecutionPlan);

impl fmt::Display for Details<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(DisplayFormatType::TreeRender, formatter)
    }
}
