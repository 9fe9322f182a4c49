//! DISTINCT ON, whose keys may be named by their place or their name in the result, and sorted in any order.
//!
//! DataFusion takes `DISTINCT ON (1)` for a constant, of which there is one row, and wants ORDER BY to begin with
//! the keys in their order. PostgreSQL takes a number for a place in the list and the keys in any order; DuckDB
//! takes any ORDER BY: it says which row of each key is the first, and then how the result is sorted.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Distinct, ExcludeSelectItem, Expr, Ident, ObjectName, OrderBy, OrderByExpr, OrderByKind,
    OrderByOptions, Query, Select, SelectItem, SetExpr, Spanned, TableFactor, TableWithJoins,
    Value, ValueWithSpan, WildcardAdditionalOptions,
};

use super::Rewritten;
use crate::complete::Refusal;
use crate::{normalized, select_from_nothing};

/// Puts the keys of a query, which are expressions by now, into the order in which they are sorted.
pub(super) fn rewrite(query: &mut Query) -> Rewritten {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return Ok(());
    };
    let Some(Distinct::On(keys)) = &select.distinct else {
        return Ok(());
    };
    let Some(OrderBy {
        kind: OrderByKind::Expressions(order),
        ..
    }) = &query.order_by
    else {
        return Ok(());
    };
    let mut sorted = order.clone();
    for key in &mut sorted {
        resolve(&mut key.expr, &select.projection)?;
    }
    match leading(keys, &sorted) {
        Some(keys) => select.distinct = Some(Distinct::On(keys)),
        None => sort_outside(query, &sorted),
    }
    Ok(())
}

/// Writes the keys of a SELECT as expressions, each of them once.
pub(super) fn resolve_keys(select: &mut Select) -> Rewritten {
    if let Some(Distinct::On(keys)) = &mut select.distinct {
        for key in keys.iter_mut() {
            resolve(key, &select.projection)?;
        }
        let mut kept: Vec<Expr> = Vec::with_capacity(keys.len());
        for key in keys.drain(..) {
            if !kept.iter().any(|earlier| is_same(earlier, &key)) {
                kept.push(key);
            }
        }
        *keys = kept;
    }
    Ok(())
}

/// Puts an item of the result in the place of its number or its name.
pub(super) fn resolve(key: &mut Expr, items: &[SelectItem]) -> Rewritten {
    let found = match &*key {
        Expr::Value(ValueWithSpan {
            value: Value::Number(digits, _),
            span,
        }) => {
            let refused = |what: String| Err(Refusal::at(span.start, what));
            let Some(place) = digits.parse::<usize>().ok().filter(|place| *place > 0) else {
                return refused(format!("{digits} is no place in the list of columns"));
            };
            if items
                .iter()
                .take(place)
                .any(|item| expression(item).is_none())
            {
                return refused(format!(
                    "the column at place {place} is not known behind `*`; name it"
                ));
            }
            match items.get(place - 1).and_then(expression) {
                Some(found) => found.clone(),
                None => return refused(format!("there is no column at place {place} of the list")),
            }
        }
        Expr::Identifier(word) => {
            let name = normalized(word);
            let named = items.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if normalized(alias) == name => {
                    Some(expr)
                }
                _ => None,
            });
            match named {
                Some(found) => found.clone(),
                None => return Ok(()),
            }
        }
        _ => return Ok(()),
    };
    *key = found;
    Ok(())
}

fn expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// Returns the keys in the order in which a list that begins with them sorts them.
fn leading(keys: &[Expr], order: &[OrderByExpr]) -> Option<Vec<Expr>> {
    let mut left: Vec<&Expr> = keys.iter().collect();
    let mut ordered = Vec::new();
    for sorted in order {
        if left.is_empty() {
            break;
        }
        let place = left.iter().position(|key| is_same(key, &sorted.expr));
        match place {
            Some(place) => ordered.push(left.remove(place).clone()),
            // The same key once more changes nothing.
            None if ordered.iter().any(|key| is_same(key, &sorted.expr)) => {}
            None => return None,
        }
    }
    left.is_empty().then_some(ordered)
}

