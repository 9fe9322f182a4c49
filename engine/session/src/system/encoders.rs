//! `system.encoders`: every version of every encoder.

use datafusion::common::ScalarValue;
use lakesh_encoder::EncoderDefinition;
use lakesh_text::failure::Failure;

use super::{Rows, optional, text};
use crate::{StatementContext, moment_text};

/// Lists the encoders; `current` is `yes` for the newest version.
pub(super) async fn encoders(context: &StatementContext) -> Result<Rows, Failure> {
    let entries = context.session.catalog().encoders()?;
    let mut rows = Rows::new();
    for (position, entry) in entries.iter().enumerate() {
        let newer = entries.get(position + 1);
        let is_old =
            newer.is_some_and(|newer| newer.schema == entry.schema && newer.name == entry.name);
        // A definition that a newer lakesh wrote must not hide the others.
        let definition: Option<EncoderDefinition> = serde_json::from_str(&entry.definition).ok();
        let outputs = definition
            .as_ref()
            .map(|definition| definition.output_names().join(", "));
        let provenance = definition.map(|definition| definition.provenance);
        let relation = provenance.as_ref().map(|found| found.relation.clone());
        let rows_read = provenance
            .as_ref()
            .and_then(|found| i64::try_from(found.rows).ok());
        rows.push(vec![
            text(&entry.schema),
            text(&entry.name),
            ScalarValue::Int64(Some(i64::from(entry.version))),
            text(if is_old { "no" } else { "yes" }),
            optional(outputs),
            optional(relation),
            optional(provenance.and_then(|found| found.predicate)),
            ScalarValue::Int64(rows_read),
            text(moment_text(entry.created_at)),
        ]);
    }
    Ok(rows)
}
