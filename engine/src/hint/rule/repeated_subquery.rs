//! A subquery that is computed more than once.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, Query as SqlQuery, SetExpr, TableAlias, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};

use crate::hint::ast::select_of;
use crate::hint::finding::{Remedy, Severity};
use crate::hint::{Evidence, Finding, Rule};
use crate::scope::normalized;

pub(super) static RULE: Rule = Rule {
    name: "repeated-subquery",
    summary: "The same subquery is computed more than once.",
    advice: "A common table expression is computed anew wherever it is named, and so are two subqueries \
             of the same text. Compute it once: keep its rows in a table and read that.",
    measured: false,
    setup: super::ORDERS,
    fires: "WITH spent AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) \
            SELECT a.customer FROM spent a JOIN spent b ON a.total = b.total AND a.customer < b.customer",
    silent: "WITH spent AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) \
             SELECT customer FROM spent WHERE total > 10",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let found = repeated_cte(&evidence.tree).or_else(|| repeated_derived(&evidence.tree));
    let Some(repeated) = found else {
        return Vec::new();
    };
    let severity = match evidence.reads_much() {
        true => Severity::Advice,
        false => Severity::Info,
    };
    let text = format!(
        "{} is computed {} times",
        repeated.described, repeated.times
    );
    vec![
        Finding::new(severity, "query", text)
            .gain(repeated.times as f64 * 0.9)
            .remedy(Remedy::Once {
                name: repeated.name,
                body: Box::new(repeated.body),
                tree: Box::new(repeated.tree),
            }),
    ]
}

struct Repeated {
    described: String,
    times: usize,
    name: Ident,
    body: SqlQuery,
    tree: SqlQuery,
}

/// Finds a common table expression that is named more than once and does some work.
fn repeated_cte(tree: &SqlQuery) -> Option<Repeated> {
    let with = tree.with.as_ref().filter(|with| !with.recursive)?;
    for (place, cte) in with.cte_tables.iter().enumerate() {
        let times = mentions(tree, &cte.alias.name);
        if times < 2 || !works(&cte.query) || !cte.alias.columns.is_empty() {
            continue;
        }
        let mut body = cte.query.as_ref().clone();
        if body.with.is_some() {
            continue;
        }
        let earlier = &with.cte_tables[..place];
        let needed: Vec<_> = earlier
            .iter()
            .filter(|earlier| mentions(&body, &earlier.alias.name) > 0)
            .cloned()
            .collect();
        // What an earlier one is made of would have to come along.
        let nested = needed.iter().any(|one| {
            earlier
                .iter()
                .any(|other| mentions(&one.query, &other.alias.name) > 0)
        });
        if nested {
            continue;
        }
        if !needed.is_empty() {
            let mut with = with.clone();
            with.cte_tables = needed;
            body.with = Some(with);
        }
        let name = Ident::new(format!("{}_once", normalized(&cte.alias.name)));
        let mut changed = tree.clone();
        if let Some(with) = &mut changed.with {
            with.cte_tables.remove(place);
            if with.cte_tables.is_empty() {
                changed.with = None;
            }
        }
        rename(&mut changed, &cte.alias.name, &name);
        return Some(Repeated {
            described: format!("`{}`", cte.alias.name),
            times,
            name,
            body,
            tree: changed,
        });
    }
    None
}

/// Finds a subquery in FROM whose text stands there more than once.
fn repeated_derived(tree: &SqlQuery) -> Option<Repeated> {
    struct Derived(Vec<SqlQuery>);
    impl Visitor for Derived {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Derived {
                subquery,
                lateral: false,
                ..
            } = factor
            {
                self.0.push(subquery.as_ref().clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut derived = Derived(Vec::new());
    let _: ControlFlow<()> = tree.visit(&mut derived);
    let all = derived.0;
    let ctes = crate::hint::ast::cte_names(tree);
    let body = all.iter().find(|one| {
        let alone = ctes.iter().all(|cte| mentions(one, &Ident::new(cte)) == 0);
        all.iter().filter(|other| other == one).count() > 1 && works(one) && alone
    })?;
    let times = all.iter().filter(|other| *other == body).count();
    let name = Ident::new("subquery_once");
    let mut changed = tree.clone();
    let _: ControlFlow<()> = VisitMut::visit(&mut changed, &mut Replace { body, name: &name });
    Some(Repeated {
        described: "a subquery in FROM".to_owned(),
        times,
        name,
        body: body.clone(),
        tree: changed,
    })
}

struct Replace<'a> {
    body: &'a SqlQuery,
    name: &'a Ident,
}

impl VisitorMut for Replace<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived {
            subquery, alias, ..
        } = factor
            && subquery.as_ref() == self.body
        {
            *factor = table(self.name.clone(), alias.take());
        }
        ControlFlow::Continue(())
    }
}

fn table(name: Ident, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Table {
        name: ObjectName::from(vec![name]),
        alias,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// Says whether a query does more than read rows.
fn works(query: &SqlQuery) -> bool {
    match query.body.as_ref() {
        SetExpr::SetOperation { .. } => true,
        _ => select_of(query).is_some_and(|select| {
            let text = select.to_string().to_uppercase();
            let joins =
                select.from.len() > 1 || select.from.iter().any(|from| !from.joins.is_empty());
            joins
                || select.distinct.is_some()
                || text.contains(" GROUP BY ")
                || text.contains(" OVER ")
                || select.selection.is_some()
        }),
    }
}

/// Counts how often a table of this name stands in FROM.
fn mentions(tree: &SqlQuery, name: &Ident) -> usize {
    struct Mentions {
        name: String,
        count: usize,
    }
    impl Visitor for Mentions {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table { name, .. } = factor
                && is_named(name, &self.name)
            {
                self.count += 1;
            }
            ControlFlow::Continue(())
        }
    }
    let mut mentions = Mentions {
        name: normalized(name),
        count: 0,
    };
    let _: ControlFlow<()> = tree.visit(&mut mentions);
    mentions.count
}

fn is_named(name: &ObjectName, wanted: &str) -> bool {
    matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|part| normalized(part) == wanted))
}

/// Renames a table in FROM; columns stay qualified by its old name.
fn rename(tree: &mut SqlQuery, from: &Ident, to: &Ident) {
    struct Rename<'a> {
        from: &'a Ident,
        to: &'a Ident,
    }
    impl VisitorMut for Rename<'_> {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table { name, alias, .. } = factor
                && is_named(name, &normalized(self.from))
            {
                *name = ObjectName::from(vec![self.to.clone()]);
                alias.get_or_insert_with(|| TableAlias {
                    explicit: true,
                    name: self.from.clone(),
                    columns: Vec::new(),
                    at: None,
                });
            }
            ControlFlow::Continue(())
        }
    }
    let _: ControlFlow<()> = VisitMut::visit(tree, &mut Rename { from, to });
}
