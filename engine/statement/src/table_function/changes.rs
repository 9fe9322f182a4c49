//! `table_changes`: the change data feed of a Delta table.

use std::sync::Arc;

use datafusion::datasource::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use lakesh_catalog::definition::TableVersion;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::table_functions::{Bound, TableFunction, version};
use lakesh_table::Argument;
use lakesh_text::failure::Failure;

/// The table function `table_changes`.
pub static TABLE_CHANGES: TableFunction = TableFunction {
    name: "table_changes",
    usage: "table_changes('table', from [, to])",
    summary: "The rows that each commit of a Delta table changed, from its change data feed.",
    example: "SELECT * FROM table_changes('trips', 3, 5)",
    open: |resolver, arguments| Box::pin(call(resolver, arguments)),
};

/// Opens the call `table_changes('table', from, to)`.
async fn call(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = &["table", "from", "to"];
    let mut bound = Bound::new("table_changes", names, 2, arguments)?;
    let name = bound.take_table()?;
    let context = resolver.context();
    let newest = match context.session.as_of() {
        Some(moment) => TableVersion::Timestamp(moment),
        None => TableVersion::Latest,
    };
    let mut at = |name| bound.take(name).map(|value| version(&value, context));
    let from = at("from").transpose()?.unwrap_or_default();
    let to = at("to").transpose()?.unwrap_or(newest);
    match resolver.delta(&name).await? {
        DeltaTarget::Table { definition, .. } => {
            Ok(lakesh_table::delta_feed(&definition, from, to, &context.table_context()).await?)
        }
        DeltaTarget::Assumed(provider) => Ok(Arc::new(EmptyTable::new(provider.schema()))),
    }
}
