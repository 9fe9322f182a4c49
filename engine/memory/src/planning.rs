//! Plan settings that suit a memory limit, and those with which a query is tried again.
//!
//! Settings only; it changes no plan.

use std::sync::Arc;

use datafusion::common::config::{ConfigNonZeroUsize, MaxRowGroupBytes, OptimizerOptions};
use datafusion::prelude::SessionConfig;

use super::limit::MINIMUM_LIMIT;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Each partition of a plan should have so much memory, as far as there are threads for more.
const MEMORY_PER_PARTITION: u64 = 16 * MIB;

/// Batches have DataFusion's size of 8192 rows from this much memory a partition on, and shrink with it
/// below: an operator that spills holds several at once for each run that it merges.
const MEMORY_FOR_FULL_BATCHES: u64 = 32 * MIB;
const FULL_BATCH: usize = 8192;
const SMALLEST_BATCH: usize = 1024;

/// DataFusion's reserve for merging, more than which no sort needs.
const LARGEST_SORT_RESERVE: u64 = 10 * MIB;
const SMALLEST_SORT_RESERVE: u64 = 256 * KIB;

/// From this limit on, Parquet files are written column by column in parallel and by rows a group.
const PARALLEL_WRITE_LIMIT: u64 = 2048 * MIB;

/// A file being written takes up to this part of the limit for its row group.
const ROW_GROUP_PART: u64 = 16;
const SMALLEST_ROW_GROUP: u64 = 64 * KIB;
const LARGEST_ROW_GROUP: u64 = 128 * MIB;

/// Build sides of joins up to this size are collected once instead of being distributed with the other side,
/// by rows and by bytes for all partitions together: one thread builds while the others wait, which costs the
/// more the more there are, and a probe side that stays where it is gains as much on two as on twenty.
const COLLECTED_ROWS: u64 = 4_000_000;
const COLLECTED_BYTES: u64 = 64 * MIB;
/// What DataFusion collects whatever the machine.
const LEAST_COLLECTED_ROWS: u64 = 128 * 1024;
const LEAST_COLLECTED_BYTES: u64 = MIB;
/// A build side that is collected takes up to this part of the limit, since several are held at once.
const COLLECTED_PART: u64 = 32;

/// Gives plans as many partitions, batches and reserves as fit into `limit` bytes on `threads` threads.
pub fn adjust(config: SessionConfig, limit: u64, threads: usize) -> SessionConfig {
    let limit = limit.max(MINIMUM_LIMIT);
    let partitions = partitions(limit, threads);
    let each = limit / partitions as u64;
    // An odd number, by which the pool tells this request from those for buffers.
    let reserve = (each / 16).clamp(SMALLEST_SORT_RESERVE, LARGEST_SORT_RESERVE) + 1;
    let config = without_shared_spill_files(config)
        .with_target_partitions(partitions)
        .with_batch_size(batch_size(each))
        .with_sort_spill_reservation_bytes(to_size(reserve));
    let mut config = collect_build_sides(config, collected(limit, partitions));
    if limit < PARALLEL_WRITE_LIMIT {
        // Only the sequential writer ends a row group by its size.
        let parquet = &mut config.options_mut().execution.parquet;
        parquet.allow_single_file_parallelism = false;
        parquet.max_row_group_bytes = row_group(limit / ROW_GROUP_PART);
    }
    config
}

/// Prepares for writing so many Parquet files at once, as a partitioned COPY does.
///
/// DataFusion keeps the file of every partition value open until the end, each with its row group.
pub fn adjust_for_files(mut config: SessionConfig, limit: u64, files: usize) -> SessionConfig {
    let parquet = &mut config.options_mut().execution.parquet;
    parquet.allow_single_file_parallelism = false;
    parquet.max_row_group_bytes = row_group(limit / 4 / files.max(1) as u64);
    config
}

/// Prepares for the second attempt at a query whose hash join did not fit: joins that sort and spill.
pub fn adjust_for_spilling_joins(mut config: SessionConfig) -> SessionConfig {
    // With one partition DataFusion plans hash joins whatever is preferred.
    let partitions = config.target_partitions().max(2);
    let options = config.options_mut();
    options.optimizer.prefer_hash_join = false;
    options.optimizer.repartition_joins = true;
    config.with_target_partitions(partitions)
}

/// Makes an exchange write each batch that it cannot hold to a file of its own.
///
/// DataFusion 55.2 deadlocks when two inputs of an exchange have begun a spill file for one output: the
/// reader waits for the older file while the batch that it was told of is in the newer one
/// (<https://github.com/apache/datafusion/issues/24883>). A file that ends after its first batch is
/// never waited for. To be dropped with a version that has the fix.
fn without_shared_spill_files(mut config: SessionConfig) -> SessionConfig {
    if let Ok(size) = ConfigNonZeroUsize::try_new(1) {
        config.options_mut().execution.max_spill_file_size_bytes = size;
    }
    config
}

/// How many spilled runs one merge reads at a time; each needs buffers that the pool does not see.
pub(crate) fn merge_fan_in(limit: u64) -> usize {
    to_size((limit / (4 * MIB)).clamp(8, 128))
}

fn partitions(limit: u64, threads: usize) -> usize {
    let fitting = to_size(limit / MEMORY_PER_PARTITION);
    threads.max(1).min(fitting.max(2))
}

/// How many rows and bytes a build side may have that is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Collected {
    rows: usize,
    bytes: usize,
}

