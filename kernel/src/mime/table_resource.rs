//! `application/vnd.dataresource+json`: rows as objects with a schema, for data explorers.
//!
//! See <https://specs.frictionlessdata.io/tabular-data-resource/>.

use datafusion::arrow::datatypes::DataType;
use lakesh_engine::format::{self, FormatOptions, ResultEnd};
use serde_json::{Value, json};

use super::Shown;

/// A larger one is left out: the HTML table shows the same rows.
const MOST_BYTES: usize = 384 * 1024;

pub(super) fn render(shown: &Shown<'_>) -> Option<(Value, usize)> {
    let mut writer = format::find("json")?.writer(&FormatOptions::default());
    let mut text = Vec::new();
    writer.start(shown.schema, &mut text).ok()?;
    let mut rows = 0;
    for batch in shown.batches {
        rows += batch.num_rows() as u64;
        writer.batch(batch, &mut text).ok()?;
        if text.len() > MOST_BYTES {
            return None;
        }
    }
    let end = ResultEnd {
        rows,
        complete: true,
    };
    writer.finish(&end, &mut text).ok()?;
    let data: Value = serde_json::from_slice(&text).ok()?;
    let fields: Vec<Value> = shown
        .schema
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": field_type(field.data_type()) }))
        .collect();
    let size = text.len();
    Some((
        json!({
            "profile": "tabular-data-resource",
            "schema": { "fields": fields },
            "data": data,
        }),
        size,
    ))
}

/// Returns the type's name in Frictionless' table schema.
fn field_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        other if other.is_integer() => "integer",
        other if other.is_numeric() => "number",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(..) => "datetime",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => "array",
        DataType::Struct(_) | DataType::Map(..) => "object",
        DataType::Dictionary(_, value) => field_type(value),
        _ => "string",
    }
}
