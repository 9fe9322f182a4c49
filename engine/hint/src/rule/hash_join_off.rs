//! Joins by sorting where a hash table would do.

use crate::setting::switched_off;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "hash-join-off",
    summary: "The session joins by sorting both sides.",
    advice: "A hash table of the smaller side needs no sort. Sorting is right only where that side does \
             not fit into memory, and lakesh then changes over by itself.",
    measured: false,
    setup: super::lakes::ORDERS_WITHOUT_HASH_JOIN,
    fires: "SELECT sum(o.total) FROM orders o JOIN customers c ON o.customer = c.id",
    silent: "SELECT sum(total) FROM orders",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let sorts = evidence.has_node(|node| node.plan.name() == "SortMergeJoinExec");
    match sorts && !evidence.options.optimizer.prefer_hash_join {
        true => vec![switched_off(
            evidence,
            "datafusion.optimizer.prefer_hash_join",
            "both sides of a join are sorted",
            2.0,
        )],
        false => Vec::new(),
    }
}
