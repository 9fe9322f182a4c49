//! `table_history` and `table_detail`: what DESCRIBE HISTORY and DESCRIBE DETAIL show.

use std::sync::Arc;

use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{MemTable, TableProvider};

use crate::definition::TableVersion;
use crate::failure::Failure;
use crate::scope::{DeltaTarget, Resolver};
use crate::session::StatementContext;
use crate::session::table_functions::{Bound, TableFunction};
use crate::table::{self, Argument};

pub(crate) static TABLE_DETAIL: TableFunction = TableFunction {
    name: "table_detail",
    usage: "table_detail('table')",
    summary: "Format, place, size, properties and protocol of a Delta table, as one row.",
    example: "SELECT \"numFiles\" FROM table_detail('trips')",
    open: |resolver, arguments| Box::pin(call_detail(resolver, arguments)),
};

pub(crate) static TABLE_HISTORY: TableFunction = TableFunction {
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
