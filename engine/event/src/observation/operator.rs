//! The record of one node of a physical plan.

use std::borrow::Cow;
use std::time::Duration;

/// One node of a physical plan. What is `None` was not counted by the node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Operator {
    /// Its position in pre-order.
    pub id: usize,
    /// The node that reads from it; `None` for the root.
    pub parent: Option<usize>,
    /// How many nodes stand above it.
    pub depth: usize,
    /// Its name as EXPLAIN has it: `HashJoinExec`.
    pub name: String,
    /// Its line in EXPLAIN, without indentation: name and arguments.
    pub line: String,
    /// The pipeline that it belongs to, from 1 for the root's; see `pipeline.rs`.
    pub pipeline: usize,
    /// The partitions that it gives.
    pub partitions: usize,
    /// How many rows the planner expects it to give.
    pub estimated_rows: Option<Estimate>,
    /// How many bytes the planner expects it to give.
    pub estimated_bytes: Option<Estimate>,
    /// The rows that it gave, over all partitions.
    pub rows: Option<u64>,
    /// The time that it computed, over all partitions, without its inputs.
    pub elapsed: Option<Duration>,
    /// The bytes that it read from files.
    pub bytes_scanned: Option<u64>,
    /// The files of the table that it scans.
    pub files: Option<Considered>,
    /// The row groups of the files that it opened.
    pub row_groups: Option<Considered>,
    /// Rows that it handed from one partition to another.
    pub repartitioned_rows: Option<u64>,
    /// Bytes that it handed from one partition to another.
    pub repartitioned_bytes: Option<u64>,
    /// The bytes that it gave.
    pub output_bytes: Option<u64>,
    /// The most memory that it held, in bytes, summed over partitions.
    pub peak_memory: Option<u64>,
    /// What it wrote to temporary files.
    pub spill: Spill,
    /// The rows of its largest partition over those of the middle one; from two partitions on.
    pub skew: Option<f64>,
    /// Every count and gauge of the node by its name in EXPLAIN ANALYZE, times in nanoseconds.
    pub counts: Vec<(Cow<'static, str>, u64)>,
}

/// A number that the planner expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The number.
    pub value: u64,
    /// Whether it is known and not guessed.
    pub exact: bool,
}

/// Things that a scan looked at, and those of them that it could leave out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Considered {
    /// All that there are.
    pub all: u64,
    /// Those that were not read.
    pub pruned: u64,
}

/// What went to temporary files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spill {
    /// How often.
    pub count: u64,
    /// Bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
}

/// An estimate that is off by this factor is pointed out.
const FAR_OFF: f64 = 10.0;

impl Operator {
    /// Returns a count by its name in EXPLAIN ANALYZE.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.counts
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, count)| *count)
    }

    /// Returns by which factor the estimate of its rows was wrong, at least 1; `None` where one of the two is not
    /// known. No rows count as one.
    pub fn misestimate(&self) -> Option<f64> {
        let estimated = self.estimated_rows?.value.max(1) as f64;
        let actual = self.rows?.max(1) as f64;
        Some((estimated / actual).max(actual / estimated))
    }

    /// Returns the factor of [`Self::misestimate`] where it is worth a remark.
    pub fn far_off(&self) -> Option<f64> {
        self.misestimate().filter(|factor| *factor >= FAR_OFF)
    }
}
