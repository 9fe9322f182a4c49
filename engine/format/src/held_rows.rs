//! Which rows of a result are shown when there are more than may be: the first and the last ones.
//!
//! Only the last rows are held back, since nobody knows which they are before the end.

use std::collections::VecDeque;
use std::ops::Range;

/// The rows that are held back, in whatever form the format keeps them.
#[derive(Debug)]
pub(super) struct HeldRows<T> {
    /// Rows that may be shown; `None` shows all at once.
    limit: Option<usize>,
    seen: u64,
    tail: VecDeque<T>,
}

/// Which rows of a batch are worth a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// To be shown now.
    pub(super) head: Range<usize>,
    /// To be held back.
    pub(super) tail: Range<usize>,
}

impl<T> HeldRows<T> {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            seen: 0,
            tail: VecDeque::new(),
        }
    }

    /// Counts the rows of a batch and says which of them are wanted.
    pub(super) fn count(&mut self, rows: usize) -> Wanted {
        let Some(limit) = self.limit else {
            self.seen += rows as u64;
            return Wanted {
                head: 0..rows,
                tail: rows..rows,
            };
        };
        let head_left = (limit.div_ceil(2) as u64).saturating_sub(self.seen);
        let head = usize::try_from(head_left).map_or(rows, |left| left.min(rows));
        self.seen += rows as u64;
        let tail = head.max(rows.saturating_sub(limit / 2));
        Wanted {
            head: 0..head,
            tail: tail..rows,
        }
    }

    /// Holds a row back and drops the oldest one that cannot be among the last any more.
    pub(super) fn hold(&mut self, row: T) {
        self.tail.push_back(row);
        if self.tail.len() > self.limit.map_or(0, |limit| limit / 2) {
            self.tail.pop_front();
        }
    }

    /// Ends the result: how many rows were left out between the head and the held rows, and these.
    pub(super) fn finish(&mut self) -> (u64, VecDeque<T>) {
        let head = self
            .limit
            .map_or(self.seen, |limit| self.seen.min(limit.div_ceil(2) as u64));
        let tail = std::mem::take(&mut self.tail);
        (self.seen - head - tail.len() as u64, tail)
    }

    /// The rows that are held back now.
    pub(super) fn rows(&self) -> impl Iterator<Item = &T> {
        self.tail.iter()
    }

    /// Rows counted so far.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_rows_are_kept() {
        /// Limit, sizes of batches, rows shown at once, rows left out, rows held at the end.
        type Case = (
            Option<usize>,
            &'static [usize],
            &'static [u64],
            u64,
            &'static [u64],
        );
        let cases: [Case; 6] = [
            (None, &[2, 3], &[0, 1, 2, 3, 4], 0, &[]),
            (Some(10), &[2, 3], &[0, 1, 2, 3, 4], 0, &[]),
            (Some(4), &[2, 2], &[0, 1], 0, &[2, 3]),
            (Some(5), &[2, 2, 2, 2], &[0, 1, 2], 3, &[6, 7]),
            (Some(1), &[9], &[0], 8, &[]),
            (Some(0), &[9], &[], 9, &[]),
        ];
        for (limit, batches, shown, left_out, held) in cases {
            let mut rows = HeldRows::new(limit);
            let mut head = Vec::new();
            for &size in batches {
                let before = rows.seen();
                let wanted = rows.count(size);
                head.extend(wanted.head.map(|row| before + row as u64));
                wanted.tail.for_each(|row| rows.hold(before + row as u64));
            }
            let (skipped, tail) = rows.finish();
            assert_eq!(
                (head.as_slice(), skipped),
                (shown, left_out),
                "limit {limit:?}"
            );
            assert_eq!(Vec::from(tail), held, "limit {limit:?}");
        }
    }
}
