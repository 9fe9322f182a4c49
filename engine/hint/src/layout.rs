//! Statements that write a table anew in another layout.

use super::evidence::{Evidence, TableFacts};
use lakesh_text::keyword::quoted_name;

/// The size of the files of copies: large enough to be read in a few pieces.
pub(crate) fn whole_file(evidence: &Evidence) -> u64 {
    evidence.thresholds.file_bytes.max(16 << 20)
}

/// Writes `CREATE TABLE name_suffix AS SELECT * FROM name ORDER BY …`.
pub(crate) fn rewritten_table(table: &TableFacts, suffix: &str, order: &[String]) -> String {
    let name = quoted_name(&format!("{}_{suffix}", table.visible));
    let order: Vec<String> = order.iter().map(|column| quoted_name(column)).collect();
    let order = match order.is_empty() {
        true => String::new(),
        false => format!(" ORDER BY {}", order.join(", ")),
    };
    format!("CREATE TABLE {name} AS SELECT * FROM {}{order}", table.name)
}

/// Writes the statement that puts a table's small files together.
pub(crate) fn compacted(table: &TableFacts) -> String {
    match table.is_delta() && !table.has_version {
        true => format!("OPTIMIZE {}", table.name),
        false => rewritten_table(table, "whole", &[]),
    }
}

/// Writes the statement that cuts a table into row groups of a good size, with an index of their pages.
pub(crate) fn regrouped(table: &TableFacts) -> String {
    match table.is_delta() {
        true => rewritten_table(table, "grouped", &[]),
        false => copied(
            table,
            "grouped",
            &format!("max_row_group_size {GROUP_ROWS}"),
        ),
    }
}

/// Writes the statement that copies a table into a Parquet file with an option.
pub(crate) fn copied(table: &TableFacts, suffix: &str, option: &str) -> String {
    format!(
        "COPY (SELECT * FROM {}) TO '{}_{suffix}.parquet' (FORMAT parquet, {option})",
        table.name,
        table.visible.replace('\'', "''")
    )
}

/// Rows of a row group where a layout does not say it.
pub(crate) const GROUP_ROWS: usize = 128 * 1024;

/// Writes the statement that orders a table's rows by a column.
pub(crate) fn clustered(table: &TableFacts, column: &str) -> String {
    match table.is_delta() && !table.has_version {
        true => format!(
            "OPTIMIZE {} ZORDER BY ({})",
            table.name,
            quoted_name(column)
        ),
        false => rewritten_table(table, "ordered", &[column.to_owned()]),
    }
}
