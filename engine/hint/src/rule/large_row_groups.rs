//! Row groups of millions of rows.

use crate::finding::{CopyLayout, Remedy};
use crate::layout::regrouped;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "large-row-groups",
    summary: "Parquet files are cut into few, very large row groups.",
    advice: "A row group is read by one thread and skipped as a whole. About a hundred thousand rows are a \
             good size: small enough to be skipped and shared out, large enough to be read in one go. \
             `lakesh.hint_group_rows` says what is large.",
    measured: false,
    setup: super::lakes::LARGE_GROUPS,
    fires: "SELECT sum(id) AS ids FROM './whole.parquet'",
    silent: "SELECT sum(id) AS ids FROM './pieces.parquet'",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let threads = evidence.options.execution.target_partitions;
    let tables = evidence.tables.iter();
    tables
        .filter_map(|table| {
            let groups = table.footers.iter().flat_map(|footer| footer.row_groups());
            let rows: Vec<u64> = groups
                .map(|group| group.num_rows().unsigned_abs())
                .collect();
            let mean = rows.iter().sum::<u64>() / rows.len().max(1) as u64;
            if mean <= evidence.thresholds.group_rows {
                return None;
            }
            // Footers of some files were looked at; the others are like them.
            let all = rows.len() * table.files.files.len() / table.footers.len().max(1);
            let idle = threads as f64 / all.max(1) as f64;
            Some(
                Finding::new(
                    evidence.severity_of(table),
                    table.name.clone(),
                    format!("row groups have {mean} rows on average"),
                )
                .evidence(format!("about {all} row groups for {threads} threads"))
                .gain(idle.clamp(1.2, 4.0))
                .remedy(Remedy::Layout {
                    statement: regrouped(table),
                    table: table.name.clone(),
                    copy: CopyLayout::default(),
                }),
            )
        })
        .collect()
}
