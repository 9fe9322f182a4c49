//! The cache's share of the memory limit.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The share that a session begins with, in hundredths of the memory limit.
pub const DEFAULT_SHARE: usize = 30;

/// What cached rows hold in memory, and the share that they may hold.
#[derive(Debug)]
pub struct Budget {
    percent: AtomicUsize,
    held: AtomicUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            percent: AtomicUsize::new(DEFAULT_SHARE),
            held: AtomicUsize::new(0),
        }
    }
}

impl Budget {
    /// Returns the share in hundredths of the memory limit.
    pub fn percent(&self) -> usize {
        self.percent.load(Ordering::Relaxed)
    }

    /// Changes the share, for rows that are kept from now on.
    pub fn set_percent(&self, percent: usize) {
        self.percent.store(percent, Ordering::Relaxed);
    }

    /// Takes bytes, if they fit into the share of a pool of so many bytes.
    pub(super) fn take(&self, bytes: usize, pool: usize) -> bool {
        let most = pool / 100 * self.percent();
        self.held
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                held.checked_add(bytes).filter(|wanted| *wanted <= most)
            })
            .is_ok()
    }

    /// Gives bytes back.
    pub(super) fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn the_share_is_never_exceeded() {
        let budget = Budget::default();
        budget.set_percent(50);
        assert!(budget.take(300, 1000));
        assert!(!budget.take(201, 1000));
        assert!(budget.take(200, 1000));
        assert!(!budget.take(1, 1000));
        budget.give_back(200);
        assert!(budget.take(1, 1000));
    }
}
