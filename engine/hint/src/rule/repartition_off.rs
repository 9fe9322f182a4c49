//! Work that the session keeps in one partition.

use crate::setting::switched_off;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "repartition-off",
    summary: "The session has switched off the distribution of rows over several partitions.",
    advice: "Groups, joins, windows and sorts run side by side where rows are distributed by their keys. \
             Without that one processor does the work.",
    measured: false,
    setup: super::lakes::EVENTS_IN_ONE_PARTITION,
    fires: "SELECT kind, code, sum(amount) AS amount FROM events GROUP BY kind, code",
    silent: "SELECT * FROM events WHERE id = 3",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let has = |names: &[&str]| evidence.has_node(|node| names.contains(&node.plan.name()));
    let optimizer = &evidence.options.optimizer;
    let switches = [
        (
            optimizer.repartition_aggregations,
            has(&["AggregateExec"]),
            "datafusion.optimizer.repartition_aggregations",
            "groups are put together in one partition",
        ),
        (
            optimizer.repartition_joins,
            has(&["HashJoinExec", "SortMergeJoinExec"]),
            "datafusion.optimizer.repartition_joins",
            "joins run in one partition",
        ),
        (
            optimizer.repartition_windows,
            has(&["WindowAggExec", "BoundedWindowAggExec"]),
            "datafusion.optimizer.repartition_windows",
            "windows run in one partition",
        ),
        (
            optimizer.repartition_sorts,
            has(&["SortExec", "KeySortExec"]),
            "datafusion.optimizer.repartition_sorts",
            "sorts run in one partition",
        ),
        (
            optimizer.repartition_file_scans,
            has(&["DataSourceExec"]),
            "datafusion.optimizer.repartition_file_scans",
            "large files are not read in parts",
        ),
        (
            optimizer.enable_round_robin_repartition,
            has(&["AggregateExec", "FilterExec"]),
            "datafusion.optimizer.enable_round_robin_repartition",
            "rows of one file are not distributed",
        ),
    ];
    switches
        .into_iter()
        .filter(|(on, used, ..)| !on && *used)
        .map(|(_, _, name, text)| switched_off(evidence, name, text, 1.5))
        .collect()
}
