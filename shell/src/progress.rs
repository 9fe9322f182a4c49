//! A line on the terminal that says how far a long query is; it comes late and leaves nothing behind.

use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakesh_engine::event::Progress;

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
        bar.set_message(describe(progress));
        bar.tick();
    }

    /// Removes the line, if there is one.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn describe(progress: &Progress) -> String {
    let mut parts = vec![format!("{} s", progress.elapsed.as_secs())];
    if progress.rows_scanned > 0 {
        parts.push(format!(
            "{} rows",
            crate::footer::grouped(progress.rows_scanned)
        ));
    }
    if progress.bytes_scanned > 0 {
        parts.push(HumanBytes(progress.bytes_scanned).to_string());
    }
    match progress.files {
        (done, Some(all)) if all > 1 => parts.push(format!("{done} of {all} files")),
        (done, None) if done > 1 => parts.push(format!("{done} files")),
        _ => {}
    }
    if let Some(operator) = &progress.busiest {
        parts.push(format!("busiest: {operator}"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lakesh_engine::event::Progress;

    use super::describe;

    #[test]
    fn says_what_is_known() {
        let mut progress = Progress {
            elapsed: Duration::from_millis(2900),
            ..Progress::default()
        };
        assert_eq!(describe(&progress), "2 s");
        progress.rows_scanned = 1_234_567;
        progress.bytes_scanned = 5 << 20;
        progress.files = (3, Some(9));
        progress.busiest = Some("HashJoin".to_owned());
        assert_eq!(
            describe(&progress),
            "2 s, 1,234,567 rows, 5.00 MiB, 3 of 9 files, busiest: HashJoin"
        );
    }
}
