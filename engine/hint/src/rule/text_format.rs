//! Tables of text that are parsed at every query.

use crate::finding::{CopyLayout, Remedy};
use crate::layout::{rewritten_table, whole_file};
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "text-format",
    summary: "The query parses text: CSV or JSON.",
    advice: "Text is parsed from beginning to end by every query, whatever columns and rows it asks for. \
             Write it once as a table: columns are then read alone and row groups are skipped.",
    measured: false,
    setup: super::lakes::EVENTS_AS_TEXT,
    fires: "SELECT kind, sum(amount) AS amount FROM './events.csv' GROUP BY kind",
    silent: "SELECT kind, sum(amount) AS amount FROM events GROUP BY kind",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let tables = evidence.tables.iter().filter(|table| table.is_text());
    tables
        .map(|table| {
            let severity = evidence.severity_of(table);
            let format = table.files.format.to_uppercase();
            let finding = Finding::new(
                severity,
                table.name.clone(),
                format!("every query parses this {format} from beginning to end"),
            )
            .evidence(format!(
                "{} bytes in {} files",
                table.bytes(),
                table.files.files.len()
            ))
            .gain(4.0);
            let finding = match table.files.compression.as_str() {
                "" => finding,
                compression => finding.evidence(format!(
                    "compressed as {compression}: a file cannot be read in parts"
                )),
            };
            finding.remedy(Remedy::Layout {
                statement: rewritten_table(table, "table", &[]),
                table: table.name.clone(),
                copy: CopyLayout {
                    file_bytes: Some(whole_file(evidence)),
                    ..CopyLayout::default()
                },
            })
        })
        .collect()
}
