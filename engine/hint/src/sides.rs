//! Which tables of the query's text a node of the plan reads, and hint comments that name them.

use datafusion::sql::sqlparser::ast::{Ident, Query as SqlQuery};

use super::evidence::{Evidence, TableFacts};
use super::rewrite::{self, Change};

impl Evidence {
    /// Lists the tables that the part of the plan below a node reads, in the plan's order.
    ///
    /// Nodes of the plan and operators of an observation have the same numbers.
    pub(crate) fn tables_below(&self, number: usize) -> Vec<&TableFacts> {
        let Some(top) = self.nodes.get(number) else {
            return Vec::new();
        };
        let below = format!("{}.", top.path);
        let mut found: Vec<(usize, &TableFacts)> = self
            .tables
            .iter()
            .filter_map(|table| Some((self.scans.get(table.scan?)?.node, table)))
            .filter(|(scan, _)| {
                let path = &self.nodes[*scan].path;
                *scan == number || path.starts_with(&below)
            })
            .collect();
        found.sort_by_key(|(scan, _)| *scan);
        found.into_iter().map(|(_, table)| table).collect()
    }

    /// Puts a hint comment into the SELECT that has all of some tables in its FROM, each once; the
    /// words are made of what the tables are called there.
    pub(crate) fn hinted(
        &self,
        tables: &[&TableFacts],
        words: impl Fn(&[&Ident]) -> String,
    ) -> Option<SqlQuery> {
        let mut is_done = false;
        let rewritten = rewrite::selects(self, |select, scope| {
            let names: Option<Vec<&Ident>> = tables
                .iter()
                .map(|table| {
                    let mut same = scope
                        .relations
                        .iter()
                        .filter(|relation| relation.table.is_some_and(|it| it.name == table.name));
                    let first = same.next()?;
                    same.next().is_none().then_some(&first.visible)
                })
                .collect();
            let Some(names) = names.filter(|_| !is_done && !tables.is_empty()) else {
                return Vec::new();
            };
            is_done = true;
            let words = words(&names);
            rewrite::hint(select, &words);
            vec![Change {
                before: String::new(),
                after: words,
                table: None,
            }]
        })?;
        Some(rewritten.tree)
    }
}
