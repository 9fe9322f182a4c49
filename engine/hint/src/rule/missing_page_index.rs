//! A search in files whose pages have no index.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Select};

use crate::ast::comparison;
use crate::evidence::TableFacts;
use crate::finding::{CopyLayout, Remedy};
use crate::layout::regrouped;
use crate::rewrite::filters;
use crate::scans::{ranges, span};
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule, first_in_selects};

pub(super) static RULE: Rule = Rule {
    name: "missing-page-index",
    summary: "A search by a column in whose order the rows lie reads whole row groups: the files have no page index.",
    advice: "A page index tells the least and largest value of every page of about twenty thousand rows, so \
             that a search reads pages and not row groups. Some writers leave it out unless they are told to \
             write it; lakesh writes it.",
    measured: false,
    setup: super::lakes::WITHOUT_PAGE_INDEX,
    fires: "SELECT amount FROM './unpaged.parquet' WHERE id = 77",
    silent: "SELECT amount FROM './paged.parquet' WHERE id = 77",
    inspect,
};

/// The rows of a page, about.
const PAGE_ROWS: u64 = 20_000;

/// Row groups of fewer rows have hardly more than a page.
const SMALL: u64 = 2 * PAGE_ROWS;

/// So many times the width of the column all row groups together may have, if they are to lie in its order.
const ORDERED: f64 = 1.2;

/// A search that leaves more rows than this reads most pages anyway.
const SHARE_OF_ROWS: f64 = 0.1;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    first_in_selects(evidence, of_select)
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let searched = filters(select).into_iter().filter_map(|condition| {
        let found = comparison(condition).filter(|found| found.op != BinaryOperator::NotEq)?;
        let column = scope.column(found.left)?;
        let selective = evidence.selectivity(column.table, condition, &scope) <= SHARE_OF_ROWS;
        (selective && !column.is_partition()).then_some(column)
    });
    let column = searched
        .into_iter()
        .find(|column| is_ordered(column.table, column.field.name(), evidence))?;
    let (table, name) = (column.table, column.field.name());
    let rows = rows_of_group(table);
    if rows < SMALL || !lacks_index(table, name) {
        return None;
    }
    Some(
        Finding::new(
            evidence.severity_of(table),
            table.name.clone(),
            format!(
                "a search by `{name}` reads row groups of {rows} rows: the pages have no index"
            ),
        )
        .evidence(format!(
            "rows lie in the order of `{name}`; a page has about {PAGE_ROWS} rows"
        ))
        .gain((rows as f64 / PAGE_ROWS as f64).sqrt().clamp(1.0, 4.0))
        .remedy(Remedy::Layout {
            statement: regrouped(table),
            table: table.name.clone(),
            copy: CopyLayout::default(),
        }),
    )
}

/// Says whether the row groups follow each other in a column's order.
fn is_ordered(table: &TableFacts, column: &str, evidence: &Evidence) -> bool {
    let ranges = ranges(table, &evidence.scans, column);
    let Some((low, high)) = span(&ranges).filter(|_| ranges.len() > 1) else {
        return false;
    };
    let covered: f64 = ranges.iter().map(|(low, high)| high - low).sum();
    high > low && covered <= ORDERED * (high - low)
}

fn rows_of_group(table: &TableFacts) -> u64 {
    let groups = table.footers.iter().flat_map(|footer| footer.row_groups());
    let (count, rows) = groups.fold((0, 0), |(count, rows), group| {
        (count + 1, rows + group.num_rows().unsigned_abs())
    });
    rows / u64::max(count, 1)
}

/// Says whether footers were looked at and none knows where an index of a column's pages is.
fn lacks_index(table: &TableFacts, column: &str) -> bool {
    let groups = table.footers.iter().flat_map(|footer| footer.row_groups());
    let mut chunks = groups
        .flat_map(|group| group.columns())
        .filter(|chunk| chunk.column_path().parts() == [column])
        .peekable();
    chunks.peek().is_some() && chunks.all(|chunk| chunk.column_index_offset().is_none())
}
