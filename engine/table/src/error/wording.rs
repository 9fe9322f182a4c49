//! Words of messages: what is similar, what libraries say without their prefixes, moments.

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::common::DataFusionError;
use lakesh_text::similar::closest;

pub(super) fn suggestion(name: &str, known: &[&'static str]) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(similar) = closest(name, known.iter().copied()) {
        hints.push(format!("did you mean `{similar}`?"));
    }
    if !known.is_empty() {
        hints.push(format!("known are: {}", known.join(", ")));
    }
    hints
}

pub(super) fn plain(error: &DataFusionError) -> String {
    unprefixed(&error.strip_backtrace())
}

/// Takes the libraries' prefixes and the last stop off a message.
pub(super) fn unprefixed(text: &str) -> String {
    const PREFIXES: [&str; 13] = [
        "Error during planning: ",
        "Execution error: ",
        "Object Store error: ",
        "Arrow error: ",
        "Parquet error: ",
        "External error: ",
        "External: ",
        "Generic DeltaTable error: ",
        "Generic delta kernel error: ",
        "Kernel error: ",
        "Transaction failed: ",
        "Failed to parse parquet: ",
        "Generic LocalFileSystem error: ",
    ];
    let mut text = text.trim_end();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    // The kernel shows its own structures behind some messages; nobody can use them.
    let text = text
        .split_once(": ParsedLogPath {")
        .map_or(text, |(message, _)| message);
    text.trim_end_matches('.').to_string()
}

pub(super) fn moment(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
