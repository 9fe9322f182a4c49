//! `datafusion.execution.collect_statistics = false`.

use crate::setting::switched_off;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "statistics-off",
    summary: "The session reads no statistics of files.",
    advice: "Row counts and ranges of files answer counts without reading rows, choose the build side of \
             joins and skip files. Reading them costs a look at each footer, once.",
    measured: false,
    setup: super::lakes::EVENTS_WITHOUT_STATISTICS,
    fires: "SELECT count(*) FROM './events.parquet'",
    silent: "SELECT 1",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let reads_files = evidence.tables.iter().any(|table| table.is_parquet());
    let collects = evidence.options.execution.collect_statistics;
    match reads_files && !collects {
        true => vec![switched_off(
            evidence,
            "datafusion.execution.collect_statistics",
            "statistics of files are not read: joins and counts have nothing to go by",
            1.6,
        )],
        false => Vec::new(),
    }
}
