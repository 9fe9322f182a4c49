//! What a physical plan says of itself: its estimates before it runs, its metrics afterwards.
//!
//! One walk serves `system.operators`, EXPLAIN HINTS, EXPLAIN COMPARE and the tree in the terminal. It
//! reads what operators have counted anyway and adds no work to a running query.

mod compare;
mod operator;
mod pipeline;
mod scan;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;

pub use compare::{Change, Pair, compare};
pub use operator::{Considered, Estimate, Operator, Spill};
pub use scan::count_considered_files;
pub use tree::{cut, milliseconds, tree};

/// A physical plan as data, one record a node in pre-order: a node stands before what it reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// The nodes; the root comes first, and an operator's `id` is its position.
    pub operators: Vec<Operator>,
}

impl Observation {
    /// Observes a plan. Of one that has not run there are estimates and no counts.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        Self {
            operators: walk::operators(plan),
        }
    }

    /// Returns what an operator reads, in order.
    pub fn children(&self, id: usize) -> impl Iterator<Item = &Operator> {
        self.operators
            .iter()
            .skip(id + 1)
            .take_while(move |operator| operator.parent >= Some(id))
            .filter(move |operator| operator.parent == Some(id))
    }

    /// Returns an operator with everything below it.
    pub fn subtree(&self, id: usize) -> &[Operator] {
        let Some(root) = self.operators.get(id) else {
            return &[];
        };
        let below = &self.operators[id + 1..];
        let length = below
            .iter()
            .take_while(|operator| operator.depth > root.depth)
            .count();
        &self.operators[id..=id + length]
    }

    /// Returns the time that all operators computed, over all their partitions.
    pub fn elapsed(&self) -> Duration {
        self.operators
            .iter()
            .filter_map(|operator| operator.elapsed)
            .sum()
    }

    /// Returns the bytes that the scans have read, where one of them counts bytes.
    pub fn bytes_scanned(&self) -> Option<u64> {
        self.summed(|operator| operator.bytes_scanned)
    }

    /// Returns the files of all scans, and those that did not have to be read.
    pub fn files(&self) -> Option<Considered> {
        self.considered(|operator| operator.files)
    }

    /// Returns the row groups of all scans, and those that did not have to be read.
    pub fn row_groups(&self) -> Option<Considered> {
        self.considered(|operator| operator.row_groups)
    }

    /// Returns what all operators have written to temporary files.
    pub fn spill(&self) -> Spill {
        self.operators
            .iter()
            .fold(Spill::default(), |all, operator| Spill {
                count: all.count + operator.spill.count,
                bytes: all.bytes + operator.spill.bytes,
                rows: all.rows + operator.spill.rows,
            })
    }

    fn summed(&self, of: impl Fn(&Operator) -> Option<u64>) -> Option<u64> {
        self.operators
            .iter()
            .filter_map(of)
            .reduce(|left, right| left + right)
    }

    fn considered(&self, of: impl Fn(&Operator) -> Option<Considered>) -> Option<Considered> {
        self.operators
            .iter()
            .filter_map(of)
            .reduce(|left, right| Considered {
                all: left.all + right.all,
                pruned: left.pruned + right.pruned,
            })
    }
}
