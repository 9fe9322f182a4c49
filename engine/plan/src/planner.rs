//! What plans queries: DataFusion's own planner, with the nodes that are added to its plans.
//!
//! It puts together what `asof` and `directive` bring, neither of which knows the other.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::asof::AsOfExtensionPlanner;
use crate::directive::HintExtensionPlanner;

/// Plans queries as DataFusion does, with as-of joins and hints.
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
        ]);
        planner.create_physical_plan(plan, session).await
    }
}
