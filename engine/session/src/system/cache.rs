//! `system.cache`: the tables whose rows this session keeps.

use datafusion::common::ScalarValue;
use lakesh_text::failure::Failure;

use super::{Rows, optional, text};
use crate::StatementContext;

/// Lists the cached tables; rows and bytes are NULL while they are not computed.
pub(super) async fn cache(context: &StatementContext) -> Result<Rows, Failure> {
    let number = |value: Option<u64>| {
        ScalarValue::Int64(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
    };
    let kept = context.session.cache().list();
    Ok(kept
        .into_iter()
        .map(|row| {
            vec![
                text(row.name.schema),
                text(row.name.table),
                text(row.storage),
                number(row.rows),
                number(row.memory_bytes),
                number(row.disk_bytes),
                number(Some(row.hits)),
                number(Some(row.misses)),
                text(row.sources.join(", ")),
                optional(row.query),
            ]
        })
        .collect())
}
