//! `table_changes`: the change data feed of a Delta table.

use std::sync::Arc;

use datafusion::datasource::TableProvider;
use datafusion::datasource::empty::EmptyTable;

use super::arguments::Bound;
use super::versions::version;
use crate::definition::TableVersion;
use crate::failure::Failure;
use crate::scope::{DeltaTarget, Resolver};
use crate::table::{self, Argument};

/// Opens the call `table_changes('table', from, to)`.
pub(super) async fn call(
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
            Ok(table::delta_feed(&definition, from, to, &context.table_context()).await?)
        }
        DeltaTarget::Assumed(provider) => Ok(Arc::new(EmptyTable::new(provider.schema()))),
    }
}
