//! Many small files.

use std::collections::HashSet;

use crate::evidence::TableFacts;
use crate::finding::{CopyLayout, Remedy, Severity};
use crate::layout::{compacted, whole_file};
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "small-files",
    summary: "A table consists of many small files.",
    advice: "Each file is opened, its footer read and its columns set up. Put the files together: \
             `OPTIMIZE` does that for Delta tables, and keeps the old files for time travel until VACUUM.",
    measured: false,
    setup: super::lakes::SMALL_FILES,
    fires: "SELECT sum(id) AS ids FROM parts",
    silent: "SELECT sum(id) AS ids FROM events",
    inspect,
};

/// Fewer files are never many.
const MANY: usize = 8;

/// So many files are slow whatever they hold.
const TOO_MANY: usize = 32;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let tables = evidence.tables.iter().filter(|table| {
        let count = table.files.files.len();
        let mean = table.bytes() / count.max(1) as u64;
        // Files that planning leaves out cost nothing.
        let read = table
            .scan
            .and_then(|scan| evidence.scans.get(scan))
            .map_or(0, |scan| scan.files.len());
        // A file for each partition is as few as there can be.
        let mergeable = count / partitions(table).max(1) >= 2;
        read >= MANY && mergeable && mean < evidence.thresholds.file_bytes
    });
    tables
        .map(|table| {
            let count = table.files.files.len();
            let mean = table.bytes() / count.max(1) as u64;
            let severity = match count >= TOO_MANY && mean < evidence.thresholds.file_bytes / 8 {
                true => Severity::Advice,
                false => Severity::Info,
            };
            Finding::new(
                severity,
                table.name.clone(),
                format!("the table consists of {count} files of {mean} bytes on average"),
            )
            .evidence(format!("{count} files, {} bytes", table.bytes()))
            .gain((count as f64).sqrt().clamp(1.0, 10.0))
            .remedy(Remedy::Layout {
                statement: compacted(table),
                table: table.name.clone(),
                copy: CopyLayout {
                    file_bytes: Some(whole_file(evidence)),
                    ..CopyLayout::default()
                },
            })
        })
        .collect()
}

/// Counts the folders that a table's files lie in, if it is partitioned.
fn partitions(table: &TableFacts) -> usize {
    if table.files.partition_columns.is_empty() {
        return 1;
    }
    let files = table.files.files.iter();
    let folders: HashSet<&str> = files
        .map(|file| file.path.rsplit_once('/').map_or("", |(folder, _)| folder))
        .collect();
    folders.len()
}
