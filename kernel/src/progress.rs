//! The line that says how far a long query is.

use std::time::Duration;

use lakesh_engine::event::Progress;
use lakesh_engine::footer::describe_progress;

/// Quicker queries show nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// The line is not written more often.
const INTERVAL: Duration = Duration::from_millis(900);

/// When the line was written last in a cell.
#[derive(Default)]
pub(crate) struct ProgressLine {
    last: Option<Duration>,
}

impl ProgressLine {
    /// Returns the line, if it is time for one.
    pub(crate) fn line(&mut self, progress: &Progress) -> Option<String> {
        let due = match self.last {
            Some(last) => progress.elapsed >= last + INTERVAL || progress.elapsed < last,
            None => progress.elapsed >= PATIENCE,
        };
        due.then(|| {
            self.last = Some(progress.elapsed);
            describe_progress(progress)
        })
    }
}
