//! DISTINCT over rows that are distinct already, or whose duplicates make no difference.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Distinct, Expr, Select, SetExpr, VisitMut, VisitorMut};

use super::union_distinct::{looked_up, returns_all_keys};
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "redundant-distinct",
    summary: "DISTINCT stands over groups that are distinct already, or inside IN or EXISTS.",
    advice: "Leave DISTINCT out: rows that hold all keys of their GROUP BY occur once, and a list that \
             is only looked up in needs no duplicates removed. Each DISTINCT is one more grouping of \
             all rows.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT DISTINCT customer, payer, sum(total) AS total FROM orders GROUP BY customer, payer",
    silent: "SELECT DISTINCT sum(total) AS total FROM orders GROUP BY customer, payer",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let mut distincts = Distincts {
        evidence,
        removed: 0,
    };
    let mut tree = evidence.tree.clone();
    let _: ControlFlow<()> = tree.visit(&mut distincts);
    if distincts.removed == 0 {
        return Vec::new();
    }
    let severity = evidence.severity();
    vec![
        Finding::new(
            severity,
            "DISTINCT",
            "DISTINCT groups rows that are distinct already, or whose duplicates make no difference",
        )
        .evidence(format!("{} DISTINCT", distincts.removed))
        .gain(1.5)
        .rewrite(tree),
    ]
}

struct Distincts<'a> {
    evidence: &'a Evidence,
    removed: usize,
}

impl VisitorMut for Distincts<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::InSubquery { subquery, .. } | Expr::Exists { subquery, .. } = expression
            && looked_up(subquery)
                .is_some_and(|select| matches!(select.distinct, Some(Distinct::Distinct)))
            && let SetExpr::Select(select) = subquery.body.as_mut()
        {
            select.distinct = None;
            self.removed += 1;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        if matches!(select.distinct, Some(Distinct::Distinct))
            && returns_all_keys(select, self.evidence)
        {
            select.distinct = None;
            self.removed += 1;
        }
        ControlFlow::Continue(())
    }
}
