//! The size of a plan: bounded by the memory limit, since optimizing takes memory that nobody counts.
//!
//! A CTE stands in the plan as often as it is used. Fourteen that use each other twice are eighty
//! thousand operators, which took 3.4 GB and minutes before a row was read.

use std::collections::HashMap;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::LogicalPlan;
use lakesh_memory::runtime::Memory;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::quantity::grouped;

/// What the optimizer takes for an operator, about: 36 to 60 KiB were measured.
const BYTES: u64 = 48 * 1024;

/// So much may be taken beside the memory limit.
const BESIDE: u64 = 128 * 1024 * 1024;

/// Refuses plans that are too large to be optimized.
#[derive(Debug)]
pub struct PlanSize {
    memory: Memory,
}

impl PlanSize {
    /// Bounds plans by a session's memory limit.
    pub fn new(memory: Memory) -> Self {
        Self { memory }
    }
}

impl PlanSize {
    /// Refuses a plan that is too large. No rule can do this: DataFusion writes all parts out that a plan
    /// shares before it asks the first one.
    pub fn check(&self, plan: &LogicalPlan) -> Result<()> {
        self.check_count(size(plan, &mut HashMap::new())?)
    }

    /// Refuses so many operators, or so many relations, each of which is an operator at least.
    pub fn check_count(&self, size: u64) -> Result<()> {
        let most = (self.memory.usage().limit.saturating_add(BESIDE)) / BYTES;
        if size <= most {
            return Ok(());
        }
        let message = format!(
            "out of memory: the plan has {} operators, and the memory limit allows {}",
            grouped(size),
            grouped(most)
        );
        let failure = Failure::new(FailureKind::Resources, message)
            .hint("a CTE or view stands in the plan each time that it is used; keep its rows with CREATE TABLE … AS or CACHE TABLE")
            .hint("raise the limit with SET lakesh.memory_limit = '…'");
        Err(DataFusionError::External(Box::new(failure)))
    }
}

/// Counts the operators of a plan, subqueries included. A part that is shared is looked at once and counted
/// as often as it is used.
fn size(plan: &LogicalPlan, known: &mut HashMap<*const LogicalPlan, u64>) -> Result<u64> {
    if let Some(size) = known.get(&std::ptr::from_ref(plan)) {
        return Ok(*size);
    }
    let mut total: u64 = 1;
    for input in plan.inputs() {
        total = total.saturating_add(size(input, known)?);
    }
    plan.apply_subqueries(|subquery| {
        // The node around it is made for the visit; what lies in it stays where it is.
        for inner in subquery.inputs() {
            total = total.saturating_add(size(inner, known)?);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    known.insert(std::ptr::from_ref(plan), total);
    Ok(total)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;
    use lakesh_memory::runtime::{MemorySettings, build_runtime};

    use super::*;

    fn doubling(depth: usize) -> String {
        let ctes = (1..=depth).map(|level| {
            let below = level - 1;
            format!(", c{level} AS (SELECT x.a FROM c{below} x JOIN c{below} y ON x.a = y.a)")
        });
        let ctes: String = ctes.collect();
        format!("WITH c0 AS (SELECT 1 AS a){ctes} SELECT count(*) FROM c{depth}")
    }

    #[tokio::test]
    async fn ctes_that_double_are_counted_as_often_as_they_are_used() {
        let settings = MemorySettings {
            limit: Some(64 * 1024 * 1024),
            ..MemorySettings::new(std::env::temp_dir())
        };
        let (_, memory) = build_runtime(&settings).expect("a runtime");
        let bound = PlanSize::new(memory);
        let state = SessionContext::new().state();
        for (depth, fits) in [(3, true), (12, false)] {
            let plan = state.create_logical_plan(&doubling(depth)).await;
            let outcome = bound.check(&plan.expect("it is planned"));
            let failure = outcome.err().map(Failure::from_error);
            assert_eq!(failure.is_none(), fits, "{depth}: {failure:?}");
        }
    }
}
