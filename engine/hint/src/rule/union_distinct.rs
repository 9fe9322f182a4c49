//! UNION where UNION ALL gives the same.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Cte, Distinct, Expr, FunctionArguments, GroupByExpr, ObjectName, ObjectNamePart, OrderBy,
    OrderByKind, Query as SqlQuery, Select, SelectItem, SetExpr, SetOperator, SetQuantifier,
    TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};
use lakesh_sql::normalized;

use crate::ast::{bare, cte_names, for_each_query, is_literal, select_of};
use crate::evidence::TableFacts;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "union-distinct",
    summary: "UNION removes duplicates that there are none of, or that make no difference.",
    advice: "UNION groups all rows by all columns. UNION ALL does not, and is the same where a literal \
             tells the branches apart and each branch has no duplicates of its own, and where the rows \
             are only looked up, counted as distinct, or reduced to their least or largest.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT max(n) FROM (SELECT customer AS n FROM orders UNION SELECT payer FROM orders) u",
    silent: "SELECT sum(n) FROM (SELECT customer AS n FROM orders UNION SELECT payer FROM orders) u",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    if has_recursion(&evidence.tree) {
        // What a recursion has found before is what ends it.
        return Vec::new();
    }
    let mut unions = Unions {
        evidence,
        changed: 0,
        read_once: read_once(&evidence.tree),
    };
    let mut tree = evidence.tree.clone();
    let _: ControlFlow<()> = VisitMut::visit(&mut tree, &mut unions);
    if unions.changed == 0 {
        return Vec::new();
    }
    let severity = evidence.severity();
    vec![
        Finding::new(
            severity,
            "UNION",
            "UNION groups all its rows to remove duplicates; here UNION ALL gives the same",
        )
        .evidence(format!("{} UNION", unions.changed))
        .gain(2.0)
        .rewrite(tree),
    ]
}

struct Unions<'a> {
    evidence: &'a Evidence,
    changed: usize,
    /// The common table expressions that are read in one place.
    read_once: Vec<String>,
}

impl Unions<'_> {
    /// Turns a UNION into UNION ALL.
    fn keep_all(&mut self, body: &mut SetExpr) {
        match body {
            SetExpr::SetOperation {
                op: SetOperator::Union,
                set_quantifier,
                left,
                right,
            } => {
                if matches!(
                    set_quantifier,
                    SetQuantifier::None | SetQuantifier::Distinct
                ) {
                    *set_quantifier = SetQuantifier::All;
                    self.changed += 1;
                }
                self.keep_all(left);
                self.keep_all(right);
            }
            SetExpr::Query(query) if is_plain(query) => self.keep_all(&mut query.body),
            _ => {}
        }
    }
}

impl VisitorMut for Unions<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::InSubquery { subquery, .. } | Expr::Exists { subquery, .. } = expression
            && is_plain(subquery)
        {
            self.keep_all(&mut subquery.body);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut SqlQuery) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_mut()
            && ignores_duplicates(select)
            && orders_by_result(query.order_by.as_ref(), select)
            && let [table] = select.from.as_mut_slice()
            && let TableFactor::Derived { subquery, .. } = &mut table.relation
            && table.joins.is_empty()
            && is_plain(subquery)
        {
            self.keep_all(&mut subquery.body);
        }
        if let SetExpr::Select(select) = query.body.as_ref()
            && ignores_duplicates(select)
            && orders_by_result(query.order_by.as_ref(), select)
            && let [table] = select.from.as_slice()
            && let TableFactor::Table { name, .. } = &table.relation
            && table.joins.is_empty()
            && let Some(with) = &mut query.with
            && let Some(cte) = with.cte_tables.iter_mut().find(|cte| is_called(name, cte))
            && self.read_once.contains(&normalized(&cte.alias.name))
            && is_plain(&cte.query)
        {
            self.keep_all(&mut cte.query.body);
        }
        if let Some(branches) = branches(&query.body)
            && are_apart(&branches, self.evidence)
        {
            self.keep_all(&mut query.body);
        }
        ControlFlow::Continue(())
    }
}

