//! Batches so small that each operator spends its time on calls.

use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "batch-size",
    summary: "Rows go from operator to operator in very small batches.",
    advice: "An operator works on a batch at a time; below a thousand rows its calls cost more than its \
             work. 8192 is what DataFusion begins with.",
    measured: false,
    setup: super::lakes::EVENTS_IN_SMALL_BATCHES,
    fires: "SELECT kind, sum(amount) AS amount FROM events GROUP BY kind",
    silent: "SELECT 1",
    inspect,
};

const SMALLEST: usize = 1024;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let size = evidence.options.execution.batch_size.get();
    if size >= SMALLEST || evidence.scans.is_empty() {
        return Vec::new();
    }
    let severity = evidence.severity();
    vec![
        Finding::new(
            severity,
            "session",
            format!("batches have {size} rows at most"),
        )
        .evidence(format!("datafusion.execution.batch_size = {size}"))
        .gain(8192.0 / size as f64)
        .setting("datafusion.execution.batch_size", "8192"),
    ]
}
