//! The advisor of sessions: what hints do with queries that are not asked about.

use std::time::Duration;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;

use super::{auto, notice};
use crate::erased::Erased;
use crate::failure::Failure;
use crate::session::{Advisor, StatementContext};
use crate::sql::Query;

/// Applies remedies that were verified before, and tells of hints after queries that took long.
pub(crate) struct HintAdvisor;

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
