//! Folders for temporary files that show whether their owner lives, and the removal of those left behind.
//!
//! A folder is called `lakesh-<pid>-<start of the process>-<random>` and holds a file `lock` that its
//! owner keeps locked. The lock is what counts, because it is true across containers that share a disk
//! but not their process numbers; pid and start time are a second witness. Only folders of the same
//! user are touched, symbolic links are never followed, and what does not look like ours stays.

use std::cell::LazyCell;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lakesh_text::user::current_user;
use tempfile::TempDir;

use crate::unfinished;

const PREFIX: &str = "lakesh-";

/// A folder has this name until its lock is held, so that no other process takes it for abandoned.
const NEW_PREFIX: &str = ".lakesh-new-";

const LOCK: &str = "lock";

/// A process that died between making and naming its folder leaves it unlocked or unnamed. Such a
/// folder is removed when it is so old that nobody can still be at it.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder that belongs to this process; dropping it removes it.
#[derive(Debug)]
pub(crate) struct OwnedFolder {
    path: PathBuf,
    /// Held for its lock, which ends with the process however it ends.
    _lock: File,
}

impl OwnedFolder {
    /// Makes a folder below `parent`, which is made too if it is missing.
    pub(crate) fn create(parent: &Path) -> io::Result<Self> {
        if !parent.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)?;
        }
        // For us alone, and under a name that nobody can have made before us.
        let new = tempfile::Builder::new()
            .prefix(NEW_PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let lock = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(new.path().join(LOCK))?;
        // Where a file system knows no locks, the process number has to do.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(io::Error::other("the lock of a new folder is taken"));
        }
        let path = parent.join(owned_name(&new));
        fs::rename(new.path(), &path)?;
        // The name is gone; there is nothing left for the guard to remove.
        let _ = new.keep();
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl OwnedFolder {
    /// Removes the folder. A thread that is about to make a file in it may win a few times.
    pub(crate) fn remove(&self) {
        const TRIES: u32 = 20;
        for attempt in 1..=TRIES {
            match remove_lock_last(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    std::thread::sleep(Duration::from_millis(attempt.into()));
                }
                // What cannot be removed now, a later sweep removes.
                _ => return,
            }
        }
    }
}

impl Drop for OwnedFolder {
    fn drop(&mut self) {
        self.remove();
    }
}

fn owned_name(new: &TempDir) -> String {
    let name = new.path().file_name().unwrap_or_default().to_string_lossy();
    let random = name.strip_prefix(NEW_PREFIX).unwrap_or_default();
    let process = std::process::id();
    let start = start_of_process(process).unwrap_or(0);
    format!("{PREFIX}{process}-{start}-{random}")
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Folders removed.
    pub removed: usize,
    /// Folders of ours that stay, because their owner lives or may live.
    pub kept: usize,
    /// Folders that should have gone and could not be removed.
    pub failed: usize,
}

/// Starts a sweep of `parent` on a thread of its own and does not wait for it.
pub fn sweep_in_background(parent: PathBuf) {
    // Without a thread there is no sweep this time; the next start tries again.
    let _ = std::thread::Builder::new()
        .name("lakesh-sweep".to_owned())
        .spawn(move || sweep(&parent));
}

/// Removes the folders below `parent` whose owner is gone.
pub fn sweep(parent: &Path) -> Swept {
    let mut swept = Swept::default();
    let Ok(entries) = fs::read_dir(parent) else {
        return swept;
    };
    // Asked only where there is a folder to ask about, which is seldom.
    let user = LazyCell::new(|| current_user().flatten());
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(Owner::of_name) else {
            continue;
        };
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if !metadata.is_dir() || Some(metadata.uid()) != *user {
            continue;
        }
        let Some(_held) = owner.claim(&path, metadata.modified().ok()) else {
            swept.kept += 1;
            continue;
        };
        if !unfinished::remove_named(&path) {
            swept.failed += 1;
            continue;
        }
        match remove_lock_last(&path) {
            Ok(()) => swept.removed += 1,
            Err(_) => swept.failed += 1,
        }
    }
    swept
}

/// Removes a folder, its lock at the end: whoever is cut off in between leaves a folder that the next
/// sweep knows for what it is.
fn remove_lock_last(path: &Path) -> io::Result<()> {
    // Symbolic links are removed, not what they point to.
    remove_parts(path, |part| match fs::symlink_metadata(part)?.is_dir() {
        true => fs::remove_dir_all(part),
        false => fs::remove_file(part),
    })?;
    fs::remove_dir_all(path)
}

/// Removes all that a folder holds but its lock.
fn remove_parts(path: &Path, remove: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        match remove(&entry.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whom a folder's name says it belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Process { process: u32, start: u64 },
    Unnamed,
}

/// The right to remove a folder: its lock if it has one, held so that no second sweep interferes.
struct Claim {
    _lock: Option<File>,
}

impl Owner {
    fn of_name(name: &str) -> Option<Self> {
        if name.starts_with(NEW_PREFIX) {
            return Some(Self::Unnamed);
        }
        let mut parts = name.strip_prefix(PREFIX)?.splitn(3, '-');
        let process = parts.next()?.parse().ok()?;
        let start = parts.next()?.parse().ok()?;
        let random = parts.next()?;
        let plain = !random.is_empty() && random.chars().all(|c| c.is_ascii_alphanumeric());
        plain.then_some(Self::Process { process, start })
    }

    /// Claims a folder if its owner is gone.
    fn claim(&self, path: &Path, modified: Option<SystemTime>) -> Option<Claim> {
        if let Self::Process { process, start } = self
            && start_of_process(*process).is_some_and(|now| now == *start || *start == 0)
        {
            return None;
        }
        let lock = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path.join(LOCK));
        match (self, lock) {
            (Self::Process { .. }, Ok(lock)) => match lock.try_lock() {
                Ok(()) => Some(Claim { _lock: Some(lock) }),
                Err(_) => None,
            },
            _ => {
                let age = modified.and_then(|modified| modified.elapsed().ok())?;
                (age > ABANDONED_AFTER).then_some(Claim { _lock: None })
            }
        }
    }
}

