//! Rows of several values beside a subquery: `(a, b) IN (SELECT c, d FROM t)`, `< ANY`, `<> ALL`, and
//! `(a, b) = (SELECT c, d FROM t)` with the one row of a subquery.
//!
//! DataFusion's planner takes subqueries of one column only. Both sides become one value that has the
//! others as its fields; `semantics` takes them apart again and compares field by field. PostgreSQL's
//! manual, "Row and Array Comparisons": a subquery of several rows is an error, and with none the result is
//! unknown.

use datafusion::sql::sqlparser::ast::{Expr, Query, SelectItem, SetExpr, Spanned, TableFactor};

use super::Rewritten;
use super::row_value::{is_comparison, row};
use crate::complete::Refusal;
use crate::parse_query_tree;

/// Makes one value of each row that is compared with a subquery's rows.
pub(super) fn rewrite(expression: &mut Expr) -> Rewritten {
    let (side, query) = match expression {
        Expr::InSubquery { expr, subquery, .. } => (expr.as_mut(), subquery),
        Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => match right.as_mut() {
            Expr::Subquery(subquery) => (left.as_mut(), subquery),
            _ => return Ok(()),
        },
        Expr::BinaryOp { left, op, right } if is_comparison(op) => {
            match (left.as_mut(), right.as_mut()) {
                (Expr::Subquery(subquery), side) | (side, Expr::Subquery(subquery)) => {
                    (side, subquery)
                }
                _ => return Ok(()),
            }
        }
        _ => return Ok(()),
    };
    match row(side) {
        Some(values) if values.len() > 1 => as_values(side, values, query),
        _ => Ok(()),
    }
}

fn as_values(side: &mut Expr, values: Vec<Expr>, query: &mut Query) -> Rewritten {
    if let Some(columns) = columns(&query.body)
        && columns != values.len()
    {
        return Err(Refusal::at(
            side.span().start,
            format!(
                "a row of {} fields cannot be compared with a subquery of {columns} columns",
                values.len()
            ),
        ));
    }
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

/// Returns how many columns a query has; `None` where its text does not say so.
fn columns(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            // A structure that is unnested becomes a column for each of its fields.
            let is_one = |item: &SelectItem| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    !expr.to_string().to_ascii_lowercase().contains("unnest")
                }
                _ => false,
            };
            let items = &select.projection;
            (!items.is_empty() && items.iter().all(is_one)).then_some(items.len())
        }
        SetExpr::Query(query) => columns(&query.body),
        SetExpr::SetOperation { left, .. } => columns(left),
        _ => None,
    }
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
    fn rows_are_compared_with_the_one_row_of_a_subquery() {
        check(
            "SELECT e FROM t WHERE (a, b) <= (SELECT c, d FROM u)",
            "SELECT e FROM t WHERE STRUCT(a, b) <= (SELECT STRUCT(c0, c1) FROM (SELECT c, d FROM u) AS __row (c0, c1))",
        );
        check(
            "SELECT e FROM t WHERE (SELECT c, d FROM u) <> ROW(a, b)",
            "SELECT e FROM t WHERE (SELECT STRUCT(c0, c1) FROM (SELECT c, d FROM u) AS __row (c0, c1)) <> STRUCT(a, b)",
        );
    }

    #[test]
    fn rows_of_other_lengths_are_refused() {
        for text in [
            "SELECT e FROM t WHERE (a, b) = (SELECT c FROM u)",
            "SELECT e FROM t WHERE (a, b) IN (SELECT c, d, e FROM u)",
        ] {
            let error = parse_query(text).expect_err("the lengths differ");
            let error = error.to_string();
            assert!(error.contains("a row of 2 fields"), "{error}");
        }
        // What `*` is nobody knows yet.
        parse_query("SELECT e FROM t WHERE (a, b) = (SELECT * FROM u)").expect("it parses");
    }

    #[test]
    fn single_values_stay() {
        check(
            "SELECT e FROM t WHERE a = (SELECT c FROM u)",
            "SELECT e FROM t WHERE a = (SELECT c FROM u)",
        );
        check(
            "SELECT e FROM t WHERE (a) IN (SELECT c FROM u)",
            "SELECT e FROM t WHERE (a) IN (SELECT c FROM u)",
        );
    }
}
