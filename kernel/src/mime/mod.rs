//! The forms in which a notebook gets a result: one file a form, one line in the registry.

mod html;
mod inspection;
mod plain;
mod table_resource;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_engine::display::DisplayOptions;
use serde_json::Value;

pub(crate) use html::HtmlRows;
pub(crate) use inspection::{escaped, inspection};

use crate::chart::SVG;
use crate::output::Bundle;

/// What is shown of a result.
pub(crate) struct Shown<'a> {
    pub(crate) schema: &'a SchemaRef,
    /// The rows that are shown.
    pub(crate) batches: &'a [RecordBatch],
    /// The same rows as an HTML table's text.
    pub(crate) html: &'a str,
    /// How many rows there are, or that there are more.
    pub(crate) footer: &'a str,
    pub(crate) display: &'a DisplayOptions,
}

/// A form: its media type, and how a result is written in it. `None` leaves it out.
struct Form {
    media_type: &'static str,
    render: fn(&Shown<'_>) -> Option<(Value, usize)>,
}

static FORMS: &[Form] = &[
    Form {
        media_type: "text/html",
        render: html::render,
    },
    Form {
        media_type: "text/plain",
        render: plain::render,
    },
    Form {
        media_type: "application/vnd.dataresource+json",
        render: table_resource::render,
    },
];

/// Writes a result in every form.
pub(crate) fn bundle(shown: &Shown<'_>) -> Bundle {
    let mut bundle = Bundle::default();
    for form in FORMS {
        if let Some((content, size)) = (form.render)(shown) {
            bundle.add(form.media_type, content, size);
        }
    }
    bundle
}

/// Puts a description for reading before the table of a result, which is folded up.
pub(crate) fn add_card(bundle: &mut Bundle, card: &str) {
    if let Some(Value::String(table)) = bundle.data.get_mut("text/html") {
        *table = format!("{card}<details><summary>as a table</summary>{table}</details>");
    }
}

/// Adds a picture of what a result is about: before its table, which is folded up.
pub(crate) fn add_picture(bundle: &mut Bundle, svg: String) {
    let size = svg.len();
    if let Some(Value::String(table)) = bundle.data.get_mut("text/html") {
        *table = format!("{svg}<details><summary>as text</summary>{table}</details>");
    }
    bundle.add(SVG, svg.into(), 2 * size);
}