/// Sets what build sides are collected, unless somebody has set it by hand since this was last done.
fn collect_build_sides(config: SessionConfig, now: Collected) -> SessionConfig {
    let before = config.get_extension::<Collected>();
    let mut config = config.with_extension(Arc::new(now));
    let optimizer = &mut config.options_mut().optimizer;
    if before.is_none_or(|before| *before == Collected::of(optimizer)) {
        optimizer.hash_join_single_partition_threshold_rows = now.rows;
        optimizer.hash_join_single_partition_threshold = now.bytes;
    }
    config
}

impl Collected {
    fn of(options: &OptimizerOptions) -> Self {
        Self {
            rows: options.hash_join_single_partition_threshold_rows,
            bytes: options.hash_join_single_partition_threshold,
        }
    }
}

fn collected(limit: u64, partitions: usize) -> Collected {
    let partitions = partitions.max(1) as u64;
    let rows = (COLLECTED_ROWS / partitions).max(LEAST_COLLECTED_ROWS);
    let bytes = (COLLECTED_BYTES / partitions).min(limit / COLLECTED_PART);
    Collected {
        rows: to_size(rows),
        bytes: to_size(bytes.max(LEAST_COLLECTED_BYTES)),
    }
}

fn batch_size(memory: u64) -> usize {
    let halvings = (MEMORY_FOR_FULL_BATCHES / memory.max(1))
        .checked_ilog2()
        .map_or(0, |log| {
            // Rounded up, so that 12 MiB are treated as 8 MiB are.
            log + u32::from(MEMORY_FOR_FULL_BATCHES >> log > memory)
        });
    (FULL_BATCH >> halvings).max(SMALLEST_BATCH)
}

fn row_group(bytes: u64) -> Option<MaxRowGroupBytes> {
    let bytes = bytes.clamp(SMALLEST_ROW_GROUP, LARGEST_ROW_GROUP);
    MaxRowGroupBytes::try_new(to_size(bytes)).ok()
}

fn to_size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn small_limits_get_small_plans() {
        // limit in MiB, threads -> partitions, rows a batch, reserve in KiB
        let cases = [
            (16, 8, 2, 2048, 512),
            (24, 8, 2, 2048, 768),
            (64, 2, 2, FULL_BATCH, 2048),
            (64, 8, 4, 4096, 1024),
            (512, 8, 8, FULL_BATCH, 4096),
            (16 * 1024, 8, 8, FULL_BATCH, 10 * 1024),
            (16 * 1024, 1, 1, FULL_BATCH, 10 * 1024),
        ];
        for (limit, threads, partitions, batch, reserve) in cases {
            let config = adjust(SessionConfig::new(), limit * MIB, threads);
            let execution = &config.options().execution;
            assert_eq!(config.target_partitions(), partitions, "{limit} {threads}");
            assert_eq!(config.batch_size(), batch, "{limit} {threads}");
            assert_eq!(
                execution.sort_spill_reservation_bytes,
                reserve * 1024 + 1,
                "{limit} {threads}"
            );
            let parallel = execution.parquet.allow_single_file_parallelism;
            assert_eq!(parallel, limit >= 2048, "{limit} {threads}");
        }
    }

    #[test]
    fn fewer_partitions_and_more_memory_collect_larger_sides() {
        // limit in MiB, threads -> rows, KiB
        let cases = [
            (16, 2, 2_000_000, 1024),
            (256, 2, 2_000_000, 8 * 1024),
            (16 * 1024, 1, 4_000_000, 64 * 1024),
            (16 * 1024, 2, 2_000_000, 32 * 1024),
            (16 * 1024, 16, 250_000, 4 * 1024),
            (64 * 1024, 128, 128 * 1024, 1024),
        ];
        for (limit, threads, rows, bytes) in cases {
            let config = adjust(SessionConfig::new(), limit * MIB, threads);
            let found = Collected::of(&config.options().optimizer);
            let bytes = bytes * 1024;
            assert_eq!(found, Collected { rows, bytes }, "{limit} {threads}");
        }
    }

    #[test]
    fn what_was_set_by_hand_stays() {
        let mut config = adjust(SessionConfig::new(), 16 * 1024 * MIB, 2);
        config = adjust(config, 256 * MIB, 2);
        let options = &mut config.options_mut().optimizer;
        assert_eq!(
            options.hash_join_single_partition_threshold,
            to_size(8 * MIB)
        );
        options.hash_join_single_partition_threshold = 0;
        let config = adjust(config, 16 * MIB, 4);
        let found = Collected::of(&config.options().optimizer);
        assert_eq!((found.rows, found.bytes), (2_000_000, 0));
    }

    #[test]
    fn many_files_get_small_row_groups() {
        let size = |files| {
            let config = adjust_for_files(SessionConfig::new(), 512 * MIB, files);
            config.options().execution.parquet.max_row_group_bytes
        };
        assert_eq!(size(1), row_group(128 * MIB));
        assert_eq!(size(128), row_group(MIB));
        assert_eq!(size(1_000_000), row_group(SMALLEST_ROW_GROUP));
    }

    #[test]
    fn the_second_attempt_sorts() {
        let config = SessionConfig::new().with_target_partitions(1);
        let config = adjust_for_spilling_joins(config);
        assert!(!config.options().optimizer.prefer_hash_join);
        assert_eq!(config.target_partitions(), 2);
    }
}
