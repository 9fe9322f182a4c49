//! A search for one value in files that have no bloom filter.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Select};

use crate::ast::comparison;
use crate::evidence::TableFacts;
use crate::finding::{CopyLayout, Remedy};
use crate::layout::copied;
use crate::rewrite::filters;
use crate::scans::{ranges, share_of_a_point};
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule, first_in_selects};

pub(super) static RULE: Rule = Rule {
    name: "point-lookup",
    summary: "A search for one value of a text column, which every row group could hold: the files have no bloom filter.",
    advice: "A bloom filter answers for each row group whether it can hold a value, also where the values lie \
             everywhere and ordering by the column would spoil another order. \
             `bloom_filter_on_write` writes them.",
    measured: false,
    setup: super::lakes::KEYS,
    fires: "SELECT amount FROM './keys.parquet' WHERE code = 'c000077'",
    silent: "SELECT amount FROM './keys.parquet' WHERE id = 77",
    inspect,
};

/// Row groups from which on skipping them is worth a filter.
const GROUPS: usize = 4;

/// A search that reads less than this skips well enough.
const SHARE_OF_PARTS: f64 = 0.5;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    first_in_selects(evidence, of_select)
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let conditions: Vec<&Expr> = filters(select);
    let searched = conditions.into_iter().filter_map(|condition| {
        let found = comparison(condition).filter(|found| found.op == BinaryOperator::Eq)?;
        scope.column(found.left)
    });
    let column = searched
        .filter(|column| {
            matches!(
                column.data_type(),
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            )
        })
        .find(|column| !column.is_partition())?;
    let (table, name) = (column.table, column.field.name());
    let share = share_of_a_point(&ranges(table, &evidence.scans, name))?;
    if share < SHARE_OF_PARTS || !lacks_filter(table, name) || table.is_delta() {
        return None;
    }
    let severity = evidence.severity_of(table);
    let mean = table.estimated_rows() / table.files.files.len().max(1) as u64;
    Some(
        Finding::new(
            severity,
            table.name.clone(),
            format!(
                "a search for one `{name}` reads nearly every row group: there is no bloom filter"
            ),
        )
        .evidence(format!(
            "{:.0} % of the row groups can hold a value",
            share * 100.0
        ))
        .gain(1.4)
        .remedy(Remedy::Layout {
            statement: copied(table, "bloom", "bloom_filter_on_write true"),
            table: table.name.clone(),
            copy: CopyLayout {
                bloom: Some(name.clone()),
                group_rows: usize::try_from(mean / GROUPS as u64)
                    .ok()
                    .map(|rows| rows.clamp(4096, 128 * 1024)),
                ..CopyLayout::default()
            },
        }),
    )
}

/// Says whether row groups enough were looked at and none has a bloom filter of a column.
fn lacks_filter(table: &TableFacts, column: &str) -> bool {
    let groups = table.footers.iter().flat_map(|footer| footer.row_groups());
    let chunks: Vec<_> = groups
        .flat_map(|group| group.columns())
        .filter(|chunk| chunk.column_path().parts() == [column])
        .collect();
    chunks.len() >= GROUPS
        && chunks
            .iter()
            .all(|chunk| chunk.bloom_filter_offset().is_none())
}
