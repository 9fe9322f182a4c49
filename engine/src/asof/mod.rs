//! ASOF JOIN: to each row of one table the row of another that was current at its time.
//!
//! `FROM l [LEFT] ASOF JOIN r MATCH_CONDITION (l.t > r.t) ON l.k = r.k` takes of the rows of `r` with the
//! same key the latest that the condition admits; with `<` and `<=` the earliest. Without LEFT, rows that
//! find none are left out. A NULL key or a NULL time matches nothing. Of several rows of the same time the
//! one counts whose other columns, from left to right, are greatest, so that the result does not depend on
//! the order of the rows.

mod execution;
mod merge;
mod node;
mod plan;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::directive::HintExtensionPlanner;

pub(crate) use node::AsOfJoin;
pub(crate) use plan::AsOfRelationPlanner;

/// The name in a match condition that stands for LEFT; the front parser puts it there.
pub(crate) const LEFT_MARK: &str = "left asof";

/// The match condition of a join that has none: its comparison of times stands in ON, or is `>=` on the last
/// column of USING, as DuckDB has it.
pub(crate) const ON_MARK: &str = "asof on";

/// Plans queries as DataFusion does, with as-of joins and hints.
#[derive(Debug)]
pub(crate) struct AsOfQueryPlanner;

#[async_trait]
impl QueryPlanner for AsOfQueryPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(plan::AsOfExtensionPlanner),
            Arc::new(HintExtensionPlanner),
        ]);
        planner.create_physical_plan(plan, session).await
    }
}
