//! Files whose writer was killed before they were whole.
//!
//! The store of local files writes `name#1` and gives the file its name in the end. Its listings leave
//! such files out, so that whoever goes by those neither sees nor deletes what was left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file that is not whole.
#[derive(Debug)]
pub(crate) struct StagedFile {
    pub(crate) path: PathBuf,
    /// Its path in the folder, with `/`.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    modified: SystemTime,
}

impl StagedFile {
    /// Says whether nobody has written the file for so long; a moment in the future is not long ago.
    pub(crate) fn is_older_than(&self, retention: Duration) -> bool {
        self.modified
            .elapsed()
            .is_ok_and(|elapsed| elapsed >= retention)
    }
}

/// Returns the files below a folder that are not whole, by name. Symbolic links are not followed, and
/// folders that cannot be read are left out: nothing in them could be deleted.
pub(crate) fn staged_files(folder: &Path) -> Vec<StagedFile> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() && is_staged(&name) {
                found.extend(staged_file(&entry, name));
            }
        }
    }
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Describes a file; nothing if it is gone by now.
fn staged_file(entry: &fs::DirEntry, name: String) -> Option<StagedFile> {
    let metadata = entry.metadata().ok()?;
    Some(StagedFile {
        path: entry.path(),
        name,
        bytes: metadata.len(),
        modified: metadata.modified().ok()?,
    })
}

fn is_staged(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(stem, number)| {
        !stem.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_store_s_own_making_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("day=1/#3")).unwrap();
        for name in ["a.parquet#1", "day=1/b.parquet#12", "day=1/#3/c#1"] {
            fs::write(path(name), "half").unwrap();
        }
        for name in ["a.parquet", "b#", "c#x", "#1", "d#1.parquet"] {
            fs::write(path(name), "whole").unwrap();
        }
        std::os::unix::fs::symlink(path("a.parquet"), path("link#1")).unwrap();
        let found = staged_files(folder.path());
        let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.parquet#1", "day=1/#3/c#1", "day=1/b.parquet#12"]);
        assert!(found.iter().all(|file| file.bytes == 4));
        assert!(found[0].is_older_than(Duration::ZERO));
        assert!(!found[0].is_older_than(Duration::from_secs(3600)));
        assert!(staged_files(&path("nowhere")).is_empty());
    }
}
