//! A queue of rows that knows the summary of all of them: two stacks of mergeable states.
//!
//! The older stack holds for each row the summary from that row to the stack's end; the newer rows are
//! summarized together. When the older stack runs out, the newer rows move over. Each row is merged
//! about three times, and none is ever subtracted (Tangwongsan et al., "General incremental
//! sliding-window aggregation", 2015).

use std::fmt::Debug;

/// A summary of rows that can be merged with that of other rows.
pub trait Mergeable: Debug + Clone + Default {
    /// What one row contributes.
    type Item: Debug + Copy;

    /// Adds a row that is newer than all others.
    fn add(&mut self, item: Self::Item);

    /// Returns the summary of these rows and newer ones.
    #[must_use]
    fn merge(&self, newer: &Self) -> Self;
}

/// The rows of a frame, summarized.
#[derive(Debug)]
pub struct TwoStack<S: Mergeable> {
    /// By the row's number, newest first: the summary from this row to the end of the stack.
    older: Vec<(u64, S)>,
    newer: S,
    newer_rows: Vec<(u64, S::Item)>,
    /// Whether rows ever leave; else none is kept.
    slides: bool,
}

impl<S: Mergeable> TwoStack<S> {
    /// Begins with no rows. Where rows never leave, none is kept.
    pub fn new(slides: bool) -> Self {
        Self {
            older: Vec::new(),
            newer: S::default(),
            newer_rows: Vec::new(),
            slides,
        }
    }

    /// Adds a row; rows come in the order of their numbers.
    #[inline]
    pub fn push(&mut self, row: u64, item: S::Item) {
        self.newer.add(item);
        if self.slides {
            self.newer_rows.push((row, item));
        }
    }

    /// Forgets all rows before `first`.
    #[inline]
    pub fn expire(&mut self, first: u64) {
        while let Some((row, _)) = self.older.last() {
            if *row >= first {
                return;
            }
            self.older.pop();
        }
        if self.newer_rows.first().is_some_and(|(row, _)| *row < first) {
            self.turn(first);
        }
    }

    /// Moves the newer rows that stay to the older stack.
    fn turn(&mut self, first: u64) {
        let mut summary = S::default();
        for (row, item) in self.newer_rows.drain(..).rev() {
            if row < first {
                break;
            }
            let mut one = S::default();
            one.add(item);
            summary = one.merge(&summary);
            self.older.push((row, summary.clone()));
        }
        self.newer = S::default();
    }

    /// Returns the summary of all rows that are there.
    #[inline]
    pub fn summary(&self) -> S {
        match self.older.last() {
            Some((_, older)) => older.merge(&self.newer),
            None => self.newer.clone(),
        }
    }

    /// Adds the summary of rows from elsewhere; they can no longer leave.
    pub fn merge(&mut self, other: &S) {
        self.newer = self.newer.merge(other);
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.older.clear();
        self.newer_rows.clear();
        self.newer = S::default();
    }

    /// How many bytes are held.
    pub fn size(&self) -> usize {
        self.older.capacity() * size_of::<(u64, S)>()
            + self.newer_rows.capacity() * size_of::<(u64, S::Item)>()
    }
}
