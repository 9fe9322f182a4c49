//! Whether a scan's rows add up.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use datafusion::common::{Result, exec_err};
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};

/// What is known of a scan.
#[derive(Debug)]
pub(super) struct Account {
    partitions: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The rows of each row group, by file.
    files: HashMap<String, Vec<u64>>,
    begun: usize,
    ended: usize,
    /// Whether a reader of rows left before the end: then nothing needs to add up.
    cut: bool,
    returned: u64,
}

impl Account {
    pub(super) fn new(partitions: usize) -> Self {
        Self {
            partitions,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a file's row groups; a file that is read in pieces says them several times.
    pub(super) fn file(&self, path: &str, groups: impl Iterator<Item = i64>) {
        let mut state = self.state();
        if !state.files.contains_key(path) {
            let groups = groups.map(|rows| u64::try_from(rows).unwrap_or_default());
            state.files.insert(path.to_owned(), groups.collect());
        }
    }

    pub(super) fn begin(&self) {
        self.state().begun += 1;
    }

    pub(super) fn cut(&self) {
        self.state().cut = true;
    }

    /// Notes that a partition has ended; with the last one all must add up.
    pub(super) fn end(&self, returned: u64, metrics: &MetricsSet) -> Result<()> {
        let mut state = self.state();
        state.ended += 1;
        state.returned += returned;
        let whole = state.ended == state.begun && state.ended.is_multiple_of(self.partitions);
        if state.cut || !whole {
            return Ok(());
        }
        let times = (state.ended / self.partitions) as u64;
        check(&state.files, times, state.returned, &Left::of(metrics))
    }
}

/// What a scan left out, by its metrics.
#[derive(Debug, Default)]
struct Left {
    /// Row groups that statistics were asked about, and those of them that were left out.
    groups_seen: u64,
    groups_by_statistics: u64,
    groups_by_bloom_filter: u64,
    /// Whether files or groups were left out while the scan ran, of which nobody counts the rows.
    while_running: bool,
    rows_by_pages: u64,
    rows_by_filter: u64,
}

impl Left {
    fn of(metrics: &MetricsSet) -> Self {
        let pruning = |name: &str| match metrics.sum_by_name(name) {
            Some(MetricValue::PruningMetrics {
                pruning_metrics, ..
            }) => (
                pruning_metrics.pruned() as u64,
                pruning_metrics.matched() as u64,
            ),
            _ => (0, 0),
        };
        let count = |name: &str| {
            let value = metrics.sum_by_name(name);
            value.map_or(0, |value| value.as_usize() as u64)
        };
        let (pruned, matched) = pruning("row_groups_pruned_statistics");
        Self {
            groups_seen: pruned + matched,
            groups_by_statistics: pruned,
            groups_by_bloom_filter: pruning("row_groups_pruned_bloom_filter").0,
            while_running: pruning("files_ranges_pruned_statistics").0 > 0
                || pruning("limit_pruned_row_groups").0 > 0
                || count("row_groups_pruned_dynamic_filter") > 0,
            rows_by_pages: pruning("page_index_rows_pruned").0,
            rows_by_filter: count("pushdown_rows_pruned"),
        }
    }
}

/// Compares what was read and left out with what the footers say; `times` is how often the scan ran.
fn check(files: &HashMap<String, Vec<u64>>, times: u64, returned: u64, left: &Left) -> Result<()> {
    if left.while_running || files.is_empty() {
        return Ok(());
    }
    let mut sizes: Vec<u64> = files.values().flatten().copied().collect();
    let groups = times * sizes.len() as u64;
    if left.groups_seen != groups {
        return exec_err!(
            "the scan of {} looked at {} row groups of {groups}; its result would not be whole",
            described(files),
            left.groups_seen
        );
    }
    let pruned = left.groups_by_statistics + left.groups_by_bloom_filter;
    sizes.sort_unstable();
    let total = times * sizes.iter().sum::<u64>();
    let (least, most) = match (pruned, times) {
        (0, _) => (0, 0),
        (pruned, 1) => {
            let pruned = usize::try_from(pruned)
                .unwrap_or(usize::MAX)
                .min(sizes.len());
            let least = sizes[..pruned].iter().sum();
            let most = sizes[sizes.len() - pruned..].iter().sum();
            (least, most)
        }
        _ => (0, total),
    };
    let seen = returned + left.rows_by_pages + left.rows_by_filter;
    if (total - most..=total - least).contains(&seen) {
        return Ok(());
    }
    exec_err!(
        "the scan of {} does not account for its rows: the files have {total}, {returned} were returned, {} filtered, \
         {pruned} of {groups} row groups left out",
        described(files),
        left.rows_by_pages + left.rows_by_filter
    )
}

fn described(files: &HashMap<String, Vec<u64>>) -> String {
    match (files.len(), files.keys().min()) {
        (1, Some(path)) => format!("`{path}`"),
        (count, _) => format!("{count} files"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_must_add_up() {
        let files = HashMap::from([("a".to_owned(), vec![10, 10]), ("b".to_owned(), vec![5])]);
        let none = || Left {
            groups_seen: 3,
            ..Left::default()
        };
        let pruned = |pruned| Left {
            groups_by_statistics: pruned,
            ..none()
        };
        for (returned, left, expect) in [
            (25, none(), true),
            (24, none(), false),
            (0, none(), false),
            (
                20,
                Left {
                    rows_by_filter: 5,
                    ..none()
                },
                true,
            ),
            (
                20,
                Left {
                    rows_by_pages: 4,
                    ..none()
                },
                false,
            ),
            (15, pruned(1), true),
            (20, pruned(1), true),
            (21, pruned(1), false),
            (14, pruned(1), false),
            (0, pruned(3), true),
            (
                25,
                Left {
                    groups_seen: 2,
                    ..Left::default()
                },
                false,
            ),
            (
                3,
                Left {
                    while_running: true,
                    ..Left::default()
                },
                true,
            ),
        ] {
            assert_eq!(
                check(&files, 1, returned, &left).is_ok(),
                expect,
                "{returned} {left:?}"
            );
        }
        let twice = Left {
            groups_seen: 6,
            ..Left::default()
        };
        assert!(check(&files, 2, 50, &twice).is_ok());
    }
}
