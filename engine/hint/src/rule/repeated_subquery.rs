//! A subquery that is computed more than once.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, Query as SqlQuery, SetExpr, TableAlias, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};
use lakesh_sql::normalized;

use crate::ast::select_of;
use crate::rewrite::hint;
use crate::text::{query_text, readable};
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "repeated-subquery",
    summary: "The same subquery is computed more than once.",
    advice: "A common table expression is computed anew wherever it is named, and so are two subqueries \
             of the same text. MATERIALIZE computes it once and keeps its rows for the others, in memory or in \
             temporary files.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "WITH spent AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) \
            SELECT a.customer FROM spent a JOIN spent b ON a.total = b.total AND a.customer < b.customer",
    silent: "WITH spent AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) \
             SELECT customer FROM spent WHERE total > 10",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let found = repeated_cte(evidence).or_else(|| repeated_derived(evidence));
    let Some(repeated) = found else {
        return Vec::new();
    };
    let severity = evidence.severity();
    let text = format!(
        "{} is computed {} times",
        repeated.described, repeated.times
    );
    let finding = Finding::new(severity, "query", text).gain(repeated.times as f64 * 0.9);
    vec![match repeated.tree {
        Some(tree) => finding.keeping(tree),
        None => finding,
    }]
}

struct Repeated {
    described: String,
    times: usize,
    /// The query with rows that are kept.
    tree: Option<SqlQuery>,
}

/// Finds a common table expression that is named more than once and does some work.
fn repeated_cte(evidence: &Evidence) -> Option<Repeated> {
    let tree = &evidence.tree;
    let with = tree.with.as_ref().filter(|with| !with.recursive)?;
    for (place, cte) in with.cte_tables.iter().enumerate() {
        let times = mentions(tree, &cte.alias.name);
        if (times as u64) < evidence.thresholds.repeats || !works(&cte.query) {
            continue;
        }
        let mut changed = tree.clone();
        if let Some(cte) = changed
            .with
            .as_mut()
            .and_then(|with| with.cte_tables.get_mut(place))
        {
            *cte.query = kept(&cte.query)?;
        }
        return Some(Repeated {
            described: format!("`{}`", cte.alias.name),
            times,
            tree: Some(changed),
        });
    }
    None
}

/// Finds a subquery in FROM whose text stands there more than once.
fn repeated_derived(evidence: &Evidence) -> Option<Repeated> {
    let tree = &evidence.tree;
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
    let ctes = crate::ast::cte_names(tree);
    let body = all.iter().find(|one| {
        let alone = ctes.iter().all(|cte| mentions(one, &Ident::new(cte)) == 0);
        let times = all.iter().filter(|other| other == one).count();
        times as u64 >= evidence.thresholds.repeats && works(one) && alone
    })?;
    let times = all.iter().filter(|other| *other == body).count();
    Some(Repeated {
        described: "a subquery in FROM".to_owned(),
        times,
        tree: with_name(tree, body),
    })
}

/// Gives a subquery that stands in FROM more than once a name, under which its rows are kept.
fn with_name(tree: &SqlQuery, body: &SqlQuery) -> Option<SqlQuery> {
    let name = Ident::new("subquery_once");
    let text = format!("WITH {name} AS ({}) SELECT 1", query_text(&kept(body)?));
    let (with_it, _) = readable(&lakesh_sql::parse_query(&text).ok()?)?;
    let mut changed = tree.clone();
    let _: ControlFlow<()> = VisitMut::visit(&mut changed, &mut Replace { body, name: &name });
    let added = with_it.with?;
    match &mut changed.with {
        Some(with) => with
            .cte_tables
            .splice(0..0, added.cte_tables)
            .for_each(drop),
        None => changed.with = Some(added),
    }
    Some(changed)
}

/// Asks a query to keep its rows for all that read it.
fn kept(query: &SqlQuery) -> Option<SqlQuery> {
    let mut query = query.clone();
    let simple = query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    if simple && let SetExpr::Select(select) = query.body.as_mut() {
        hint(select, "MATERIALIZE");
        return Some(query);
    }
    let text = format!(
        "SELECT /*+ MATERIALIZE */ * FROM ({}) AS kept",
        query_text(&query)
    );
    readable(&lakesh_sql::parse_query(&text).ok()?).map(|(tree, _)| tree)
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
            if text.contains("MATERIALIZE") {
                return false;
            }
            let joins =
                select.from.len() > 1 || select.from.iter().any(|from| !from.joins.is_empty());
            joins
                || select.distinct.is_some()
                || text.contains(" GROUP BY ")
                || text.contains(" OVER ")
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
