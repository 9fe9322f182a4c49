//! `table_check`: what CHECK TABLE shows.

use std::sync::Arc;

use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{MemTable, TableProvider};
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_session::StatementContext;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::table_functions::{Bound, TableFunction};
use lakesh_table::Argument;
use lakesh_text::failure::Failure;

/// The table function `table_check`.
pub static TABLE_CHECK: TableFunction = TableFunction {
    name: "table_check",
    usage: "table_check('table')",
    summary: "Whether a Delta table is what its log says: a verdict and a remedy for each finding.",
    example: "SELECT finding, remedy FROM table_check('trips') WHERE verdict = 'error'",
    open: |resolver, arguments| Box::pin(call(resolver, arguments)),
};

/// Opens the call `table_check('table')`.
async fn call(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let mut bound = Bound::new("table_check", &["table"], 1, arguments)?;
    let name = bound.take_table()?;
    let target = resolver.delta(&name).await?;
    check(resolver.context(), &name, &target).await
}

/// Returns one row a finding.
pub(crate) async fn check(
    context: &StatementContext,
    name: &ObjectName,
    target: &DeltaTarget,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let schema = lakesh_table::check_schema();
    let DeltaTarget::Table { definition, .. } = target else {
        return Ok(Arc::new(EmptyTable::new(schema)));
    };
    let rows =
        lakesh_table::check_delta(definition, &name.to_string(), &context.table_context()).await?;
    let table =
        MemTable::try_new(schema, vec![vec![rows]]).map_err(|error| context.failure(error))?;
    Ok(Arc::new(table))
}
