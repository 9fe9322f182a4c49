//! One partition that has most of the rows.

use datafusion::sql::sqlparser::ast::Query as SqlQuery;
use lakesh_event::observation::{Observation, Operator};

use crate::finding::Severity;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "skewed-key",
    summary: "Most rows of a join or a grouping have the same key, so that one partition does the work.",
    advice: "Rows of one key meet in one partition. SALT splits the key: each row of the large side gets \
             one of n numbers, each row of the small side all of them, and the join goes by both. Or handle \
             the one large key in a query of its own. Only EXPLAIN HINTS ANALYZE and VERIFY see this.",
    measured: true,
    setup: super::lakes::SKEWED,
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
            .is_some_and(|skew| skew >= evidence.thresholds.skew as f64)
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
    let finding = Finding::new(
        severity,
        worst.name.clone(),
        "one partition has far more rows than the others",
    )
    .evidence(format!(
        "{:.1} times the rows of the middle one; {rows} rows in {} partitions",
        worst.skew.unwrap_or_default(),
        worst.partitions
    ))
    .gain(1.3);
    vec![match salted(evidence, observation, worst) {
        Some(tree) => finding.rewrite(tree),
        None => finding,
    }]
}

/// Spreads the rows of the skewed side of a join over parts of the size that partitions should have.
fn salted(evidence: &Evidence, observation: &Observation, join: &Operator) -> Option<SqlQuery> {
    if !join.name.contains("Join") {
        return None;
    }
    let by_skew = |left: &&Operator, right: &&Operator| {
        let skew = |side: &Operator| side.skew.unwrap_or(1.0);
        skew(left).total_cmp(&skew(right))
    };
    let side = observation.children(join.id).max_by(by_skew)?;
    let [table] = evidence.tables_below(side.id)[..] else {
        return None;
    };
    let bytes = side.output_bytes.unwrap_or_default();
    let parts = bytes.div_ceil(evidence.thresholds.partition_bytes.max(1));
    let salts = parts.clamp(2 * join.partitions as u64, 64);
    evidence.hinted(&[table], |names| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        format!("SALT({}, {salts})", names.join(", "))
    })
}
