//! The files that are being written, so that a process that must end at once can remove them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Remembers a file.
pub(crate) fn add(path: &Path) {
    let mut files = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    files.push(path.to_owned());
}

/// Forgets a file.
pub(crate) fn remove(path: &Path) {
    let mut files = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    files.retain(|file| file != path);
}

/// Removes every file that is not whole; for use right before the process ends.
pub(crate) fn remove_all() {
    let mut files = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for file in files.drain(..) {
        // Nothing is left to be done about a file that stays.
        drop(fs::remove_file(file));
    }
}
