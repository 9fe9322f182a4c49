//! One partition that has most of the rows.

use crate::hint::finding::Severity;
use crate::hint::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "skewed-key",
    summary: "Most rows of a join or a grouping have the same key, so that one partition does the work.",
    advice: "Rows of one key meet in one partition. Split the key: give each row of the large side one of \
             n numbers, each row of the small side all of them, and join on both; or handle the one large \
             key in a query of its own. Only EXPLAIN HINTS ANALYZE and VERIFY see this.",
    measured: true,
    setup: super::SKEWED,
    fires: "SELECT count(*) AS n FROM visits v JOIN pages p ON v.page = p.id",
    silent: "SELECT count(*) AS n FROM visits v JOIN pages p ON v.id = p.id",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let Some(observation) = &evidence.observation else {
        return Vec::new();
    };
    let joins = observation.operators.iter().filter(|operator| {
        [
            "HashJoinExec",
            "SortMergeJoinExec",
            "WindowAggExec",
            "BoundedWindowAggExec",
        ]
        .contains(&operator.name.as_str())
    });
    let skewed = joins.filter(|operator| {
        operator
            .skew
            .is_some_and(|skew| skew >= evidence.thresholds.skew)
    });
    let Some(worst) = skewed.max_by(|left, right| {
        left.skew
            .partial_cmp(&right.skew)
            .unwrap_or(std::cmp::Ordering::Equal)
    }) else {
        return Vec::new();
    };
    let rows = worst.rows.unwrap_or_default();
    let severity = match rows >= evidence.thresholds.rows {
        true => Severity::Advice,
        false => Severity::Info,
    };
    vec![
        Finding::new(
            severity,
            worst.name.clone(),
            "one partition has far more rows than the others",
        )
        .evidence(format!(
            "{:.1} times the rows of the middle one; {rows} rows in {} partitions",
            worst.skew.unwrap_or_default(),
            worst.partitions
        ))
        .gain(1.3),
    ]
}
