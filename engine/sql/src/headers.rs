//! Names for the columns of a result that have none: the expression as it was written.
//!
//! DataFusion names them after its own form of the expression, as in `Int64(1)`. Only the outermost
//! SELECT is named; inside, names are what other parts of the query refer to.

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr};

/// Longer expressions keep DataFusion's name, which is not longer.
const LONGEST: usize = 200;

/// Gives each expression without an alias its own text as one.
pub(super) fn name_columns(query: &mut Query) {
    let is_ordered = query.order_by.is_some();
    name_body(&mut query.body, is_ordered);
}

fn name_body(body: &mut SetExpr, is_ordered: bool) {
    match body {
        // DataFusion would not find the expressions of ORDER BY among names of ours.
        SetExpr::Select(select) if select.distinct.is_none() || !is_ordered => {
            let mut named: Vec<String> = Vec::new();
            for item in &mut select.projection {
                let SelectItem::UnnamedExpr(expression) = item else {
                    continue;
                };
                let Some(name) = name_of(expression).filter(|name| !named.contains(name)) else {
                    continue;
                };
                named.push(name.clone());
                *item = SelectItem::ExprWithAlias {
                    expr: expression.clone(),
                    alias: Ident::with_quote('"', name),
                };
            }
        }
        SetExpr::Query(query) => {
            let is_ordered = is_ordered || query.order_by.is_some();
            name_body(&mut query.body, is_ordered);
        }
        // The first branch gives a union its names.
        SetExpr::SetOperation { left, .. } => name_body(left, is_ordered),
        _ => {}
    }
}

/// The name of an expression; `None` where DataFusion's is right: that of a column or a field.
fn name_of(expression: &Expr) -> Option<String> {
    let name = match expression {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::CompoundFieldAccess { .. }
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(..) => return None,
        Expr::Nested(inner) => return name_of(inner),
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("unnest") => {
            return None;
        }
        _ => expression.to_string(),
    };
    (name.len() <= LONGEST && !name.is_empty() && !name.contains('\n')).then_some(name)
}
