//! A line on the terminal that says how far a long query is; it comes late and leaves nothing behind.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakesh_engine::event::Progress;
use lakesh_engine::footer::describe_progress;

/// Quicker queries show nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// The line, while there is one.
#[derive(Default)]
pub(crate) struct ProgressLine {
    bar: Option<ProgressBar>,
}

impl ProgressLine {
    /// Shows how far the query is.
    pub(crate) fn show(&mut self, progress: &Progress) {
        if progress.elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(
                    // The template is ours and right; the library cannot know.
                    |_| ProgressStyle::default_spinner(),
                ),
            );
            bar
        });
        bar.set_message(describe_progress(progress));
        bar.tick();
    }

    /// Removes the line, if there is one.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
