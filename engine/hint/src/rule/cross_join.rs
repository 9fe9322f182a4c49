//! A join without a condition.

use datafusion::physical_plan::joins::NestedLoopJoinExec;

use crate::evidence::Node;
use crate::finding::Severity;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "cross-join",
    summary: "Two tables are joined without a condition.",
    advice: "Every row meets every other. If a condition was forgotten, add it; the hint names columns \
             that both tables have. If all pairs are wanted, filter and group each side first.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT sum(o.total) AS total FROM orders o, customers c",
    silent: "SELECT count(*) FROM orders, customers WHERE orders.customer = customers.id",
    inspect,
};

/// So many pairs are more than anybody wants to read.
const PAIRS: f64 = 1e7;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let joins = evidence
        .nodes
        .iter()
        .filter(|node| node.plan.name() == "CrossJoinExec" || is_one_sided(node));
    joins
        .filter_map(|join| {
            let rows = ["0", "1"].map(|side| {
                let path = format!("{}.{side}", join.path);
                let node = evidence.nodes.iter().find(|node| node.path == path);
                node.and_then(|node| node.rows)
            });
            // One row on a side is a constant, not a table.
            if rows.iter().any(|rows| rows.is_some_and(|rows| rows <= 1)) {
                return None;
            }
            let are_known = rows.iter().all(Option::is_some);
            let [left, right] = rows.map(|rows| rows.unwrap_or(1000) as f64);
            let severity = match are_known && left * right >= PAIRS {
                true => Severity::Warning,
                false => Severity::Info,
            };
            let finding = Finding::new(
                severity,
                join.label(),
                "two inputs are joined without a condition, every row with every other",
            )
            .evidence(format!("{left:.0} × {right:.0} = {:.0} rows", left * right))
            .gain(50.0);
            let shared = shared_columns(evidence);
            Some(match shared.is_empty() {
                true => finding,
                false => finding.evidence(format!("both have: {}", shared.join(", "))),
            })
        })
        .collect()
}

/// Says whether a join compares nothing of one side with the other.
fn is_one_sided(node: &Node) -> bool {
    let join = node.plan.downcast_ref::<NestedLoopJoinExec>();
    let filter = join.and_then(|join| join.filter());
    filter.is_some_and(|filter| {
        let mut sides = filter.column_indices().iter().map(|index| index.side);
        let first = sides.next();
        sides.all(|side| Some(side) == first)
    })
}

fn shared_columns(evidence: &Evidence) -> Vec<String> {
    let [first, second] = evidence.tables.as_slice() else {
        return Vec::new();
    };
    let fields = first.schema.fields().iter().map(|field| field.name());
    fields
        .filter(|name| second.field(name).is_some())
        .cloned()
        .collect()
}
