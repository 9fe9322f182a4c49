//! `text/plain`: the terminal's own table, for front ends that show nothing else.

use lakesh_engine::display::DisplayOptions;
use lakesh_engine::format::{self, FormatOptions, ResultEnd};
use serde_json::Value;

use super::Shown;

/// Columns of text that front ends show without breaking lines.
const WIDTH: usize = 120;

/// Rows, unless the user says.
const ROWS: usize = 40;

pub(super) fn render(shown: &Shown<'_>) -> Option<(Value, usize)> {
    let display = DisplayOptions {
        max_rows: shown.display.max_rows.or(Some(ROWS)),
        ..shown.display.clone()
    };
    // A format for machines makes no sense here; `\save` writes those.
    let format = format::for_display(&display)
        .filter(|format| !format.binary && format.name != "html" && format.name != "none")
        .or_else(|| format::find("table"))?;
    let options = FormatOptions {
        display,
        width: Some(WIDTH),
        colour: false,
    };
    let mut writer = format.writer(&options);
    let mut text = Vec::new();
    writer.start(shown.schema, &mut text).ok()?;
    let mut rows = 0;
    for batch in shown.batches {
        rows += batch.num_rows() as u64;
        writer.batch(batch, &mut text).ok()?;
    }
    let end = ResultEnd {
        rows,
        complete: true,
    };
    writer.finish(&end, &mut text).ok()?;
    let mut text = String::from_utf8(text).ok()?;
    text.push_str(shown.footer);
    let size = text.len();
    Some((text.into(), size))
}
