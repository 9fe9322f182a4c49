//! Rows that are marked as deleted and still lie in the files.

use crate::finding::{CopyLayout, Remedy, Severity};
use crate::layout::rewritten_table;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "deletion-vectors",
    summary: "Files of a Delta table have deletion vectors: rows are read and thrown away, and counts cannot be answered from the log.",
    advice: "Write the table anew without the deleted rows.",
    measured: false,
    setup: super::lakes::WITH_DELETION_VECTOR,
    fires: "SELECT sum(id) AS ids FROM marked",
    silent: "SELECT sum(id) AS ids FROM './marked/part-0.parquet'",
    inspect,
};

/// A share of the files from which on it matters.
const SHARE: f64 = 0.2;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let tables = evidence.tables.iter();
    tables
        .filter_map(|table| {
            let files = &table.files.files;
            let marked = files.iter().filter(|file| file.has_deletions).count();
            let share = marked as f64 / files.len().max(1) as f64;
            let severity = match evidence.is_large(table) && share >= SHARE {
                true => Severity::Advice,
                false => Severity::Info,
            };
            let text = format!("{marked} of {} files have deletion vectors", files.len());
            (marked > 0).then(|| {
                Finding::new(severity, table.name.clone(), text)
                    .gain(1.0 + share)
                    .remedy(Remedy::Layout {
                        statement: rewritten_table(table, "purged", &[]),
                        table: table.name.clone(),
                        copy: CopyLayout::default(),
                    })
            })
        })
        .collect()
}