/// When a process started, in clock ticks since boot; `None` if there is no such process.
///
/// Field 22 of `/proc/<pid>/stat`, see proc(5). On systems without `/proc` the lock alone decides.
fn start_of_process(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    start_of_stat(&text)
}

fn start_of_stat(text: &str) -> Option<u64> {
    // The second field is the program's name in parentheses and may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A process number that no process has: above the kernel's largest.
    const DEAD: u32 = 4_194_305;

    /// Makes what a process leaves behind, with its lock file and one spilled file.
    fn leave(parent: &Path, name: &str) -> PathBuf {
        let folder = parent.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(LOCK), "").unwrap();
        fs::write(folder.join("spilled"), "rows").unwrap();
        folder
    }

    #[test]
    fn only_folders_of_dead_processes_go() {
        let parent = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("precious"), "data").unwrap();
        let own = OwnedFolder::create(parent.path()).unwrap();
        let dead = leave(parent.path(), &format!("lakesh-{DEAD}-17-abc"));
        symlink(outside.path(), dead.join("link")).unwrap();
        // The number was given to another process since.
        let reused = leave(
            parent.path(),
            &format!("lakesh-{}-1-abc", std::process::id()),
        );
        let named_alike = leave(parent.path(), &format!("lakesh-{DEAD}-17-notes.d"));
        let unrelated = leave(parent.path(), "lakesh-data");
        let link = parent.path().join(format!("lakesh-{DEAD}-18-abc"));
        symlink(outside.path(), &link).unwrap();
        let new = leave(parent.path(), ".lakesh-new-abc");

        let swept = sweep(parent.path());

        assert_eq!(
            swept,
            Swept {
                removed: 2,
                kept: 2,
                failed: 0
            }
        );
        assert!(!dead.exists() && !reused.exists());
        for kept in [own.path(), &named_alike, &unrelated, &link, &new] {
            assert!(kept.exists(), "{}", kept.display());
        }
        assert!(outside.path().join("precious").exists());
    }

    #[test]
    fn a_sweep_that_is_cut_off_is_gone_on_with() {
        let parent = tempfile::tempdir().unwrap();
        let dead = leave(parent.path(), &format!("lakesh-{DEAD}-17-abc"));
        // Another user's immutable file, or a process that ends: something is in the way.
        let stuck = dead.join("stuck");
        fs::create_dir(&stuck).unwrap();
        let stop = |_: &Path| Err(io::Error::other("cut off"));
        assert!(remove_parts(&dead, stop).is_err());
        assert!(dead.join(LOCK).exists());
        assert_eq!(sweep(parent.path()).removed, 1);
        assert!(!dead.exists());
    }

    #[test]
    fn a_lock_protects_whatever_the_name_says() {
        let parent = tempfile::tempdir().unwrap();
        let folder = leave(parent.path(), &format!("lakesh-{DEAD}-17-abc"));
        let lock = File::open(folder.join(LOCK)).unwrap();
        lock.lock().unwrap();
        assert_eq!(sweep(parent.path()).kept, 1);
        assert!(folder.exists());
        drop(lock);
        assert_eq!(sweep(parent.path()).removed, 1);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_without_lock_or_name_goes_when_it_is_old() {
        let old = SystemTime::now() - ABANDONED_AFTER - Duration::from_secs(60);
        for name in [
            ".lakesh-new-abc".to_owned(),
            format!("lakesh-{DEAD}-17-abc"),
        ] {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join(&name);
            fs::create_dir(&folder).unwrap();
            assert_eq!(sweep(parent.path()).kept, 1, "{name}");
            File::open(&folder).unwrap().set_modified(old).unwrap();
            assert_eq!(sweep(parent.path()).removed, 1, "{name}");
        }
    }

    #[test]
    fn an_owned_folder_is_private_and_goes_with_its_owner() {
        let parent = tempfile::tempdir().unwrap();
        let below = parent.path().join("made").join("too");
        let folder = OwnedFolder::create(&below).unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(matches!(
            Owner::of_name(name),
            Some(Owner::Process { process, .. }) if process == std::process::id()
        ));
        drop(folder);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(&below).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_folder_is_nothing_to_sweep() {
        assert_eq!(sweep(Path::new("/nowhere/at/all")), Swept::default());
    }

    #[test]
    fn the_start_of_a_process_is_read() {
        let text = "42 (a) odd) name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
        assert_eq!(start_of_stat(text), Some(4711));
        assert_eq!(start_of_stat("nonsense"), None);
        assert!(start_of_process(std::process::id()).is_some());
        assert_eq!(start_of_process(DEAD), None);
    }
}
