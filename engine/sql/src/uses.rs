//! How many relations a query reads once each CTE stands where it is used.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::ptr;

use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

use crate::normalized;

/// Counts the relations that planning a statement writes out: of fourteen CTEs that use each other twice
/// the last one stands for sixteen thousand.
#[must_use]
pub fn relations(statement: &ParsedStatement) -> u64 {
    match statement {
        ParsedStatement::Statement(statement) => count(statement.as_ref()),
        ParsedStatement::Explain(explain) => relations(&explain.statement),
        ParsedStatement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => count(query.as_ref()),
            CopyToSource::Relation(_) => 1,
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => 0,
    }
}

fn count(tree: &impl Visit) -> u64 {
    let mut uses = Uses::default();
    let ControlFlow::Continue(()) = tree.visit(&mut uses);
    uses.total
}

/// A query that is being counted.
#[derive(Default)]
struct Frame {
    /// What had been counted when it began.
    before: u64,
    /// The names of its CTEs, by where their queries lie in the tree.
    defined: HashMap<*const Query, String>,
    /// What those of its CTEs stand for that have been counted.
    counted: HashMap<String, u64>,
}

#[derive(Default)]
struct Uses {
    /// The queries around, innermost last.
    frames: Vec<Frame>,
    total: u64,
}

impl Visitor for Uses {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Infallible> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.frames.push(Frame {
            before: self.total,
            defined: ctes
                .map(|cte| (ptr::from_ref(&*cte.query), normalized(&cte.alias.name)))
                .collect(),
            counted: HashMap::new(),
        });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Infallible> {
        let Some(ended) = self.frames.pop() else {
            return ControlFlow::Continue(());
        };
        if let Some(around) = self.frames.last_mut()
            && let Some(name) = around.defined.get(&ptr::from_ref(query))
        {
            // It counts where it is used.
            let stands_for = self.total.saturating_sub(ended.before);
            around.counted.insert(name.clone(), stands_for);
            self.total = ended.before;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Infallible> {
        let name = match relation.0.as_slice() {
            [part] => part.as_ident().map(normalized),
            _ => None,
        };
        let stands_for = name.and_then(|name| {
            let mut frames = self.frames.iter().rev();
            frames.find_map(|frame| frame.counted.get(&name).copied())
        });
        // A use is an operator of its own, whatever it stands for.
        let operators = stands_for.unwrap_or(0).saturating_add(1);
        self.total = self.total.saturating_add(operators);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::relations;
    use crate::parse_query;

    #[track_caller]
    fn check(text: &str, expected: u64) {
        let query = parse_query(text).expect("it parses");
        assert_eq!(relations(&query.tree), expected, "{text}");
    }

    #[test]
    fn each_cte_counts_as_often_as_it_is_used() {
        check("SELECT 1", 0);
        check("SELECT * FROM a, b WHERE x IN (SELECT y FROM c)", 3);
        check("WITH c AS (SELECT * FROM a, b) SELECT * FROM c x, c y", 6);
        check(
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
            2,
        );
    }

    #[test]
    fn what_doubles_is_counted_at_once() {
        let ctes = (1..=100).map(|level| {
            let below = level - 1;
            format!(", c{level} AS (SELECT 1 FROM c{below} x, c{below} y)")
        });
        let ctes: String = ctes.collect();
        let text = format!("WITH c0 AS (SELECT 1){ctes} SELECT * FROM c100");
        check(&text, u64::MAX);
    }
}
