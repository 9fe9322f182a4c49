//! A hash table of the larger side of a join.

use lakesh_event::observation::Operator;

use crate::finding::Severity;
use crate::rewrite::call;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "build-side",
    summary: "A join has built its hash table of the side that turned out larger.",
    advice: "The side in the hash table should be the smaller one. The planner goes by estimates; where \
             they are far off, say what you know: JOIN_ORDER names the side to build on first. Only \
             EXPLAIN HINTS ANALYZE and VERIFY see this.",
    measured: true,
    setup: super::lakes::MISESTIMATED,
    fires: "SELECT count(*) AS n FROM few f JOIN many m ON f.id = m.id WHERE m.code LIKE '%9%9%9%'",
    silent: "SELECT count(*) AS n FROM few f JOIN many m ON f.id = m.id",
    inspect,
};

/// So many times as large as the other side is the wrong side.
const LARGER: u64 = 3;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let Some(observation) = &evidence.observation else {
        return Vec::new();
    };
    let joins = observation
        .operators
        .iter()
        .filter(|operator| operator.name == "HashJoinExec");
    let wrong = joins.filter_map(|join| {
        let sides: Vec<&Operator> = observation.children(join.id).collect();
        let [build, probe] = sides.as_slice() else {
            return None;
        };
        let (built, probed) = (build.rows?, probe.rows?);
        (built > LARGER * probed.max(1) && built >= 1000)
            .then_some((join, *build, *probe, built, probed))
    });
    wrong
        .map(|(join, build, probe, built, probed)| {
            let severity = match built >= evidence.thresholds.rows {
                true => Severity::Advice,
                false => Severity::Info,
            };
            let estimated = build
                .estimated_rows
                .map_or_else(|| "unknown".to_owned(), |rows| rows.value.to_string());
            let finding = Finding::new(
                severity,
                join.name.clone(),
                "the hash table was built of the larger side",
            )
            .evidence(format!(
                "{built} rows in the hash table ({estimated} were expected), {probed} looked up"
            ))
            .gain(1.5);
            let mut order = evidence.tables_below(probe.id);
            order.extend(evidence.tables_below(build.id));
            let hinted = (order.len() >= 2)
                .then(|| evidence.hinted(&order, |names| call("JOIN_ORDER", names)))
                .flatten();
            match hinted {
                Some(tree) => finding.rewrite(tree),
                None => finding,
            }
        })
        .collect()
}
