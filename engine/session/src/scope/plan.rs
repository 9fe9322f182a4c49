//! Plans the queries of a statement: names are resolved first, and then DataFusion's planner runs.

use datafusion::logical_expr::LogicalPlan;
use lakesh_catalog::definition::{TableRead, ViewDefinition};
use lakesh_sql::{Query, TableName};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::Resolver;
use crate::StatementContext;

impl StatementContext {
    /// Resolves and plans a query.
    pub async fn plan(&self, query: Query) -> Result<Erased<LogicalPlan>, Failure> {
        Ok(self.plan_with_reads(query).await?.0)
    }

    /// Resolves and plans a query; says which tables it reads.
    pub async fn plan_with_reads(
        &self,
        query: Query,
    ) -> Result<(Erased<LogicalPlan>, Vec<TableRead>), Failure> {
        let notes = lakesh_sql::differences(&query);
        let (plan, reads) = {
            let mut resolver = Resolver::new(self);
            let plan: Erased<LogicalPlan> = resolver.plan(query).await?.into();
            (plan, resolver.reads)
        };
        self.observer.reads(&reads);
        for note in notes {
            self.notice(note).await?;
        }
        for note in lakesh_udfs::notes_on_ties(&plan) {
            self.notice(note).await?;
        }
        Ok((plan, reads))
    }

    /// Resolves a query's tables and views without planning it; says which tables it reads.
    pub async fn reads(&self, query: Query) -> Result<Vec<TableRead>, Failure> {
        let mut resolver = Resolver::new(self);
        resolver.resolve(query).await?;
        Ok(resolver.reads)
    }

    /// Resolves and plans a query as far as types: analysis included, nothing executed.
    pub async fn check_plan(&self, query: Query) -> Result<(), Failure> {
        let plan = self.plan(query).await?;
        self.state
            .optimize(&plan)
            .map(drop)
            .map_err(|error| self.failure(error))
    }

    /// Plans a view as if it were stored already, so that a view that names itself is found.
    pub async fn plan_view(&self, name: &TableName, view: &ViewDefinition) -> Result<(), Failure> {
        Resolver::new(self).check_view(name, view).await
    }
}
