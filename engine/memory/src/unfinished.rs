//! Files and folders that are not whole yet: they go when their work fails, when a signal ends the
//! process, and, if it is killed, at a later start.
//!
//! Each lies beside its target under a name that no reader of the folder looks at. A process writes the
//! names down in a folder of its own before it makes anything, and a sweep removes what the folder of a
//! dead process names (see [`crate::sweep`]).

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lakesh_text::user::current_user;

use crate::sweep::OwnedFolder;

/// How the name of a folder begins.
const FOLDER: &str = ".lakesh-copy-";

/// How the name of a file ends; it begins with a dot.
const FILE: &str = ".unfinished";

/// The file in the folder of a process that names what is not whole.
const NAMES: &str = "unfinished";

/// So much of a target's name stands in that of the file beside it; names have a greatest length.
const NAME_LETTERS: usize = 40;

/// All that this process has begun.
static BEGUN: Mutex<Begun> = Mutex::new(Begun {
    registry: None,
    folder: None,
    paths: Vec::new(),
});

struct Begun {
    /// Where processes make their folders; without it nothing is written down.
    registry: Option<PathBuf>,
    /// The folder of this process, while something is not whole.
    folder: Option<OwnedFolder>,
    paths: Vec<PathBuf>,
}

fn begun() -> MutexGuard<'static, Begun> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the folder in which processes write down what they have begun.
pub fn set_registry(folder: PathBuf) {
    begun().registry = Some(folder);
}

/// A file or a folder that is not whole; dropping it removes it.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Makes an empty file beside a target.
    pub fn file_beside(target: &Path) -> io::Result<(File, Self)> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().take(NAME_LETTERS).collect();
        let path = target.with_file_name(format!(".{name}.{:016x}{FILE}", random()));
        let unfinished = Self::register(path)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&unfinished.path)?;
        Ok((file, unfinished))
    }

    /// Makes an empty folder in another one.
    pub fn folder_in(parent: &Path) -> io::Result<Self> {
        let path = parent.join(format!("{FOLDER}{:016x}", random()));
        let unfinished = Self::register(path)?;
        fs::create_dir(&unfinished.path)?;
        Ok(unfinished)
    }

    fn register(path: PathBuf) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        begun().add(&path);
        Ok(Self { path })
    }

    /// Returns where it lies until it is whole.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives a file the name of its target.
    pub fn finish(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed cannot be reported either: there is another error already.
        if remove(&self.path).is_ok() {
            begun().forget(&self.path);
        }
    }
}

impl Begun {
    fn add(&mut self, path: &Path) {
        self.paths.push(path.to_owned());
        self.write_down();
    }

    fn forget(&mut self, path: &Path) {
        self.paths.retain(|begun| begun != path);
        match self.paths.is_empty() {
            true => self.folder = None,
            false => self.write_down(),
        }
    }

    /// Writes all names anew. Where that is not possible, the work goes on: a kill leaves something then.
    fn write_down(&mut self) {
        if self.folder.is_none()
            && let Some(registry) = &self.registry
        {
            self.folder = OwnedFolder::create(registry).ok();
        }
        let Some(folder) = &self.folder else {
            return;
        };
        let mut names = Vec::new();
        for path in &self.paths {
            names.extend_from_slice(path.as_os_str().as_bytes());
            names.push(0);
        }
        let new = folder.path().join("new");
        let written = File::create(&new).and_then(|mut file| file.write_all(&names));
        let _ = written.and_then(|()| fs::rename(&new, folder.path().join(NAMES)));
    }
}

/// Removes everything that is not whole; for use right before the process ends.
pub fn remove_all() {
    let mut begun = begun();
    let paths = std::mem::take(&mut begun.paths);
    begun.paths = paths
        .into_iter()
        .filter(|path| remove(path).is_err())
        .collect();
    if begun.paths.is_empty() {
        begun.folder = None;
    }
}

/// Removes what the folder of a process that is gone names; false if something stays.
pub(crate) fn remove_named(folder: &Path) -> bool {
    let Ok(names) = fs::read(folder.join(NAMES)) else {
        return true;
    };
    let Some(user) = current_user().flatten() else {
        return false;
    };
    names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| Path::new(OsStr::from_bytes(name)))
        .filter(|path| is_ours(path, user))
        .all(|path| remove(path).is_ok())
}

/// Says whether a path is one that this file may have made, and is this user's.
fn is_ours(path: &Path, user: u32) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Ok(found) = fs::symlink_metadata(path) else {
        return false;
    };
    let named = match found.is_dir() {
        true => name.starts_with(FOLDER),
        false => found.is_file() && name.starts_with('.') && name.ends_with(FILE),
    };
    named && path.is_absolute() && found.uid() == user
}

/// Removes a file or a folder. A thread that is about to write in it may win a few times.
fn remove(path: &Path) -> io::Result<()> {
    const TRIES: u32 = 10;
    let is_folder = match fs::symlink_metadata(path) {
        Ok(found) => found.is_dir(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for attempt in 1.. {
        let removed = match is_folder {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && attempt < TRIES => {
                std::thread::sleep(Duration::from_millis(attempt.into()));
            }
            removed => return removed,
        }
    }
    Ok(())
}

/// Returns a number that nobody else has: the keys of hash tables are random and differ each time.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_is_not_whole_goes_and_what_is_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x".repeat(250));
        let (mut file, unfinished) = Unfinished::file_beside(&target).unwrap();
        file.write_all(b"whole").unwrap();
        unfinished.finish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        let (_, unfinished) = Unfinished::file_beside(&target).unwrap();
        let copy = Unfinished::folder_in(folder.path()).unwrap();
        fs::write(copy.path().join("a"), "a").unwrap();
        assert_eq!(count(folder.path()), 3);
        drop((unfinished, copy));
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn a_later_start_removes_what_a_dead_process_names() {
        let folder = tempfile::tempdir().unwrap();
        let dead = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path(".lakesh-copy-1")).unwrap();
        fs::write(path(".lakesh-copy-1/part"), "x").unwrap();
        for name in [".out.csv.1.unfinished", "mine.csv", ".lakesh-copy-2"] {
            fs::write(path(name), "x").unwrap();
        }
        fs::create_dir(path("folder.unfinished")).unwrap();
        let names: Vec<u8> = [
            ".lakesh-copy-1",
            ".out.csv.1.unfinished",
            "mine.csv",
            ".lakesh-copy-2",
            "folder.unfinished",
            "gone",
        ]
        .iter()
        .flat_map(|name| [path(name).as_os_str().as_bytes(), b"\0"].concat())
        .collect();
        fs::write(dead.path().join(NAMES), names).unwrap();
        assert!(remove_named(dead.path()));
        assert!(!path(".lakesh-copy-1").exists() && !path(".out.csv.1.unfinished").exists());
        for kept in ["mine.csv", ".lakesh-copy-2", "folder.unfinished"] {
            assert!(path(kept).exists(), "{kept}");
        }
    }
}
