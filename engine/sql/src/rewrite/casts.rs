//! Keeps expressions apart that differ by a CAST only.
//!
//! DataFusion names a column after its expression and leaves casts out of the name, so that
//! `max(CAST(s AS BIGINT))` and `max(s)`, or `GROUP BY s, CAST(s AS BIGINT)`, are one name for two columns,
//! which it refuses. Where that happens each cast gets a second argument, its text, in a call that the
//! optimizer takes away again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, OrderBy, Query, Select, SelectItem, Spanned, Visit, VisitMut,
    Visitor, VisitorMut, visit_expressions_mut,
};

use super::{call, text};

/// The function that returns its first argument; the second makes its name.
pub const AS_WRITTEN: &str = "_lakesh_as_written";

/// Makes names differ where expressions do.
pub(super) fn keep_apart(select: &mut Select, order_by: Option<&mut OrderBy>) {
    let casts = colliding_casts(select);
    if casts.is_empty() {
        return;
    }
    let mut marking = Marking {
        casts: &casts,
        depth: 0,
    };
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expression) = item else {
            continue;
        };
        let name = expression.to_string();
        marking.mark(expression);
        if expression.to_string() != name {
            *item = SelectItem::ExprWithAlias {
                expr: expression.clone(),
                alias: Ident::with_quote('"', name),
            };
        }
    }
    let named = select
        .projection
        .iter_mut()
        .filter(|item| matches!(item, SelectItem::ExprWithAlias { .. }));
    for item in named {
        // Marked already where it had no name.
        if !item.to_string().contains(AS_WRITTEN) {
            marking.mark(item);
        }
    }
    marking.mark(&mut select.group_by);
    marking.mark(&mut select.having);
    marking.mark(&mut select.qualify);
    if let Some(order_by) = order_by {
        marking.mark(order_by);
    }
}

/// Returns the casts, as they are written, that alone tell two calls or two keys of a SELECT apart.
fn colliding_casts(select: &Select) -> BTreeSet<String> {
    let mut units = Units::default();
    let _: ControlFlow<()> = select.projection.visit(&mut units);
    let _: ControlFlow<()> = select.having.visit(&mut units);
    let _: ControlFlow<()> = select.qualify.visit(&mut units);
    if !units.has_cast && !has_cast(&select.group_by) {
        return BTreeSet::new();
    }
    let mut found = units.found;
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        found.extend(keys.iter().flat_map(|key| match key {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
                sets.iter().flatten().cloned().collect()
            }
            other => vec![other.clone()],
        }));
    }
    let mut by_name: BTreeMap<String, BTreeMap<String, Expr>> = BTreeMap::new();
    for unit in found {
        let alike = by_name.entry(without_casts(&unit)).or_default();
        alike.insert(unit.to_string(), unit);
    }
    let mut casts = Casts::default();
    for unit in by_name
        .values()
        .filter(|alike| alike.len() > 1)
        .flat_map(|alike| alike.values())
    {
        let _: ControlFlow<()> = unit.visit(&mut casts);
    }
    casts.written
}

fn has_cast(group_by: &GroupByExpr) -> bool {
    let mut casts = Casts::default();
    let _: ControlFlow<()> = group_by.visit(&mut casts);
    !casts.written.is_empty()
}

/// Returns an expression's text without its casts, as DataFusion names it.
pub(super) fn without_casts(expression: &Expr) -> String {
    let mut plain = expression.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut plain, |node| {
        while let Expr::Cast { expr, .. } | Expr::Nested(expr) = node {
            *node = expr.as_ref().clone();
        }
        ControlFlow::Continue(())
    });
    plain.to_string()
}

/// The calls of one SELECT, and whether there is a cast in it.
#[derive(Default)]
struct Units {
    found: Vec<Expr>,
    has_cast: bool,
    depth: usize,
}

impl Visitor for Units {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            match expression {
                Expr::Function(_) => self.found.push(expression.clone()),
                Expr::Cast { .. } => self.has_cast = true,
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

#[derive(Default)]
struct Casts {
    written: BTreeSet<String>,
    depth: usize,
}

impl Visitor for Casts {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.depth == 0 && matches!(expression, Expr::Cast { .. }) {
            self.written.insert(expression.to_string());
        }
        ControlFlow::Continue(())
    }
}

/// Puts the calls around casts.
struct Marking<'a> {
    casts: &'a BTreeSet<String>,
    depth: usize,
}

impl Marking<'_> {
    fn mark<T: VisitMut>(&mut self, tree: &mut T) {
        let _: ControlFlow<()> = VisitMut::visit(tree, self);
    }
}

impl VisitorMut for Marking<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 && matches!(expression, Expr::Cast { .. }) {
            let written = expression.to_string();
            if self.casts.contains(&written) {
                let place = expression.span();
                *expression = call(AS_WRITTEN, vec![expression.clone(), text(written)], place);
            }
        }
        ControlFlow::Continue(())
    }
}