fn is_same(one: &Expr, other: &Expr) -> bool {
    one == other || one.to_string() == other.to_string()
}

/// Chooses the rows by the keys first and sorts them outside, by columns that are not shown.
fn sort_outside(query: &mut Query, order: &[OrderByExpr]) {
    let Some(mut inner) = chosen(query, order) else {
        return;
    };
    let Some(OrderBy {
        kind: OrderByKind::Expressions(outer),
        ..
    }) = &mut query.order_by
    else {
        return;
    };
    let mut hidden = Vec::new();
    if let SetExpr::Select(select) = inner.body.as_mut() {
        for (place, (sorted, key)) in order.iter().zip(outer).enumerate() {
            let mut name = Ident::with_quote('"', format!("_lakesh_order_{place}"));
            hidden.push(ObjectName::from(vec![name.clone()]));
            select.projection.push(SelectItem::ExprWithAlias {
                expr: sorted.expr.clone(),
                alias: name.clone(),
            });
            name.span = key.expr.span();
            key.expr = Expr::Identifier(name);
        }
    }
    let mut shown = select_from_nothing();
    if let SetExpr::Select(select) = shown.body.as_mut() {
        select.select_token = AttachedToken::empty();
        select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions {
            opt_exclude: Some(ExcludeSelectItem::Multiple(hidden)),
            ..WildcardAdditionalOptions::default()
        })];
        select.from = vec![TableWithJoins {
            relation: TableFactor::Derived {
                lateral: false,
                subquery: Box::new(inner),
                alias: None,
                sample: None,
            },
            joins: Vec::new(),
        }];
    }
    query.body = shown.body;
}

/// Returns the query of the chosen rows: sorted by its keys, and then as it was asked for.
fn chosen(query: &Query, order: &[OrderByExpr]) -> Option<Query> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let Some(Distinct::On(keys)) = &select.distinct else {
        return None;
    };
    let by_key = keys.iter().map(|key| OrderByExpr {
        expr: key.clone(),
        options: OrderByOptions::default(),
        with_fill: None,
    });
    let others = order.iter().filter(|sorted| {
        let mut keys = keys.iter();
        !keys.any(|key| is_same(key, &sorted.expr))
    });
    let mut inner = select_from_nothing();
    inner.body = query.body.clone();
    inner.order_by = Some(OrderBy {
        kind: OrderByKind::Expressions(by_key.chain(others.cloned()).collect()),
        interpolate: None,
    });
    Some(inner)
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
    fn keys_are_named_by_place_and_by_name() {
        check(
            "SELECT DISTINCT ON (1, d) a AS c, b AS d FROM t",
            "SELECT DISTINCT ON (a, b) a AS c, b AS d FROM t",
        );
        check(
            "SELECT DISTINCT ON (a, 1, a) a FROM t ORDER BY a DESC, a",
            "SELECT DISTINCT ON (a) a FROM t ORDER BY a DESC, a",
        );
    }

    #[test]
    fn keys_follow_the_order() {
        check(
            "SELECT DISTINCT ON (a, b) a, b, e FROM t ORDER BY b DESC, 1, e",
            "SELECT DISTINCT ON (b, a) a, b, e FROM t ORDER BY b DESC, 1, e",
        );
    }

    #[test]
    fn another_order_is_that_of_the_result() {
        check(
            "SELECT DISTINCT ON (a) b FROM t ORDER BY e DESC LIMIT 2",
            "SELECT * EXCLUDE (\"_lakesh_order_0\") FROM (SELECT DISTINCT ON (a) b, e AS \"_lakesh_order_0\" \
             FROM t ORDER BY a, e DESC) ORDER BY \"_lakesh_order_0\" DESC LIMIT 2",
        );
    }

    #[test]
    fn places_that_are_not_there_are_refused() {
        for (text, message) in [
            ("SELECT DISTINCT ON (2) a FROM t", "no column at place 2"),
            ("SELECT DISTINCT ON (0) a FROM t", "0 is no place"),
            ("SELECT DISTINCT ON (2) *, a FROM t", "not known behind `*`"),
        ] {
            let error = parse_query(text).expect_err("the place is not known");
            let error = error.to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
