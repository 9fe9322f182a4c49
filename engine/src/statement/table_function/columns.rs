//! `table_columns`: the columns of a table in FROM.

use std::sync::Arc;

use datafusion::datasource::TableProvider;

use crate::failure::Failure;
use crate::scope::Resolver;
use crate::session::columns_provider;
use crate::session::table_functions::{TableFunction, named_table};
use crate::table::Argument;

pub(crate) static TABLE_COLUMNS: TableFunction = TableFunction {
    name: "table_columns",
    usage: "table_columns('table')",
    summary: "The columns of a table or view with their types.",
    example: "SELECT column_name FROM table_columns('information_schema.tables')",
    open: |resolver, arguments| Box::pin(columns(resolver, arguments)),
};

async fn columns(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let (_, source) = named_table(resolver, "table_columns", arguments).await?;
    let context = resolver.context();
    columns_provider(&source.schema()).map_err(|error| context.failure(error))
}
