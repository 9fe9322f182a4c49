//! A cached table as DataFusion scans it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use futures::FutureExt;
use futures::future::BoxFuture;
use lakesh_text::erased::Erased;

use super::execution::CachedScanExec;
use super::rows::HeldRows;
use super::{CacheEntry, MaterializeExec, SharedRows};

/// A table whose rows are kept, or will be once they were computed.
pub struct CachedTable {
    name: String,
    schema: SchemaRef,
    /// What computes the rows.
    source: Erased<LogicalPlan>,
    entry: Arc<CacheEntry>,
    rows: Arc<SharedRows>,
}

impl CachedTable {
    /// Makes the table of what computes its rows and of where they are kept.
    pub fn new(
        name: String,
        source: Erased<LogicalPlan>,
        entry: Arc<CacheEntry>,
        rows: Arc<SharedRows>,
    ) -> Self {
        Self {
            name,
            schema: Arc::clone(source.schema().inner()),
            source,
            entry,
            rows,
        }
    }

    /// Computes the rows now.
    pub fn fill<'a>(
        &'a self,
        state: &'a Erased<SessionState>,
    ) -> BoxFuture<'a, Result<Arc<HeldRows>>> {
        async move {
            let input = state.create_physical_plan(&self.source).await?;
            self.rows.compute(&input, &state.task_ctx()).await
        }
        .boxed()
    }
}

impl fmt::Debug for CachedTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cached {}", self.name)
    }
}

#[async_trait]
impl TableProvider for CachedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let found = self.rows.get();
        self.entry.count(found.is_some());
        if let Some(rows) = found {
            let name = self.name.clone();
            let scan = CachedScanExec::try_new(name, rows, &self.schema, projection)?;
            return Ok(Arc::new(scan));
        }
        let input = state.create_physical_plan(&self.source).await?;
        let rows: Arc<dyn ExecutionPlan> =
            Arc::new(MaterializeExec::new(input, Arc::clone(&self.rows)));
        let Some(columns) = projection else {
            return Ok(rows);
        };
        let columns: Vec<(Arc<dyn PhysicalExpr>, String)> = columns
            .iter()
            .map(|position| {
                let name = self.schema.field(*position).name();
                let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, *position));
                (column, name.clone())
            })
            .collect();
        Ok(Arc::new(ProjectionExec::try_new(columns, rows)?))
    }
}
