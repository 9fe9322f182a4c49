//! A folder of local files, and what in it is reached by a symbolic link.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A folder, and which of the folders in it are reached by a link.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    linked: Mutex<HashMap<String, bool>>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            linked: Mutex::default(),
        }
    }

    /// Says whether a path in the folder leads through a symbolic link, or is one.
    pub(crate) fn links(&self, path: &str) -> bool {
        match path.rsplit_once('/') {
            Some((parent, _)) if self.is_linked(parent) => true,
            _ => self.is_link(path),
        }
    }

    /// Says whether a path leads out of the folder through a symbolic link.
    ///
    /// What is not there leads nowhere.
    pub(crate) fn links_outside(&self, path: &str) -> bool {
        self.links(path)
            && match (
                self.path.join(path).canonicalize(),
                self.path.canonicalize(),
            ) {
                (Ok(target), Ok(folder)) => !target.starts_with(folder),
                _ => false,
            }
    }

    /// Says whether a folder is reached by a link; most files share few folders, so that is remembered.
    fn is_linked(&self, folder: &str) -> bool {
        let mut known = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(linked) = known.get(folder) {
            return *linked;
        }
        let mut end = 0;
        let linked = folder.split('/').any(|part| {
            end += part.len();
            let linked = self.is_link(&folder[..end]);
            end += 1;
            linked
        });
        known.insert(folder.to_owned(), linked);
        linked
    }

    fn is_link(&self, path: &str) -> bool {
        // What cannot be looked at is gone, or cannot be deleted either.
        std::fs::symlink_metadata(self.path.join(path)).is_ok_and(|found| found.is_symlink())
    }
}
