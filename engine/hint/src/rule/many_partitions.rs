//! Many more partitions than processors.

use crate::finding::Severity;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "many-partitions",
    summary: "The query runs in many more partitions than there are processors.",
    advice: "Each partition has its own tables, buffers and channels to all others. More than four for \
             each processor only cost.",
    measured: false,
    setup: super::lakes::EVENTS_IN_MANY_THREADS,
    fires: "SELECT kind, sum(amount) AS amount FROM events GROUP BY kind",
    silent: "SELECT 1",
    inspect,
};

const FOR_EACH_PROCESSOR: usize = 4;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let partitions = evidence.options.execution.target_partitions;
    let distributes = evidence.has_node(|node| node.plan.name() == "RepartitionExec");
    if partitions <= FOR_EACH_PROCESSOR * evidence.processors || !distributes {
        return Vec::new();
    }
    let text = format!(
        "rows are distributed over {partitions} partitions; there are {} processors",
        evidence.processors
    );
    // The fewer rows, the more of the time goes to the partitions.
    vec![
        Finding::new(Severity::Advice, "RepartitionExec", text)
            .evidence(format!("lakesh.threads = {partitions}"))
            .gain(1.5)
            .setting("lakesh.threads", evidence.processors.to_string()),
    ]
}
