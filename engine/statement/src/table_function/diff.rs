//! `table_diff` and `table_diff_summary`: what DIFF TABLE and DIFF SUMMARY TABLE show.

use std::sync::Arc;

use datafusion::datasource::{TableProvider, ViewTable, provider_as_source};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_catalog::definition::TableVersion;
use lakesh_session::StatementContext;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::table_functions::{Bound, TableFunction, version};
use lakesh_table::Argument;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use self::plan::Rows;

mod plan;
mod summary;

/// The table function `table_diff`.
pub static TABLE_DIFF: TableFunction = TableFunction {
    name: "table_diff",
    usage: "table_diff('table', from, to [, keys => ['column', …]])",
    summary: "The rows that differ between two versions of a Delta table.",
    example: "SELECT * FROM table_diff('trips', 3, 5, keys => ['id'])",
    open: |resolver, arguments| Box::pin(call(resolver, arguments)),
};

/// The table function `table_diff_summary`.
pub static TABLE_DIFF_SUMMARY: TableFunction = TableFunction {
    name: "table_diff_summary",
    usage: "table_diff_summary('table', from, to [, keys => ['column', …]])",
    summary: "What differs between two versions of a Delta table, counted.",
    example: "SELECT item, count FROM table_diff_summary('trips', 3, 5)",
    open: |resolver, arguments| Box::pin(call_summary(resolver, arguments)),
};

/// Two versions of a table that are to be compared.
#[derive(Clone)]
pub(crate) struct Comparison {
    pub(crate) table: ObjectName,
    pub(crate) from: TableVersion,
    pub(crate) to: TableVersion,
    /// The columns that tell rows apart; none compares whole rows.
    pub(crate) keys: Vec<String>,
}

impl Comparison {
    fn from_arguments(
        function: &'static str,
        arguments: Vec<Argument>,
        context: &StatementContext,
    ) -> Result<Self, Failure> {
        let names = &["table", "from", "to", "keys"];
        let mut bound = Bound::new(function, names, 3, arguments)?;
        let table = bound.take_table()?;
        let keys = bound.take_columns("keys")?;
        let mut at = |name| bound.take(name).map(|value| version(&value, context));
        Ok(Self {
            table,
            from: at("from").transpose()?.unwrap_or_default(),
            to: at("to").transpose()?.unwrap_or_default(),
            keys,
        })
    }
}

/// Opens the call `table_diff('table', from, to, keys => ['id'])`.
async fn call(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let comparison = Comparison::from_arguments("table_diff", arguments, resolver.context())?;
    let plan = rows(resolver, &comparison, false).await?;
    Ok(Arc::new(ViewTable::new(plan.into_inner(), None)))
}

/// Opens the call `table_diff_summary('table', from, to, keys => ['id'])`.
async fn call_summary(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let function = "table_diff_summary";
    let comparison = Comparison::from_arguments(function, arguments, resolver.context())?;
    let plan = summary(resolver, &comparison).await?;
    Ok(Arc::new(ViewTable::new(plan.into_inner(), None)))
}

/// Plans one row a changed row; in order, where that is asked for.
pub(crate) async fn rows(
    resolver: &Resolver<'_>,
    comparison: &Comparison,
    ordered: bool,
) -> Result<Erased<LogicalPlan>, Failure> {
    let difference = difference(resolver, comparison).await?;
    let context = resolver.context();
    let plan = Rows::new(&difference, &comparison.keys)?
        .plan(&difference, ordered)
        .map_err(|error| context.failure(error))?;
    Ok(plan.into())
}

/// Plans what changed, counted.
pub(crate) async fn summary(
    resolver: &Resolver<'_>,
    comparison: &Comparison,
) -> Result<Erased<LogicalPlan>, Failure> {
    let difference = difference(resolver, comparison).await?;
    let context = resolver.context();
    let rows = Rows::new(&difference, &comparison.keys)?
        .plan(&difference, false)
        .map_err(|error| context.failure(error))?;
    let plan = summary::plan(&difference, rows).map_err(|error| context.failure(error))?;
    Ok(plan.into())
}

async fn difference(
    resolver: &Resolver<'_>,
    comparison: &Comparison,
) -> Result<lakesh_table::Difference, Failure> {
    let context = resolver.context();
    let definition = match resolver.delta(&comparison.table).await? {
        DeltaTarget::Table { definition, .. } => definition,
        DeltaTarget::Assumed(provider) => return Ok(nothing(provider)),
    };
    let difference = lakesh_table::delta_difference(
        &definition,
        comparison.from,
        comparison.to,
        &context.table_context(),
    )
    .await?;
    context.note_read(&definition, difference.from.version);
    Ok(difference)
}

/// Two versions that do not differ, of a table that is only assumed.
fn nothing(rows: Arc<dyn TableProvider>) -> lakesh_table::Difference {
    let side = |rows| lakesh_table::Side {
        version: 0,
        rows,
        files: 0,
        properties: Default::default(),
    };
    lakesh_table::Difference {
        from: side(Arc::clone(&rows)),
        to: side(rows),
        same_files: 0,
    }
}

fn source(side: &lakesh_table::Side) -> Arc<dyn datafusion::logical_expr::TableSource> {
    provider_as_source(Arc::clone(&side.rows))
}
