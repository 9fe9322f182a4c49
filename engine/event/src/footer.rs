//! What is said beside results: how many rows, which counts, how long, how far.

use std::time::Duration;

use lakesh_text::quantity::{format_size, grouped};

use crate::event::{Progress, Summary};

/// Writes the line below a statement's result; `None` where there is nothing to say.
pub fn footer(summary: &Summary, timing: bool) -> Option<String> {
    let is_command = summary.verb.starts_with('\\');
    let mut parts = Vec::new();
    if let Some(rows) = summary.rows {
        parts.push(counted(rows, "row"));
    }
    for (name, count) in &summary.counts {
        parts.push(format!("{name} {}", grouped(*count)));
    }
    let counts = parts.join(", ");
    let said = match (summary.returned_rows, is_command, counts.is_empty()) {
        (false, true, true) => return None,
        (true, _, _) | (false, true, false) => counts,
        (false, false, true) => summary.verb.clone(),
        (false, false, false) => format!("{}: {counts}", summary.verb),
    };
    Some(if timing {
        format!("{said} ({})", seconds(summary.elapsed))
    } else {
        said
    })
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// Says in a line how far a running query is.
pub fn describe_progress(progress: &Progress) -> String {
    let mut parts = vec![format!("{} s", progress.elapsed.as_secs())];
    if progress.rows_scanned > 0 {
        parts.push(format!("{} rows", grouped(progress.rows_scanned)));
    }
    if progress.bytes_scanned > 0 {
        parts.push(format_size(progress.bytes_scanned));
    }
    if progress.bytes_written > 0 {
        let size = format_size(progress.bytes_written);
        parts.push(format!("{size} written"));
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

/// Writes a count with its unit: `1 row`, `1,234 rows`.
pub fn rows_text(count: u64) -> String {
    counted(count, "row")
}

fn seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(60) {
        return format!("{:.3} s", elapsed.as_secs_f64());
    }
    let minutes = elapsed.as_secs() / 60;
    format!("{minutes} min {} s", elapsed.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{describe_progress, footer};
    use crate::event::{Progress, Summary};

    #[test]
    fn counts_and_times_are_said() {
        let summary = |verb: &str, rows, returned_rows| Summary {
            verb: verb.to_owned(),
            rows,
            returned_rows,
            counts: Vec::new(),
            elapsed: Duration::from_millis(12),
        };
        let mut copy = summary("COPY", Some(1234), false);
        copy.counts = vec![("files".to_owned(), 3)];
        let mut slow = summary("SELECT", Some(0), true);
        slow.elapsed = Duration::from_secs(125);
        let cases = [
            (summary("SELECT", Some(1), true), "1 row (0.012 s)", "1 row"),
            (slow, "0 rows (2 min 5 s)", "0 rows"),
            (
                summary("CREATE VIEW", None, false),
                "CREATE VIEW (0.012 s)",
                "CREATE VIEW",
            ),
            (
                copy,
                "COPY: 1,234 rows, files 3 (0.012 s)",
                "COPY: 1,234 rows, files 3",
            ),
            (summary("\\dt", Some(2), true), "2 rows (0.012 s)", "2 rows"),
        ];
        for (summary, timed, plain) in cases {
            assert_eq!(footer(&summary, true).as_deref(), Some(timed));
            assert_eq!(footer(&summary, false).as_deref(), Some(plain));
        }
        assert_eq!(footer(&summary("\\x", None, false), true), None);
    }

    #[test]
    fn progress_says_what_is_known() {
        let mut progress = Progress {
            elapsed: Duration::from_millis(2900),
            ..Progress::default()
        };
        assert_eq!(describe_progress(&progress), "2 s");
        progress.rows_scanned = 1_234_567;
        progress.bytes_scanned = 5 << 20;
        progress.files = (3, Some(9));
        progress.busiest = Some("HashJoin".to_owned());
        assert_eq!(
            describe_progress(&progress),
            "2 s, 1,234,567 rows, 5 MiB, 3 of 9 files, busiest: HashJoin"
        );
        let written = Progress {
            bytes_scanned: 1 << 20,
            bytes_written: 3 << 20,
            files: (4, None),
            ..Progress::default()
        };
        assert_eq!(
            describe_progress(&written),
            "0 s, 1 MiB, 3 MiB written, 4 files"
        );
    }
}
