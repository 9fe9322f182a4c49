//! ORDER BY without LIMIT in the middle of a query.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Query as SqlQuery, Select, SetExpr, TableFactor, VisitMut, VisitorMut,
};

use crate::hint::ast::for_each_select;
use crate::hint::finding::Severity;
use crate::hint::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "order-in-subquery",
    summary: "A subquery sorts its rows, and nobody asks for their order.",
    advice: "Rows of a subquery have no order outside it. Sort at the end, or put a LIMIT beside the \
             ORDER BY if only the first rows are wanted.",
    measured: false,
    setup: super::ORDERS,
    fires: "SELECT o.id, c.name FROM (SELECT * FROM orders ORDER BY total, id) o JOIN customers c ON o.customer = c.id",
    silent: "SELECT o.id, c.name FROM (SELECT * FROM orders ORDER BY total, id LIMIT 100) o JOIN customers c ON o.customer = c.id",
    inspect,
};

/// Functions whose result depends on the order of the rows.
const ORDERED: &[&str] = &[
    "array_agg",
    "string_agg",
    "first_value",
    "last_value",
    "nth_value",
    "row_number",
    "listagg",
];

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    if asks_for_order(&evidence.tree) {
        return Vec::new();
    }
    let sorts = |evidence: &Evidence| {
        let sorts = evidence
            .nodes
            .iter()
            .filter(|node| node.plan.name() == "SortExec");
        sorts.count()
    };
    let mut orders = Orders {
        removed: Vec::new(),
        depth: 0,
        has_outer_order: evidence.tree.order_by.is_some(),
    };
    let mut tree = evidence.tree.clone();
    let _: ControlFlow<()> = tree.visit(&mut orders);
    if orders.removed.is_empty() || sorts(evidence) == 0 {
        return Vec::new();
    }
    let severity = match evidence.reads_much() {
        true => Severity::Advice,
        false => Severity::Info,
    };
    let text = format!(
        "a subquery sorts its rows (`{}`) for nobody",
        orders.removed.join("`, `")
    );
    vec![
        Finding::new(severity, "SortExec", text)
            .evidence(format!("{} sorts in the plan", sorts(evidence)))
            .gain(1.8)
            .rewrite(tree),
    ]
}

fn asks_for_order(tree: &SqlQuery) -> bool {
    let mut asks = false;
    for_each_select(tree, &mut |select| {
        let text = select.to_string().to_lowercase();
        asks |= ORDERED
            .iter()
            .any(|name| text.contains(&format!("{name}(")));
        asks |= text.contains(" over ");
    });
    asks
}

struct Orders {
    removed: Vec<String>,
    depth: usize,
    has_outer_order: bool,
}

impl Orders {
    fn unorder(&mut self, query: &mut SqlQuery) {
        if query.limit_clause.is_none()
            && query.fetch.is_none()
            && let Some(order) = query.order_by.take()
        {
            self.removed.push(order.to_string());
        }
    }
}

impl VisitorMut for Orders {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut SqlQuery) -> ControlFlow<()> {
        if let Some(with) = &mut query.with {
            // The order of a common table expression may reach the user only where nothing sorts again.
            let sorts_again = self.has_outer_order || collapses(&query.body);
            if sorts_again {
                for cte in &mut with.cte_tables {
                    self.unorder(&mut cte.query);
                }
            }
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut SqlQuery) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        // `SELECT * FROM (… ORDER BY x)` at the top keeps its order in practice, and users count on it.
        // A join promises nothing.
        let joins = select.from.len() > 1 || select.from.iter().any(|from| !from.joins.is_empty());
        let keeps_order = !self.has_outer_order && !is_grouped(select) && !joins;
        let matters = self.depth == 1 && keeps_order;
        let tables = select.from.iter_mut().flat_map(|table| {
            let joined = table.joins.iter_mut().map(|join| &mut join.relation);
            std::iter::once(&mut table.relation).chain(joined)
        });
        for factor in tables {
            if let TableFactor::Derived { subquery, .. } = factor
                && !matters
            {
                self.unorder(subquery);
            }
        }
        ControlFlow::Continue(())
    }
}

fn collapses(body: &SetExpr) -> bool {
    matches!(body, SetExpr::Select(select) if is_grouped(select))
}

/// Says whether a SELECT makes new rows of groups, so that the order of its input is lost.
fn is_grouped(select: &Select) -> bool {
    use datafusion::sql::sqlparser::ast::{Expr, GroupByExpr, SelectItem};
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let aggregates = |item: &SelectItem| {
        let (SelectItem::UnnamedExpr(expression)
        | SelectItem::ExprWithAlias {
            expr: expression, ..
        }) = item
        else {
            return false;
        };
        let Expr::Function(function) = expression else {
            return false;
        };
        let name = function.name.to_string().to_lowercase();
        ["count", "sum", "avg", "min", "max"].contains(&name.as_str())
    };
    grouped || !select.projection.is_empty() && select.projection.iter().all(aggregates)
}
