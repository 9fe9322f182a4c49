//! Asks the running cell to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Tells that somebody wants the running cell to stop.
#[derive(Clone, Default)]
pub(crate) struct Interrupts {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requested: AtomicBool,
    changed: Notify,
}

impl Interrupts {
    /// Asks the running cell to stop.
    pub(crate) fn request(&self) {
        self.state.requested.store(true, Ordering::Release);
        self.state.changed.notify_waiters();
    }

    /// Forgets requests that came before the next cell.
    pub(crate) fn clear(&self) {
        self.state.requested.store(false, Ordering::Release);
    }

    /// Waits until a stop is asked for.
    pub(crate) async fn requested(&self) {
        loop {
            let changed = self.state.changed.notified();
            if self.state.requested.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }
}
