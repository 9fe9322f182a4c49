//! Fewer partitions than processors.

use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "few-partitions",
    summary: "The query runs in fewer partitions than there are processors.",
    advice: "Set `lakesh.threads` to the number of processors. Fewer are right only where memory is short.",
    measured: false,
    setup: super::lakes::EVENTS_IN_ONE_THREAD,
    fires: "SELECT kind, sum(amount) AS amount FROM events GROUP BY kind",
    silent: "SELECT 1",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let partitions = evidence.options.execution.target_partitions;
    if partitions >= evidence.processors || evidence.scans.is_empty() {
        return Vec::new();
    }
    let severity = evidence.severity();
    let text = format!(
        "the query runs in {partitions} partitions; there are {} processors",
        evidence.processors
    );
    vec![
        Finding::new(severity, "session", text)
            .evidence(format!("lakesh.threads = {partitions}"))
            .gain(evidence.processors as f64 / partitions as f64)
            .setting("lakesh.threads", evidence.processors.to_string()),
    ]
}