fn is_plain(query: &SqlQuery) -> bool {
    query.limit_clause.is_none() && query.fetch.is_none()
}

fn has_recursion(tree: &SqlQuery) -> bool {
    let mut found = false;
    for_each_query(tree, &mut |query| {
        found |= query.with.as_ref().is_some_and(|with| with.recursive);
    });
    found
}

/// Says whether ORDER BY, if there is one, goes by nothing but what a SELECT returns.
fn orders_by_result(order: Option<&OrderBy>, select: &Select) -> bool {
    let Some(order) = order else {
        return true;
    };
    let OrderByKind::Expressions(expressions) = &order.kind else {
        return false;
    };
    let returned = |wanted: &Expr| {
        select.projection.iter().any(|item| match item {
            SelectItem::UnnamedExpr(expression) => bare(expression) == bare(wanted),
            SelectItem::ExprWithAlias { expr, alias } => {
                let named = matches!(bare(wanted), Expr::Identifier(name) if name == alias);
                named || bare(expr) == bare(wanted)
            }
            _ => false,
        })
    };
    expressions
        .iter()
        .all(|order| crate::ast::integer(&order.expr).is_some() || returned(&order.expr))
}

/// Says whether duplicates in FROM make no difference to what a SELECT returns.
fn ignores_duplicates(select: &Select) -> bool {
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(keys, modifiers) => {
            // A key may be another value for each row, `random()` for one.
            let plain = |key: &Expr| {
                let name = matches!(bare(key), Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                name || crate::ast::integer(key).is_some()
            };
            if !keys.iter().all(plain) {
                return false;
            }
            !keys.is_empty() && modifiers.is_empty()
        }
        GroupByExpr::All(_) => return false,
    };
    let mut indifferent = true;
    let mut aggregates = 0;
    let items = select.projection.iter();
    for item in items {
        let expression = match item {
            SelectItem::UnnamedExpr(expression)
            | SelectItem::ExprWithAlias {
                expr: expression, ..
            } => expression,
            _ => return false,
        };
        match bare(expression) {
            Expr::Function(function) => {
                let distinct = matches!(&function.args, FunctionArguments::List(list)
                    if list.duplicate_treatment.is_some_and(|treatment| treatment.to_string() == "DISTINCT"));
                let name = function.name.to_string().to_lowercase();
                let least_or_largest =
                    ["min", "max", "bool_and", "bool_or"].contains(&name.as_str());
                aggregates += 1;
                indifferent &= function.over.is_none() && (least_or_largest || distinct);
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {}
            _ => return false,
        }
    }
    let collapses = grouped || aggregates == select.projection.len() && aggregates > 0;
    let distinct = matches!(select.distinct, Some(Distinct::Distinct));
    let filtered = select.having.is_some() || select.qualify.is_some();
    indifferent && !filtered && (collapses || distinct && aggregates == 0)
}

fn is_called(name: &ObjectName, cte: &Cte) -> bool {
    let [ObjectNamePart::Identifier(name)] = name.0.as_slice() else {
        return false;
    };
    normalized(name) == normalized(&cte.alias.name)
}

/// Lists the names of common table expressions that stand in one FROM only.
fn read_once(tree: &SqlQuery) -> Vec<String> {
    struct Relations(Vec<String>);
    impl Visitor for Relations {
        type Break = ();

        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
            if let [ObjectNamePart::Identifier(name)] = name.0.as_slice() {
                self.0.push(normalized(name));
            }
            ControlFlow::Continue(())
        }
    }
    let mut relations = Relations(Vec::new());
    let _: ControlFlow<()> = Visit::visit(tree, &mut relations);
    let uses = |name: &String| relations.0.iter().filter(|other| *other == name).count();
    let mut names = cte_names(tree);
    names.retain(|name| uses(name) == 1);
    names
}

