//! Keys of a join that have to be converted row by row.

use datafusion::physical_expr::expressions::{CastExpr, TryCastExpr};
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;

use crate::evidence::Node;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "cast-in-join",
    summary: "The two sides of a join have keys of different types, so that one is converted for every row.",
    advice: "Store keys with the same type in both tables: whole numbers compare and hash faster than text, and \
             the filter that one side gives the other can then skip files, which it cannot through a cast.",
    measured: false,
    setup: super::lakes::TEXT_KEYS,
    fires: "SELECT count(*) AS n FROM orders o JOIN customers c ON CAST(o.customer AS VARCHAR) = c.id",
    silent: "SELECT count(*) AS n FROM orders o JOIN customers c ON o.customer = c.number",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let joins = evidence.nodes.iter();
    joins.filter_map(|node| of_join(evidence, node)).collect()
}

fn of_join(evidence: &Evidence, node: &Node) -> Option<Finding> {
    let join = node.plan.downcast_ref::<HashJoinExec>()?;
    let sides = [join.left(), join.right()];
    let converted: Vec<String> = sides
        .into_iter()
        .filter_map(|side| side.downcast_ref::<ProjectionExec>())
        .flat_map(|projection| projection.expr())
        .filter(|projected| {
            let of_join = projected.alias.starts_with("join_proj_push_down")
                || join.on().iter().any(|(left, right)| {
                    [left, right]
                        .iter()
                        .any(|key| key.to_string().starts_with(&projected.alias))
                });
            let expression = projected.expr.as_ref();
            of_join
                && (expression.downcast_ref::<CastExpr>().is_some()
                    || expression.downcast_ref::<TryCastExpr>().is_some())
        })
        .map(|projected| projected.expr.to_string())
        .collect();
    let first = converted.first()?;
    let severity = evidence.severity();
    let rows: Vec<String> = sides
        .iter()
        .filter_map(|side| evidence.rows_of(side))
        .map(|rows| rows.to_string())
        .collect();
    Some(
        Finding::new(
            severity,
            node.label(),
            format!("`{first}` is computed for every row to compare keys of different types"),
        )
        .evidence(format!("rows of the two sides: {}", rows.join(" and ")))
        .gain(1.2),
    )
}
