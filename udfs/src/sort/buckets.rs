//! Rows in order: their numbers distributed by the highest bits, each bucket sorted when it is reached.

use std::ops::Range;

use super::key::Column;

/// A bucket has so many rows on average, about.
const ROWS_OF_BUCKET: usize = 256;

/// More buckets than fit the cache are slow to fill.
const MOST_BUCKETS: u32 = 14;

/// How the 128 bits of a row's number are used: the key above, the row's batch and place below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    key_bits: u32,
    batch_bits: u32,
    row_bits: u32,
    /// The highest bits of the key, by which rows are distributed.
    bucket_bits: u32,
}

impl Layout {
    /// Finds the bits that are needed, or `None` where 128 do not suffice.
    ///
    /// `batches` and `longest` are the number of batches and the most rows of one.
    pub(super) fn new(
        columns: &[Column],
        batches: usize,
        longest: usize,
        rows: usize,
    ) -> Option<Self> {
        let key_bits = columns.iter().map(Column::bits).sum();
        let (batch_bits, row_bits) = (width(batches), width(longest));
        let wanted = (rows / ROWS_OF_BUCKET).checked_ilog2().unwrap_or(0);
        let layout = Self {
            key_bits,
            batch_bits,
            row_bits,
            bucket_bits: wanted.min(MOST_BUCKETS).min(key_bits),
        };
        (key_bits + layout.place_bits() <= u128::BITS).then_some(layout)
    }

    fn place_bits(self) -> u32 {
        self.batch_bits + self.row_bits
    }

    fn bucket(self, key: u128) -> usize {
        // All 128 bits are shifted out where there is one bucket.
        let bucket = key.checked_shr(self.key_bits - self.bucket_bits);
        bucket.unwrap_or(0) as usize
    }

    fn number(self, key: u128, batch: usize, row: usize) -> u128 {
        let place = ((batch as u128) << self.row_bits) | row as u128;
        (key << self.place_bits()) | place
    }

    fn place(self, number: u128) -> (usize, usize) {
        let row = number & ((1 << self.row_bits) - 1);
        let batch = (number >> self.row_bits) & ((1 << self.batch_bits) - 1);
        (batch as usize, row as usize)
    }
}

/// The bits that numbers below `count` need.
fn width(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

/// Counts the rows of each bucket.
pub(super) struct Counts {
    layout: Layout,
    counts: Vec<usize>,
}

impl Counts {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            counts: vec![0; 1 << layout.bucket_bits],
        }
    }

    pub(super) fn add(&mut self, keys: &[u128]) {
        for key in keys {
            self.counts[self.layout.bucket(*key)] += 1;
        }
    }

    /// Makes room for the numbers of all rows that were counted.
    pub(super) fn into_buckets(self) -> Buckets {
        let mut starts = self.counts;
        let mut rows = 0;
        for start in &mut starts {
            let count = *start;
            *start = rows;
            rows += count;
        }
        Buckets {
            layout: self.layout,
            numbers: vec![0; rows],
            ends: starts,
            sorted: 0,
            next_bucket: 0,
            next: 0,
        }
    }
}

/// The numbers of all rows, bucket after bucket.
pub(super) struct Buckets {
    layout: Layout,
    numbers: Vec<u128>,
    /// Where each bucket ends; while it is filled, where its next row goes.
    ends: Vec<usize>,
    /// So many of the numbers are sorted,
    sorted: usize,
    /// which are those of the buckets before this one.
    next_bucket: usize,
    /// So many have been taken.
    next: usize,
}

impl Buckets {
    /// Puts the rows of a batch into their buckets. Each batch comes once, after all were counted.
    pub(super) fn fill(&mut self, keys: &[u128], batch: usize) {
        for (row, key) in keys.iter().enumerate() {
            let end = &mut self.ends[self.layout.bucket(*key)];
            self.numbers[*end] = self.layout.number(*key, batch, row);
            *end += 1;
        }
    }

    /// Returns batch and row of the next rows in order, at most so many, none at the end.
    ///
    /// Rows of equal keys come in the order in which they were filled in.
    pub(super) fn take(&mut self, rows: usize) -> Vec<(usize, usize)> {
        let end = (self.next + rows).min(self.numbers.len());
        while self.sorted < end {
            let bucket: Range<usize> = self.sorted..self.ends[self.next_bucket];
            self.sorted = bucket.end;
            self.next_bucket += 1;
            self.numbers[bucket].sort_unstable();
        }
        let taken = &self.numbers[self.next..end];
        self.next = end;
        taken
            .iter()
            .map(|number| self.layout.place(*number))
            .collect()
    }
}
