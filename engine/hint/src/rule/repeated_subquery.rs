//! A subquery that is computed more than once.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, OptimizerHint, Query as SqlQuery, Select, SetExpr,
    TableAlias, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
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

/// Says whether a query does more than read rows, and does not keep them already.
fn works(query: &SqlQuery) -> bool {
    if matches!(query.body.as_ref(), SetExpr::SetOperation { .. }) {
        return true;
    }
    let Some(select) = select_of(query) else {
        return false;
    };
    if select.optimizer_hints.iter().any(materializes) {
        return false;
    }
    let joins = select.from.len() > 1 || select.from.iter().any(|from| !from.joins.is_empty());
    joins || select.distinct.is_some() || select.visit(&mut Grouping).is_break()
}

/// Says whether a hint comment asks to keep rows.
fn materializes(hint: &OptimizerHint) -> bool {
    let mut words = hint
        .text
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.any(|word| word.eq_ignore_ascii_case("materialize"))
}

/// Stops at what groups rows or looks at several of them, also in a subquery.
struct Grouping;

impl Visitor for Grouping {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        match &select.group_by {
            GroupByExpr::Expressions(keys, modifiers)
                if keys.is_empty() && modifiers.is_empty() =>
            {
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) if function.over.is_some() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::works;
    use crate::text::readable;

    #[track_caller]
    fn check(sql: &str, expected: bool) {
        let query = lakesh_sql::parse_query(sql).unwrap();
        let (tree, _) = readable(&query).unwrap();
        assert_eq!(works(&tree), expected, "{sql}");
    }

    #[test]
    fn work_is_seen_in_the_tree() {
        check("SELECT a FROM t", false);
        check("SELECT a FROM t WHERE a > 1 ORDER BY a", false);
        check("SELECT DISTINCT a FROM t", true);
        check("SELECT a FROM t UNION SELECT a FROM u", true);
        check("SELECT t.a FROM t JOIN u ON t.a = u.a", true);
        check("SELECT a, count(*) FROM t GROUP BY a", true);
        check("SELECT a, count(*) FROM t GROUP BY ALL", true);
        check("SELECT a, sum(b) OVER (PARTITION BY a) FROM t", true);
        check("SELECT a FROM (SELECT a FROM t GROUP BY a) AS s", true);
    }

    #[test]
    fn words_in_texts_and_names_are_no_work() {
        check("SELECT ' OVER ', ' GROUP BY ' FROM t", false);
        check("SELECT \" OVER \" FROM t", false);
        check("SELECT a, count(*) AS materialize FROM t GROUP BY a", true);
        check("SELECT 'materialize', a FROM t GROUP BY a", true);
    }

    #[test]
    fn rows_that_are_kept_already_are_no_work() {
        check(
            "SELECT /*+ MATERIALIZE */ a, count(*) FROM t GROUP BY a",
            false,
        );
        check("SELECT /*+ materialize */ DISTINCT a FROM t", false);
        check("SELECT /*+ COALESCE(3) */ DISTINCT a FROM t", true);
    }
}
