//! Files and folders that a path may go on with.

use std::fs;
use std::path::Path;

use super::{Candidate, CandidateKind};

/// A larger folder is not listed to its end.
const MOST_ENTRIES: usize = 2_000;

/// Returns what the last part of a path may be, and how long that part is now. A file closes its quote.
pub(super) fn candidates(working_directory: &Path, typed: &str) -> (usize, Vec<Candidate>) {
    let (folder, name) = match typed.rfind('/') {
        Some(slash) => typed.split_at(slash + 1),
        None => ("", typed),
    };
    if folder.contains("://") {
        return (name.len(), Vec::new());
    }
    // A folder that cannot be read has nothing to offer.
    let entries = fs::read_dir(working_directory.join(folder))
        .into_iter()
        .flatten();
    let mut candidates: Vec<_> = entries
        .take(MOST_ENTRIES)
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let found = entry.file_name().into_string().ok()?;
            let hidden = found.starts_with('.') && !name.starts_with('.');
            if hidden || !found.starts_with(name) {
                return None;
            }
            let is_folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            let end = if is_folder { "/" } else { "'" };
            let display = if is_folder {
                format!("{found}/")
            } else {
                found.clone()
            };
            Some(Candidate {
                display,
                replacement: format!("{}{end}", found.replace('\'', "''")),
                kind: CandidateKind::File,
                detail: None,
            })
        })
        .collect();
    candidates.sort_by(|left, right| left.display.cmp(&right.display));
    (name.len(), candidates)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::candidates;

    #[test]
    fn files_and_folders_are_offered() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("data")).unwrap();
        fs::write(root.path().join("data/a.csv"), "").unwrap();
        fs::write(root.path().join("data/.hidden"), "").unwrap();
        fs::write(root.path().join("it's"), "").unwrap();
        let cases: [(&str, usize, &[&str]); 6] = [
            ("", 0, &["data/", "it''s'"]),
            ("da", 2, &["data/"]),
            ("data/", 0, &["a.csv'"]),
            ("data/.", 1, &[".hidden'"]),
            ("nothing/", 0, &[]),
            ("s3://bucket/", 0, &[]),
        ];
        for (typed, length, expected) in cases {
            let (found_length, pairs) = candidates(root.path(), typed);
            let found: Vec<_> = pairs.iter().map(|pair| pair.replacement.as_str()).collect();
            assert_eq!(
                (found_length, found.as_slice()),
                (length, expected),
                "{typed}"
            );
        }
    }
}
