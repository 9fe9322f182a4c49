//! What scans leave out: files by the log or by partitions, row groups by statistics and bloom filters.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{MetricBuilder, MetricValue, MetricsSet};

use super::Considered;
use crate::account::scan_config;

/// The gauge by which a table says how many files it had before some were left out while planning.
const CONSIDERED: &str = "files_considered";

/// Notes in the scans of a plan how many files their table has.
pub fn count_considered_files(plan: &Arc<dyn ExecutionPlan>, files: usize) {
    if let Some(config) = scan_config(plan.as_ref()) {
        let metrics = config.file_source().metrics();
        MetricBuilder::new(metrics)
            .global_gauge(CONSIDERED)
            .set(files);
        return;
    }
    // Of a union each input would count all files.
    if let [input] = plan.children().as_slice() {
        count_considered_files(input, files);
    }
}

/// Returns the files of a scan; `metrics` are its own, summed by name.
pub(super) fn files(node: &dyn ExecutionPlan, metrics: Option<&MetricsSet>) -> Option<Considered> {
    let config = scan_config(node)?;
    let ranges: usize = config.file_groups.iter().map(|group| group.len()).sum();
    let distinct: HashSet<_> = config
        .file_groups
        .iter()
        .flat_map(|group| group.iter())
        .map(|file| &file.object_meta.location)
        .collect();
    let planned = distinct.len() as u64;
    let count = |name: &str| metrics.and_then(|metrics| metrics.sum_by_name(name));
    let considered = count(CONSIDERED).map_or(planned, |value| value.as_usize() as u64);
    let pruned_ranges = match count("files_ranges_pruned_statistics") {
        Some(MetricValue::PruningMetrics {
            pruning_metrics, ..
        }) => pruning_metrics.pruned() as u64,
        _ => 0,
    };
    // A file that is read in pieces by several partitions is left out in each of them.
    let pruned_files = match ranges {
        0 => 0,
        ranges => pruned_ranges * planned / ranges as u64,
    };
    Some(Considered {
        all: considered.max(planned),
        pruned: considered.saturating_sub(planned) + pruned_files,
    })
}

/// Returns the row groups of a scan of Parquet files that has run.
pub(super) fn row_groups(metrics: &MetricsSet) -> Option<Considered> {
    let pruning = |name: &str| match metrics.sum_by_name(name) {
        Some(MetricValue::PruningMetrics {
            pruning_metrics, ..
        }) => Some((
            pruning_metrics.pruned() as u64,
            pruning_metrics.matched() as u64,
        )),
        _ => None,
    };
    let (pruned, matched) = pruning("row_groups_pruned_statistics")?;
    let by_bloom_filter = pruning("row_groups_pruned_bloom_filter").map_or(0, |counts| counts.0);
    let by_limit = pruning("limit_pruned_row_groups").map_or(0, |counts| counts.0);
    let by_join = metrics
        .sum_by_name("row_groups_pruned_dynamic_filter")
        .map_or(0, |value| value.as_usize() as u64);
    Some(Considered {
        all: pruned + matched,
        pruned: pruned + by_bloom_filter + by_limit + by_join,
    })
}
