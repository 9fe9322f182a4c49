//! Files that say nothing of the column that is filtered.

use datafusion::sql::sqlparser::ast::{Expr, Select};

use crate::ast::columns;
use crate::evidence::TableFacts;
use crate::finding::{CopyLayout, Remedy};
use crate::layout::rewritten_table;
use crate::rewrite::filters;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule, first_in_selects};

pub(super) static RULE: Rule = Rule {
    name: "missing-statistics",
    summary: "A filter asks for a column of which the files have no statistics.",
    advice: "Without the smallest and the largest value no row group can be left out. Write the file anew, \
             ordered by the column if it is filtered often.",
    measured: false,
    setup: super::lakes::WITHOUT_STATISTICS,
    fires: "SELECT sum(amount) AS amount FROM './bare.parquet' WHERE id = 77",
    silent: "SELECT sum(amount) AS amount FROM events WHERE id = 77",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    first_in_selects(evidence, of_select)
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let conditions: Vec<&Expr> = filters(select);
    let names = conditions.into_iter().filter_map(columns).flatten();
    let mut filtered = names.filter_map(|name| scope.column(&name));
    let column = filtered
        .find(|column| !column.is_partition() && has_none(column.table, column.field.name()))?;
    let (table, name) = (column.table, column.field.name());
    let severity = evidence.severity_of(table);
    Some(
        Finding::new(
            severity,
            table.name.clone(),
            format!("the files have no statistics of `{name}`, so that the filter skips nothing"),
        )
        .evidence(format!("{} files were looked at", table.footers.len()))
        .gain(1.5)
        .remedy(Remedy::Layout {
            statement: rewritten_table(table, "ordered", std::slice::from_ref(name)),
            table: table.name.clone(),
            copy: CopyLayout {
                order: vec![name.clone()],
                ..CopyLayout::default()
            },
        }),
    )
}

/// Says whether no row group of the files that were looked at has statistics of a column.
fn has_none(table: &TableFacts, column: &str) -> bool {
    let chunks = table.footers.iter().flat_map(|footer| {
        let groups = footer.row_groups().iter();
        groups.flat_map(|group| group.columns())
    });
    let mut of_column = chunks
        .filter(|chunk| chunk.column_path().parts() == [column])
        .peekable();
    of_column.peek().is_some() && of_column.all(|chunk| chunk.statistics().is_none())
}
