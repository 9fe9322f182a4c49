//! Opens tables whose rows the session keeps.
//!
//! Their sources are resolved as ever, so that a changed version is seen; rows of another version are let
//! go and computed anew by whoever reads them.

use std::sync::Arc;

use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::logical_expr::{LogicalPlanBuilder, TableSource};
use datafusion::sql::sqlparser::ast::Ident;
use futures::FutureExt;
use futures::future::BoxFuture;
use lakesh_catalog::definition::{TableVersion, ViewDefinition};
use lakesh_plan::cache::{CacheEntry, CacheSource, CachedTable};
use lakesh_sql::TableName;
use lakesh_text::failure::Failure;

use super::Resolver;

impl Resolver<'_> {
    /// Finds what is kept of a table, where the session looks at the newest versions.
    pub(super) fn cache_entry(&self, name: &TableName) -> Option<Arc<CacheEntry>> {
        let session = &self.context.session;
        let is_now = session.as_of().is_none() && self.pinned.is_empty();
        if !is_now || self.uncached.contains(name) {
            return None;
        }
        session.cache().get(name)
    }

    /// Returns the query of a name that CACHE TABLE … AS has made.
    pub(super) fn cached_query(&self, name: &TableName) -> Option<ViewDefinition> {
        match &self.context.session.cache().get(name)?.source {
            CacheSource::Query(view) => Some(view.clone()),
            CacheSource::Named => None,
        }
    }

    /// Opens a table whose rows are kept.
    pub(super) fn cached<'b>(
        &'b mut self,
        entry: Arc<CacheEntry>,
        parts: &'b [Ident],
    ) -> BoxFuture<'b, Result<Arc<dyn TableSource>, Failure>> {
        async move {
            let table = self.cached_table(entry, parts).await?;
            let provider: Arc<dyn TableProvider> = Arc::new(table);
            Ok(provider_as_source(provider))
        }
        .boxed()
    }

    /// Resolves the sources of a table whose rows are kept.
    pub fn cached_table<'b>(
        &'b mut self,
        entry: Arc<CacheEntry>,
        parts: &'b [Ident],
    ) -> BoxFuture<'b, Result<CachedTable, Failure>> {
        async move {
            let name = entry.name.clone();
            let mut inner = Resolver::new(self.context);
            inner.views.clone_from(&self.views);
            inner.uncached.clone_from(&self.uncached);
            inner.uncached.push(name.clone());
            let plan = match &entry.source {
                CacheSource::Query(view) => inner.view_plan(&name, view).await?,
                CacheSource::Named => {
                    let latest = TableVersion::Latest;
                    let source = inner.named(&name, parts, latest).await?;
                    LogicalPlanBuilder::scan(name.table.as_str(), source, None)
                        .and_then(LogicalPlanBuilder::build)
                        .map_err(Failure::from_error)?
                }
            };
            let budget = &self.context.session.cache().budget;
            let rows = entry.rows_of(&inner.reads, budget);
            for read in inner.reads {
                if !self.reads.contains(&read) {
                    self.reads.push(read);
                }
            }
            Ok(CachedTable::new(
                self.shown(&name),
                plan.into(),
                entry,
                rows,
            ))
        }
        .boxed()
    }
}
