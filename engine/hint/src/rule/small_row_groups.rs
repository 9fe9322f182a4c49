//! Row groups of a few rows each.

use crate::finding::{CopyLayout, Remedy};
use crate::layout::compacted;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "small-row-groups",
    summary: "Parquet files are cut into many small row groups.",
    advice: "Each row group has its own pages, dictionaries and statistics for every column. About a \
             hundred thousand rows are a good size: small enough to be skipped, large enough to be read \
             in one go.",
    measured: false,
    setup: super::lakes::SMALL_GROUPS,
    fires: "SELECT sum(id) AS ids FROM './groups.parquet'",
    silent: "SELECT sum(id) AS ids FROM events",
    inspect,
};

const SMALL: i64 = 10_000;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let tables = evidence.tables.iter();
    tables
        .filter_map(|table| {
            let groups: Vec<i64> = table
                .footers
                .iter()
                .flat_map(|footer| footer.row_groups().iter().map(|group| group.num_rows()))
                .collect();
            let files = table.footers.len();
            let rows: i64 = groups.iter().sum();
            let mean = rows / i64::try_from(groups.len()).ok()?.max(1);
            // Small files have small row groups; that is another hint's business.
            if groups.len() < 8 * files.max(1) || mean >= SMALL {
                return None;
            }
            let severity = evidence.severity_of(table);
            Some(
                Finding::new(
                    severity,
                    table.name.clone(),
                    format!("row groups have {mean} rows on average"),
                )
                .evidence(format!(
                    "{} row groups in {files} files that were looked at",
                    groups.len()
                ))
                .gain(2.0)
                .remedy(Remedy::Layout {
                    statement: compacted(table),
                    table: table.name.clone(),
                    copy: CopyLayout::default(),
                }),
            )
        })
        .collect()
}
