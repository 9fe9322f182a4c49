//! The smallest and the largest key of a frame: two monotonic queues.

use std::collections::VecDeque;

/// Smallest and largest of the rows that are there.
#[derive(Debug)]
pub struct Extremes<K> {
    /// Rows whose key is smaller than all that follow.
    smallest: VecDeque<(u64, K)>,
    /// Rows whose key is larger than all that follow.
    largest: VecDeque<(u64, K)>,
    slides: bool,
}

impl<K: Copy + Ord> Extremes<K> {
    /// Begins with no rows. Where rows never leave, only the extremes are kept.
    pub fn new(slides: bool) -> Self {
        Self {
            smallest: VecDeque::new(),
            largest: VecDeque::new(),
            slides,
        }
    }

    /// Adds a row; rows come in the order of their numbers.
    #[inline]
    pub fn push(&mut self, row: u64, key: K) {
        if !self.slides {
            self.widen(row, key);
            return;
        }
        while self.smallest.back().is_some_and(|(_, other)| *other >= key) {
            self.smallest.pop_back();
        }
        self.smallest.push_back((row, key));
        while self.largest.back().is_some_and(|(_, other)| *other <= key) {
            self.largest.pop_back();
        }
        self.largest.push_back((row, key));
    }

    fn widen(&mut self, row: u64, key: K) {
        if self.smallest.front().is_none_or(|(_, other)| key < *other) {
            self.smallest.clear();
            self.smallest.push_back((row, key));
        }
        if self.largest.front().is_none_or(|(_, other)| key > *other) {
            self.largest.clear();
            self.largest.push_back((row, key));
        }
    }

    /// Forgets all rows before `first`.
    #[inline]
    pub fn expire(&mut self, first: u64) {
        for queue in [&mut self.smallest, &mut self.largest] {
            while queue.front().is_some_and(|(row, _)| *row < first) {
                queue.pop_front();
            }
        }
    }

    /// Returns the smallest and the largest key; `None` of no rows.
    #[inline]
    pub fn bounds(&self) -> Option<(K, K)> {
        Some((self.smallest.front()?.1, self.largest.front()?.1))
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.smallest.clear();
        self.largest.clear();
    }

    /// How many bytes are held.
    pub fn size(&self) -> usize {
        (self.smallest.capacity() + self.largest.capacity()) * size_of::<(u64, K)>()
    }
}
