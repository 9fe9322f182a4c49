//! What plans queries: DataFusion's own planner, with the nodes that are added to its plans.
//!
//! It puts together what `asof`, `cache` and `directive` bring, none of which knows the planner of another.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::asof::AsOfExtensionPlanner;
use crate::cache::SharedExtensionPlanner;
use crate::directive::HintExtensionPlanner;

/// Plans queries as DataFusion does, with as-of joins, hints and shared rows.
#[derive(Debug)]
pub struct AsOfQueryPlanner;

#[async_trait]
impl QueryPlanner for AsOfQueryPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(AsOfExtensionPlanner),
            Arc::new(HintExtensionPlanner),
            Arc::new(SharedExtensionPlanner),
        ]);
        // Joins of sorted pieces lose rows of the outer side in which the compared column is NULL
        // (DataFusion 55.2): the setting may be there, and has no effect.
        if session
            .config_options()
            .optimizer
            .enable_piecewise_merge_join
            && let Some(state) = session.as_any().downcast_ref::<SessionState>()
        {
            let mut state = state.clone();
            let options = state.config_mut().options_mut();
            options.optimizer.enable_piecewise_merge_join = false;
            return planner.create_physical_plan(plan, &state).await;
        }
        planner.create_physical_plan(plan, session).await
    }
}
