//! Rows that did not fit into memory.

use lakesh_text::quantity::format_size;

use crate::finding::Severity;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "spill",
    summary: "Rows were written to temporary files, since they did not fit into memory.",
    advice: "Raise `lakesh.memory_limit`, or run in fewer partitions, which share the same memory: \
             `lakesh.threads`. Fewer columns in a sort or a join help as much. Only EXPLAIN HINTS ANALYZE \
             and VERIFY see this.",
    measured: true,
    setup: super::lakes::LITTLE_MEMORY,
    fires: "SELECT * FROM events ORDER BY amount, code",
    silent: "SELECT * FROM events ORDER BY amount, code LIMIT 10",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let Some(observation) = &evidence.observation else {
        return Vec::new();
    };
    let spilled = observation
        .operators
        .iter()
        .filter(|operator| operator.spill.bytes > 0);
    let Some(most) = spilled.max_by_key(|operator| operator.spill.bytes) else {
        return Vec::new();
    };
    let partitions = evidence.options.execution.target_partitions;
    let finding = Finding::new(
        Severity::Advice,
        most.name.clone(),
        "rows did not fit into memory and were written to temporary files",
    )
    .evidence(format!(
        "{} in {} files",
        format_size(observation.spill().bytes),
        observation.spill().count
    ))
    .gain(1.4);
    match partitions > 1 {
        true => vec![finding.setting("lakesh.threads", (partitions / 2).max(1).to_string())],
        false => vec![finding],
    }
}
