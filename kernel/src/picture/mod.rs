//! Pictures beside results: plans, and how the values of columns are spread.
//!
//! The engine says what there is to draw; here it becomes SVG, HTML, Vega-Lite and letters.

mod distributions;
mod hints;
mod plan;

pub(crate) use distributions::distributions;
pub(crate) use hints::hints;
pub(crate) use plan::plan;

/// Writes a share of a whole: `12.5 %`.
fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// Cuts a text that is longer than its room.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    head + "…"
}
