//! A small side of a join that is distributed with the large one.

use lakesh_event::observation::{Observation, Operator};
use lakesh_text::quantity::format_size;

use crate::finding::Severity;
use crate::rewrite::call;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "join-distribution",
    summary: "Both sides of a join are distributed over the partitions, though one of them is small; or a large one is collected.",
    advice: "A small side can be given to every partition, and the large one stays where it is: BROADCAST. \
             A large one should be distributed, so that its hash table is built in parallel: SHUFFLE_HASH. \
             What is small, `lakesh.hint_broadcast_size` says. Only EXPLAIN HINTS ANALYZE and VERIFY see this.",
    measured: true,
    setup: super::lakes::DISTRIBUTED,
    fires: "SELECT count(*) AS n FROM few f JOIN many m ON f.id = m.few",
    silent: "SELECT count(*) AS n FROM many a JOIN many b ON a.id = b.id",
    inspect,
};

/// So many times as many rows as the small side are worth leaving where they are.
const MORE_ROWS: u64 = 20;

/// A collected side of so many times the size is too large.
const TOO_LARGE: u64 = 8;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let Some(observation) = &evidence.observation else {
        return Vec::new();
    };
    let joins = observation.operators.iter();
    joins
        .filter(|join| join.name == "HashJoinExec")
        .filter_map(|join| distributed(evidence, observation, join))
        .collect()
}

fn distributed(evidence: &Evidence, observation: &Observation, join: &Operator) -> Option<Finding> {
    let sides: Vec<&Operator> = observation.children(join.id).collect();
    let [build, probe] = sides[..] else {
        return None;
    };
    let (built, probed) = (build.rows?, probe.rows?);
    let bytes = build.output_bytes?;
    let limit = evidence.thresholds.broadcast_bytes;
    let is_collected = join.line.contains("mode=CollectLeft");
    let word = match is_collected {
        false if bytes <= limit && probed >= MORE_ROWS * built.max(1) => "BROADCAST",
        true if bytes > TOO_LARGE * limit && probed >= built && join.partitions > 1 => {
            "SHUFFLE_HASH"
        }
        _ => return None,
    };
    let severity = match probed >= evidence.thresholds.rows {
        true => Severity::Advice,
        false => Severity::Info,
    };
    let text = match is_collected {
        true => "a large side of the join is collected in one hash table",
        false => "both sides of the join are distributed, and one of them is small",
    };
    let finding = Finding::new(severity, join.name.clone(), text)
        .evidence(format!(
            "{built} rows of {} in the hash table, {probed} looked up in {} partitions",
            format_size(bytes),
            join.partitions
        ))
        .gain(1.3);
    let tree = match evidence.tables_below(build.id)[..] {
        [table] => evidence.hinted(&[table], |names| call(word, names)),
        _ => None,
    };
    Some(match tree {
        Some(tree) => finding.rewrite(tree),
        None => finding,
    })
}
