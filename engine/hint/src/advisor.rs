//! The advisor of sessions: what hints do with queries that are not asked about.

use std::time::Duration;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use lakesh_session::{Advisor, StatementContext};
use lakesh_sql::Query;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::{auto, notice};

/// Applies remedies that were verified before, and tells of hints after queries that took long.
pub struct HintAdvisor;

#[async_trait]
impl Advisor for HintAdvisor {
    async fn planned(
        &self,
        context: &StatementContext,
        query: &Query,
    ) -> Result<Option<Erased<LogicalPlan>>, Failure> {
        auto::remedied(context, query).await
    }

    async fn ran(&self, context: &StatementContext, elapsed: Duration) -> Result<(), Failure> {
        notice::after(context, elapsed).await
    }
}
