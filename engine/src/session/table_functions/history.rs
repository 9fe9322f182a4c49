//! `table_history` and `table_detail`: what DESCRIBE HISTORY and DESCRIBE DETAIL show.

use std::sync::Arc;

use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{MemTable, TableProvider};

use super::arguments::Bound;
use crate::definition::TableVersion;
use crate::failure::Failure;
use crate::scope::{DeltaTarget, Resolver};
use crate::session::StatementContext;
use crate::table::{self, Argument};

/// Opens the call `table_history('table')`.
pub(super) async fn call_history(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let mut bound = Bound::new("table_history", &["table"], 1, arguments)?;
    let target = resolver.delta(&bound.take_table()?).await?;
    history(resolver.context(), &target, None).await
}

/// Opens the call `table_detail('table')`.
pub(super) async fn call_detail(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let mut bound = Bound::new("table_detail", &["table"], 1, arguments)?;
    let target = resolver.delta(&bound.take_table()?).await?;
    detail(resolver.context(), &target).await
}

/// Returns one row a commit, newest first; with a limit, the newest ones only.
pub(crate) async fn history(
    context: &StatementContext,
    target: &DeltaTarget,
    limit: Option<usize>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let DeltaTarget::Table { definition, .. } = target else {
        return Ok(Arc::new(EmptyTable::new(table::history_schema())));
    };
    Ok(table::delta_history(definition, limit, &context.table_context()).await?)
}

/// Returns one row about a table as the session sees it.
pub(crate) async fn detail(
    context: &StatementContext,
    target: &DeltaTarget,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let schema = table::detail_schema();
    let DeltaTarget::Table { shown, definition } = target else {
        return Ok(Arc::new(EmptyTable::new(schema)));
    };
    let version = match context.session.as_of() {
        Some(moment) => TableVersion::Timestamp(moment),
        None => TableVersion::Latest,
    };
    let row = table::delta_detail(definition, version, shown, &context.table_context()).await?;
    let table =
        MemTable::try_new(schema, vec![vec![row]]).map_err(|error| context.failure(error))?;
    Ok(Arc::new(table))
}
