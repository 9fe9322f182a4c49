//! Names for the columns of a result that have none: the expression as it was written.
//!
//! DataFusion names them after its own form of the expression, as in `Int64(1)`. Only the outermost
//! SELECT is named; inside, names are what other parts of the query refer to.
//!
//! In a result that is shown, columns may have one name: `SELECT a, a FROM t` and `SELECT x AS a, y AS a`
//! are two columns `a`, as in PostgreSQL and DuckDB. DataFusion plans no such query, so that all but the
//! first are planned under other names, and get theirs back when they are shown.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SetExpr, visit_expressions,
};

use crate::frame::unmarked;
use crate::normalized;

/// Longer expressions keep DataFusion's name, which is not longer.
const LONGEST: usize = 200;

/// The names under which columns of a result are shown, by those under which they are planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownNames(HashMap<String, String>);

impl ShownNames {
    /// Says whether all columns are shown under the names under which they are planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the name under which a column is shown.
    #[must_use]
    pub fn shown<'a>(&'a self, planned: &'a str) -> &'a str {
        self.0.get(planned).map_or(planned, String::as_str)
    }
}

/// Plans columns under other names where theirs are taken by columns before them.
pub(super) fn tell_apart(query: &mut Query) -> ShownNames {
    let mut shown = ShownNames::default();
    let mut ordered_by = HashSet::new();
    tell_query_apart(query, &mut ordered_by, &mut shown.0);
    shown
}

/// Goes down to the SELECT that gives a query its names.
fn tell_query_apart(
    query: &mut Query,
    ordered_by: &mut HashSet<String>,
    shown: &mut HashMap<String, String>,
) {
    let _: ControlFlow<()> = visit_expressions(&query.order_by, |part| {
        if let Expr::Identifier(name) = part {
            ordered_by.insert(normalized(name));
        }
        ControlFlow::Continue(())
    });
    let mut body = query.body.as_mut();
    loop {
        match body {
            SetExpr::Select(select) => return tell_columns_apart(select, ordered_by, shown),
            SetExpr::Query(query) => return tell_query_apart(query, ordered_by, shown),
            SetExpr::SetOperation { left, .. } => body = left.as_mut(),
            _ => return,
        }
    }
}

fn tell_columns_apart(
    select: &mut Select,
    ordered_by: &HashSet<String>,
    shown: &mut HashMap<String, String>,
) {
    let names: Vec<Option<String>> = select.projection.iter().map(shown_name).collect();
    let is_known = |name: &String| names.iter().flatten().any(|known| known == name);
    let written: Vec<Option<String>> = select.projection.iter().map(written).collect();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let Some(name) = &names[place] else {
            continue;
        };
        let first = names
            .iter()
            .position(|before| before.as_ref() == Some(name));
        let Some(first) = first.filter(|first| *first < place) else {
            continue;
        };
        // ORDER BY would take one of two columns for the other.
        if ordered_by.contains(name) && written[first] != written[place] {
            continue;
        }
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = &*item
        else {
            continue;
        };
        // `*` may bring columns of any usual name.
        let planned = format!("__lakesh_{place}:{name}");
        if is_known(&planned) {
            continue;
        }
        *item = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias: Ident::with_quote('"', &planned),
        };
        shown.insert(planned, name.clone());
    }
}

/// Returns what an item computes, as it is written.
fn written(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr.to_string())
        }
        _ => None,
    }
}

/// Returns the name under which an item is shown; `None` where it is not known from its text.
fn shown_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
        SelectItem::UnnamedExpr(expression) => {
            column_name(expression).or_else(|| name_of(expression))
        }
        _ => None,
    }
}

fn column_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(normalized(name)),
        Expr::CompoundIdentifier(names) => names.last().map(normalized),
        Expr::Nested(inner) => column_name(inner),
        _ => None,
    }
}

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
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(..) => return None,
        Expr::CompoundFieldAccess { root, .. } if matches!(root.as_ref(), Expr::Identifier(_)) => {
            return None;
        }
        Expr::Nested(inner) => return name_of(inner),
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("unnest") => {
            return None;
        }
        _ => unmarked(&expression.to_string()),
    };
    (name.len() <= LONGEST && !name.is_empty() && !name.contains('\n')).then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::StatementParser;

    #[track_caller]
    fn check(text: &str, expected: &str, shown: &[(&str, &str)]) {
        let mut parser = StatementParser::new(text).expect("it has tokens");
        let (query, names) = parser.shown_query().expect("it parses");
        assert_eq!(query.tree.to_string(), expected);
        for (planned, name) in shown {
            assert_eq!(names.shown(planned), *name);
        }
        assert_eq!(names.is_empty(), shown.is_empty());
    }

    #[test]
    fn columns_of_one_name_are_planned_under_several() {
        check(
            "SELECT a, t.a, b AS a FROM t ORDER BY b",
            "SELECT a, t.a AS \"__lakesh_1:a\", b AS \"__lakesh_2:a\" FROM t ORDER BY b",
            &[("__lakesh_1:a", "a"), ("__lakesh_2:a", "a")],
        );
        check(
            "SELECT 1, 1 UNION ALL SELECT 2, 3",
            "SELECT 1 AS \"1\", 1 AS \"__lakesh_1:1\" UNION ALL SELECT 2, 3",
            &[("__lakesh_1:1", "1")],
        );
    }

    #[test]
    fn a_frame_is_called_what_was_written() {
        let frame = "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW";
        check(
            &format!("SELECT sum(a) OVER (ORDER BY b {frame} exclude ties) FROM t"),
            &format!(
                "SELECT sum(a) OVER (PARTITION BY _lakesh_exclude('TIES') ORDER BY b {frame}) \
                 AS \"sum(a) OVER (ORDER BY b {frame} EXCLUDE TIES)\" FROM t"
            ),
            &[],
        );
    }

    #[test]
    fn an_order_by_one_of_two_columns_stays_ambiguous() {
        check(
            "SELECT a, a FROM t ORDER BY a",
            "SELECT a, a AS \"__lakesh_1:a\" FROM t ORDER BY a",
            &[("__lakesh_1:a", "a")],
        );
        check(
            "SELECT a, b AS a FROM t ORDER BY a",
            "SELECT a, b AS a FROM t ORDER BY a",
            &[],
        );
    }

    #[test]
    fn other_columns_keep_their_names() {
        check("SELECT a, b FROM t", "SELECT a, b FROM t", &[]);
        check("SELECT *, b FROM t", "SELECT *, b FROM t", &[]);
        check(
            "SELECT a FROM (SELECT a, b FROM t) AS s",
            "SELECT a FROM (SELECT a, b FROM t) AS s",
            &[],
        );
    }
}
