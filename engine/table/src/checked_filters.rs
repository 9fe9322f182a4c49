//! Filters of a Delta scan are evaluated above it, whatever the library says that it has done with them.
//!
//! deltalake-core 1.1.3 (`scan/plan.rs`, `process_predicate`) calls every predicate over partition
//! columns alone, and every one over no column at all, exact, so that no filter stands above its scan.
//! But the reader of its log keeps each file of which it cannot tell: `k + 0 > 1`, `k = NULL` and
//! `k IN (1, NULL)` all kept rows for which they do not hold, and DELETE removed them. So a predicate
//! may skip files below, and decides about rows above.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Statistics;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Constraints, Result};
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_plan::ExecutionPlan;
use deltalake::delta_datafusion::DeltaScanNext;

use super::log_bounds::{believed_scan, told_to_log};

/// Returns what a provider does with filters, where what it calls exact is checked again.
pub(super) fn checked(said: Vec<TableProviderFilterPushDown>) -> Vec<TableProviderFilterPushDown> {
    said.into_iter()
        .map(|filter| match filter {
            TableProviderFilterPushDown::Exact => TableProviderFilterPushDown::Inexact,
            said => said,
        })
        .collect()
}

/// A table whose filters are checked above its scan.
#[derive(Debug)]
pub(super) struct CheckedFilters {
    inner: Arc<dyn TableProvider>,
}

impl CheckedFilters {
    pub(super) fn new(inner: Arc<dyn TableProvider>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl TableProvider for CheckedFilters {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn constraints(&self) -> Option<&Constraints> {
        self.inner.constraints()
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.inner.get_logical_plan()
    }

    fn get_column_default(&self, column: &str) -> Option<&Expr> {
        self.inner.get_column_default(column)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let told = told_to_log(filters, &self.inner.schema());
        let limit = limit.filter(|_| told.len() == filters.len());
        let plan = self.inner.scan(state, projection, &told, limit).await?;
        believed_scan(plan)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters).map(checked)
    }

    fn statistics(&self) -> Option<Statistics> {
        self.inner.statistics()
    }
}

/// Puts [`CheckedFilters`] around the scans that the library's operations put into their plans.
#[derive(Debug)]
pub(super) struct CheckScans;

impl AnalyzerRule for CheckScans {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::TableScan(mut scan) = node else {
                return Ok(Transformed::no(node));
            };
            let Ok(provider) = source_as_provider(&scan.source) else {
                return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
            };
            if !provider.is::<DeltaScanNext>() {
                return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
            }
            scan.source = provider_as_source(Arc::new(CheckedFilters::new(provider)));
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        })
        .map(|checked| checked.data)
    }

    fn name(&self) -> &str {
        "check_delta_scans"
    }
}