/// Lists the SELECTs of a chain of UNIONs that remove duplicates.
fn branches(body: &SetExpr) -> Option<Vec<&Select>> {
    match body {
        SetExpr::Select(select) => Some(vec![select]),
        SetExpr::SetOperation {
            op: SetOperator::Union,
            set_quantifier: SetQuantifier::None | SetQuantifier::Distinct,
            left,
            right,
        } => {
            let mut all = branches(left)?;
            all.extend(branches(right)?);
            Some(all)
        }
        _ => None,
    }
}

/// Says whether no two branches have a row in common, and none has one twice.
fn are_apart(branches: &[&Select], evidence: &Evidence) -> bool {
    let pairs = branches.iter().enumerate();
    let mut pairs = pairs.flat_map(|(place, left)| {
        let others = branches[place + 1..].iter();
        others.map(move |right| (left, right))
    });
    branches.len() > 1
        && pairs.all(|(left, right)| differ(left, right))
        && branches
            .iter()
            .all(|branch| has_no_duplicates(branch, evidence))
}

/// Says whether two SELECTs have different literals in one column.
fn differ(left: &Select, right: &Select) -> bool {
    let items = left.projection.iter().zip(&right.projection);
    items.into_iter().any(|(left, right)| {
        let (Some(left), Some(right)) = (expression(left), expression(right)) else {
            return false;
        };
        let text = |side: &Expr| crate::ast::text(side).map(str::to_owned);
        let number = |side: &Expr| crate::ast::integer(side);
        let apart = match (text(left), text(right)) {
            (Some(left), Some(right)) => left != right,
            _ => {
                matches!((number(left), number(right)), (Some(left), Some(right)) if left != right)
            }
        };
        apart && is_literal(left) && is_literal(right)
    })
}

fn expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expression)
        | SelectItem::ExprWithAlias {
            expr: expression, ..
        } => Some(expression),
        _ => None,
    }
}

/// Says whether a SELECT returns no row twice: it is DISTINCT, or returns all the keys of its groups.
fn has_no_duplicates(select: &Select, evidence: &Evidence) -> bool {
    matches!(select.distinct, Some(Distinct::Distinct)) || returns_all_keys(select, evidence)
}

/// Says whether a SELECT is grouped and returns all keys.
pub(super) fn returns_all_keys(select: &Select, evidence: &Evidence) -> bool {
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
        return false;
    };
    let scope = SelectScope::of(select, evidence);
    let items: Vec<&Expr> = select.projection.iter().filter_map(expression).collect();
    let place = |expression: &Expr| {
        let column = scope.column(expression)?;
        Some((column.relation, column.field.name()))
    };
    // A name is that of an item only where no table has a column of that name.
    let named = |key: &Expr| {
        let Expr::Identifier(key) = bare(key) else {
            return false;
        };
        let named = select.projection.iter().any(|item| {
            matches!(item, SelectItem::ExprWithAlias { alias, .. }
                if normalized(alias) == normalized(key))
        });
        let columns = |table: &TableFacts| table.field(&normalized(key)).is_some();
        let mut relations = scope.relations.iter();
        named && relations.all(|relation| relation.table.is_some_and(|table| !columns(table)))
    };
    let returned = |key: &Expr| {
        let by_place = crate::ast::integer(key)
            .and_then(|place| usize::try_from(place).ok())
            .is_some_and(|place| (1..=items.len()).contains(&place));
        let same = |item: &&Expr| {
            bare(item) == bare(key) || place(key).is_some() && place(item) == place(key)
        };
        by_place || items.iter().any(same) || named(key)
    };
    let plain = modifiers.is_empty()
        && !keys
            .iter()
            .any(|key| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)));
    // One row of a group becomes several by unnest.
    let expands = items
        .iter()
        .any(|item| item.to_string().to_lowercase().contains("unnest("));
    plain && !expands && !keys.is_empty() && keys.iter().all(returned)
}

/// Returns the body of a subquery that is looked up in, if it is one SELECT.
pub(super) fn looked_up(query: &SqlQuery) -> Option<&Select> {
    select_of(query).filter(|_| is_plain(query))
}
