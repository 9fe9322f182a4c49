//! Filters that joins and top lists give to scans, switched off.

use crate::setting::switched_off;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "dynamic-filter-off",
    summary: "The session has switched off the filters that joins, ORDER BY … LIMIT and aggregates give to scans.",
    advice: "Once one side of a join is known, the scan of the other can skip what has no partner; once \
             ten rows are found, what cannot be among them. Switch it on again.",
    measured: false,
    setup: super::lakes::ORDERS_WITHOUT_DYNAMIC_FILTERS,
    fires: "SELECT sum(o.total) FROM orders o JOIN customers c ON o.customer = c.id WHERE c.region = 3",
    silent: "SELECT sum(total) FROM orders",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let joins = evidence.has_node(|node| node.plan.name() == "HashJoinExec");
    let top =
        evidence.has_node(|node| node.plan.name() == "SortExec" && node.plan.fetch().is_some());
    let optimizer = &evidence.options.optimizer;
    let switches = [
        (
            optimizer.enable_join_dynamic_filter_pushdown,
            joins,
            "datafusion.optimizer.enable_join_dynamic_filter_pushdown",
            "scans are not told which keys the other side of the join has",
        ),
        (
            optimizer.enable_topk_dynamic_filter_pushdown,
            top,
            "datafusion.optimizer.enable_topk_dynamic_filter_pushdown",
            "scans are not told which rows are out of the first ones already",
        ),
    ];
    switches
        .into_iter()
        .filter(|(on, used, ..)| !on && *used)
        .map(|(_, _, name, text)| switched_off(evidence, name, text, 1.8))
        .collect()
}
