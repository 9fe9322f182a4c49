//! Changes that the library's own operations cannot express, as a merge on what the rows hold.
//!
//! Whether a row is changed, and to what, depends on nothing but the columns that the statement
//! mentions and on other tables. So rows that agree in those columns share their fate: a query over
//! the table gives each distinct combination that is to be changed once, and a merge finds the rows
//! again by it. Two different new values for one combination mean that the statement is ambiguous,
//! which the merge refuses.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, binary_expr, lit};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, SelectItem, Visit, Visitor};
use lakesh_text::erased::Erased;

use super::{Changes, MergeChange, MergeClause, Target};

/// The names of the two sides in the merge; no user's table can be called so.
const TARGET: &str = "__lakesh_target";
const SOURCE: &str = "__lakesh_source";

/// The columns by which a merge finds rows again, and the new values beside them.
pub(crate) struct ContentKey {
    columns: Vec<String>,
}

impl ContentKey {
    /// Takes the table's columns that a statement mentions.
    pub(crate) fn new(target: &Target, mentioned: &HashSet<String>) -> Self {
        let schema = target.schema();
        let mut columns: Vec<String> = schema
            .fields()
            .iter()
            .filter(|field| mentioned.contains(&field.name().to_lowercase()))
            .map(|field| field.name().clone())
            .collect();
        if columns.is_empty() {
            // The statement treats all rows alike; any column finds them.
            columns.extend(schema.fields().first().map(|field| field.name().clone()));
        }
        Self { columns }
    }

    /// Returns the key's columns as the query selects them: `t.a AS k0, …`.
    pub(crate) fn selected(&self, table: &Ident) -> Vec<SelectItem> {
        self.columns
            .iter()
            .enumerate()
            .map(|(index, column)| SelectItem::ExprWithAlias {
                expr: SqlExpr::CompoundIdentifier(vec![
                    table.clone(),
                    Ident::with_quote('"', column),
                ]),
                alias: Ident::with_quote('"', key_name(index)),
            })
            .collect()
    }

    /// Returns a new value as the query selects it.
    pub(crate) fn selected_value(index: usize, value: &SqlExpr) -> SelectItem {
        SelectItem::ExprWithAlias {
            expr: value.clone(),
            alias: Ident::with_quote('"', value_name(index)),
        }
    }

    /// Returns a new value as the merge finds it in the source.
    pub(crate) fn value(index: usize) -> Expr {
        Expr::Column(Column::new(
            Some(TableReference::bare(SOURCE)),
            value_name(index),
        ))
    }

    /// Makes the merge of the query's rows with the table.
    pub(crate) fn merge(
        &self,
        source: Erased<LogicalPlan>,
        clause: MergeClause,
        counts: fn(Changes) -> Changes,
    ) -> MergeChange {
        MergeChange {
            target_name: TARGET.to_owned(),
            source_name: SOURCE.to_owned(),
            source,
            on: self.on().unwrap_or_else(|| lit(true)),
            clauses: vec![clause],
            evolves: false,
            counts,
        }
    }

    /// Returns the condition under which rows of the two sides belong together; NULL equals NULL.
    fn on(&self) -> Option<Expr> {
        self.columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let side = |name: &str, column: String| {
                    Expr::Column(Column::new(Some(TableReference::bare(name)), column))
                };
                binary_expr(
                    side(TARGET, column.clone()),
                    Operator::IsNotDistinctFrom,
                    side(SOURCE, key_name(index)),
                )
            })
            .reduce(Expr::and)
    }
}

fn key_name(index: usize) -> String {
    format!("__lakesh_k{index}")
}

fn value_name(index: usize) -> String {
    format!("__lakesh_v{index}")
}

/// Returns every name in a piece of a syntax tree, in lower case. More than the columns that matter
/// does no harm; the names in subqueries count, because those can reach out.
pub(crate) fn mentioned_columns<T: Visit>(trees: &[&T]) -> HashSet<String> {
    struct Names(HashSet<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &SqlExpr) -> ControlFlow<()> {
            match expression {
                SqlExpr::Identifier(name) => {
                    self.0.insert(name.value.to_lowercase());
                }
                SqlExpr::CompoundIdentifier(names) => {
                    self.0
                        .extend(names.iter().map(|name| name.value.to_lowercase()));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(HashSet::new());
    for tree in trees {
        // The visitor never breaks off.
        let _: ControlFlow<()> = tree.visit(&mut names);
    }
    names.0
}
