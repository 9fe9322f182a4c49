//! Pruning of row groups or pages that the session has switched off.

use crate::setting::switched_off;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "pruning-off",
    summary: "The session has switched off what skips row groups or pages of Parquet files.",
    advice: "Row groups are skipped by their least and largest values, pages by the page index, and both \
             by bloom filters. Switch them on again unless the filters never skip anything.",
    measured: false,
    setup: super::lakes::EVENTS_WITHOUT_PRUNING,
    fires: "SELECT sum(amount) FROM './events.parquet' WHERE id = 77",
    silent: "SELECT sum(amount) FROM './events.parquet'",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let filtered = evidence.scans.iter().any(|scan| scan.predicate.is_some())
        || evidence.has_node(|node| node.plan.name() == "FilterExec");
    let reads_parquet = evidence.tables.iter().any(|table| table.is_parquet());
    if !filtered || !reads_parquet {
        return Vec::new();
    }
    let parquet = &evidence.options.execution.parquet;
    let switches = [
        (
            parquet.pruning,
            "datafusion.execution.parquet.pruning",
            "row groups are not skipped by their statistics",
            3.0,
        ),
        (
            parquet.enable_page_index,
            "datafusion.execution.parquet.enable_page_index",
            "pages are not skipped by the page index",
            1.5,
        ),
        (
            parquet.bloom_filter_on_read,
            "datafusion.execution.parquet.bloom_filter_on_read",
            "row groups are not skipped by bloom filters",
            1.2,
        ),
    ];
    switches
        .into_iter()
        .filter(|(on, ..)| !on)
        .map(|(_, name, text, gain)| switched_off(evidence, name, text, gain))
        .collect()
}
