//! VALUES with subqueries as SELECTs that are united: DataFusion computes VALUES before any subquery has run.

use std::mem::take;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, SelectItem, SetExpr, SetOperator, SetQuantifier, Values, visit_expressions,
};

use crate::select_from_nothing;

/// Writes VALUES of a query, and of the parts of a union, as SELECTs where a subquery stands in them.
pub(super) fn rewrite(body: &mut SetExpr) {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            rewrite(left);
            rewrite(right);
        }
        SetExpr::Values(values) if has_subquery(values) => {
            let rows = take(&mut values.rows).into_iter();
            let united =
                rows.map(|row| select(row.content))
                    .reduce(|left, right| SetExpr::SetOperation {
                        op: SetOperator::Union,
                        set_quantifier: SetQuantifier::All,
                        left: Box::new(left),
                        right: Box::new(right),
                    });
            if let Some(united) = united {
                *body = united;
            }
        }
        _ => {}
    }
}

fn select(row: Vec<Expr>) -> SetExpr {
    let mut query = select_from_nothing();
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.from.clear();
        let columns = row.into_iter().enumerate();
        select.projection = columns
            .map(|(place, expr)| SelectItem::ExprWithAlias {
                expr,
                // The names that the columns of VALUES have.
                alias: Ident::with_quote('"', format!("column{}", place + 1)),
            })
            .collect();
    }
    *query.body
}

fn has_subquery(values: &Values) -> bool {
    let found = visit_expressions(values, |node| match node {
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
