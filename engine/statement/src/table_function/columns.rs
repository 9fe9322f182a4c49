//! `table_columns`: the columns of a table in FROM.

use std::sync::Arc;

use datafusion::datasource::TableProvider;
use lakesh_session::columns_provider;
use lakesh_session::scope::Resolver;
use lakesh_session::table_functions::{TableFunction, named_table};
use lakesh_table::Argument;
use lakesh_text::failure::Failure;

/// The table function `table_columns`.
pub static TABLE_COLUMNS: TableFunction = TableFunction {
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
