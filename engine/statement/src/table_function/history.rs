//! `table_history` and `table_detail`: what DESCRIBE HISTORY and DESCRIBE DETAIL show.

use std::sync::Arc;

use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{MemTable, TableProvider};
use lakesh_catalog::definition::TableVersion;
use lakesh_session::StatementContext;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::table_functions::{Bound, TableFunction};
use lakesh_table::Argument;
use lakesh_text::failure::Failure;

/// The table function `table_detail`.
pub static TABLE_DETAIL: TableFunction = TableFunction {
    name: "table_detail",
    usage: "table_detail('table')",
    summary: "Format, place, size, properties and protocol of a Delta table, as one row.",
    example: "SELECT \"numFiles\" FROM table_detail('trips')",
    open: |resolver, arguments| Box::pin(call_detail(resolver, arguments)),
};

/// The table function `table_history`.
pub static TABLE_HISTORY: TableFunction = TableFunction {
    name: "table_history",
    usage: "table_history('table')",
    summary: "The commits of a Delta table, newest first.",
    example: "SELECT version, operation FROM table_history('trips')",
    open: |resolver, arguments| Box::pin(call_history(resolver, arguments)),
};

/// Opens the call `table_history('table')`.
async fn call_history(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let mut bound = Bound::new("table_history", &["table"], 1, arguments)?;
    let target = resolver.delta(&bound.take_table()?).await?;
    history(resolver.context(), &target, None).await
}

/// Opens the call `table_detail('table')`.
async fn call_detail(
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
        return Ok(Arc::new(EmptyTable::new(lakesh_table::history_schema())));
    };
    Ok(lakesh_table::delta_history(definition, limit, &context.table_context()).await?)
}

/// Returns one row about a table as the session sees it.
pub(crate) async fn detail(
    context: &StatementContext,
    target: &DeltaTarget,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let schema = lakesh_table::detail_schema();
    let DeltaTarget::Table { shown, definition } = target else {
        return Ok(Arc::new(EmptyTable::new(schema)));
    };
    let version = match context.session.as_of() {
        Some(moment) => TableVersion::Timestamp(moment),
        None => TableVersion::Latest,
    };
    let row =
        lakesh_table::delta_detail(definition, version, shown, &context.table_context()).await?;
    let table =
        MemTable::try_new(schema, vec![vec![row]]).map_err(|error| context.failure(error))?;
    Ok(Arc::new(table))
}
