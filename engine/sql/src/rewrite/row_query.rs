//! Rows of several values beside a subquery: `(a, b) IN (SELECT c, d FROM t)`, `= ANY`, `<> ALL`.
//!
//! DataFusion's planner takes subqueries of one column only. Both sides become one value that has the
//! others as its fields; `semantics` takes them apart again and compares field by field.

use datafusion::sql::sqlparser::ast::{Expr, Query, SetExpr, Spanned, TableFactor};

use super::Rewritten;
use super::row_value::row;
use crate::complete::Refusal;
use crate::parse_query_tree;

/// Makes one value of each row that is compared with a subquery's rows.
pub(super) fn rewrite(expression: &mut Expr) -> Rewritten {
    let (side, query) = match expression {
        Expr::InSubquery { expr, subquery, .. } => (expr, subquery),
        Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => match right.as_mut() {
            Expr::Subquery(subquery) => (left, subquery),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    match row(side) {
        Some(values) if values.len() > 1 => as_values(side, values, query),
        _ => Ok(()),
    }
}

fn as_values(side: &mut Expr, values: Vec<Expr>, query: &mut Query) -> Rewritten {
    let names: Vec<_> = (0..values.len()).map(|place| format!("c{place}")).collect();
    let names = names.join(", ");
    let text = format!("SELECT struct({names}) FROM (SELECT 1) AS __row({names})");
    let mut outer = parse_query_tree(&text)
        .map_err(|error| Refusal::at(side.span().start, error.to_string()))?;
    if let SetExpr::Select(select) = outer.body.as_mut()
        && let Some(table) = select.from.first_mut()
        && let TableFactor::Derived { subquery, .. } = &mut table.relation
    {
        std::mem::swap(subquery.as_mut(), query);
        *query = outer;
    }
    *side = Expr::Struct {
        values,
        fields: Vec::new(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::parse_query;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let query = parse_query(text).expect("it parses");
        assert_eq!(query.tree.to_string(), expected);
    }

    #[test]
    fn rows_become_values() {
        check(
            "SELECT e FROM t WHERE (a, b + 1) NOT IN (SELECT c, d FROM u)",
            "SELECT e FROM t WHERE STRUCT(a, b + 1) NOT IN (SELECT STRUCT(c0, c1) FROM (SELECT c, d FROM u) AS __row (c0, c1))",
        );
    }

    #[test]
    fn single_values_stay() {
        check(
            "SELECT e FROM t WHERE (a) IN (SELECT c FROM u)",
            "SELECT e FROM t WHERE (a) IN (SELECT c FROM u)",
        );
    }
}
