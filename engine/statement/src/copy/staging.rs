//! A place beside a local target where files are written before they get their name.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use datafusion::common::DataFusionError;
use lakesh_memory::unfinished::Unfinished;
use nix::errno::Errno;

use super::options::{CopyOptions, Existing};

/// Files on their way to a target.
pub(super) enum Staging {
    /// An object store: an upload shows only when it is complete.
    Remote { url: String },
    /// A local target and the folder beside it.
    Local {
        target: PathBuf,
        /// Hidden, so that no reader of the parent folder sees it; removed when dropped.
        beside: Unfinished,
        url: String,
        is_folder: bool,
        existing: Existing,
    },
}

impl Staging {
    /// Makes the folder beside a local target; for a device or a pipe, in the folder `temporary`.
    pub(super) fn begin(
        target: &str,
        options: &CopyOptions,
        temporary: &Path,
    ) -> Result<Self, DataFusionError> {
        if target.contains("://") {
            return Ok(Self::Remote {
                url: target.to_owned(),
            });
        }
        let has_suffix = Path::new(target).extension().is_some();
        let ends_as_folder = target.ends_with('/');
        // Through a link the file that it stands for is written, not the link.
        let target = followed(Path::new(target.trim_end_matches('/')));
        let is_stream = is_stream(&target) && options.partition_columns.is_empty();
        let is_file = target.is_file() && !ends_as_folder;
        let is_folder =
            !is_stream && (ends_as_folder || !(has_suffix || is_file) || options.is_partitioned());
        refuse_existing(&target, is_folder, options.existing)?;
        let parent = match is_stream {
            true => temporary,
            false => target.parent().unwrap_or(Path::new("/")),
        };
        let named = |error: io::Error, path: &Path| {
            DataFusionError::IoError(io::Error::new(
                error.kind(),
                format!("`{}`: {error}", path.display()),
            ))
        };
        fs::create_dir_all(parent).map_err(|error| named(error, parent))?;
        let beside = Unfinished::folder_in(parent).map_err(|error| named(error, parent))?;
        // A name of our own: the target's may hold characters that mean something in a URL.
        let inside = if is_folder {
            let folder = beside.path().join("folder");
            fs::create_dir(&folder).map_err(|error| named(error, &folder))?;
            format!("{}/", folder.display())
        } else {
            // DataFusion makes a folder of a name without a suffix.
            let suffix = target
                .extension()
                .map_or(options.writer().into(), |suffix| suffix.to_string_lossy());
            beside
                .path()
                .join(format!("file.{suffix}"))
                .display()
                .to_string()
        };
        let url = if is_folder {
            url::Url::from_directory_path(&inside)
        } else {
            url::Url::from_file_path(&inside)
        }
        .map_err(|()| DataFusionError::Plan(format!("`{inside}` is not an absolute path")))?;
        Ok(Self::Local {
            target,
            beside,
            url: url.to_string(),
            is_folder,
            existing: options.existing,
        })
    }

    /// Returns where to write.
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Remote { url } | Self::Local { url, .. } => url,
        }
    }

    /// Gives the files their names.
    pub(super) fn finish(self) -> Result<(), DataFusionError> {
        let Self::Local {
            target,
            beside,
            is_folder,
            existing,
            ..
        } = self
        else {
            return Ok(());
        };
        let moved = if is_folder {
            let folder = beside.path().join("folder");
            match existing {
                Existing::Append if target.exists() => move_into(&folder, &target),
                _ => replace_folder(&folder, &target),
            }
        } else {
            first_file(beside.path()).and_then(|file| place_file(&file, &target))
        };
        moved.map_err(|error| {
            DataFusionError::IoError(io::Error::new(
                error.kind(),
                format!("`{}`: {error}", target.display()),
            ))
        })
    }
}

/// Resolves symbolic links, one that points nowhere yet included.
fn followed(target: &Path) -> PathBuf {
    if let Ok(resolved) = fs::canonicalize(target) {
        return resolved;
    }
    match (fs::read_link(target), target.parent()) {
        (Ok(link), Some(parent)) => parent.join(link),
        _ => target.to_owned(),
    }
}

/// Says whether something is there that is neither file nor folder: a device, a pipe.
fn is_stream(target: &Path) -> bool {
    fs::metadata(target).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Gives a file its name; one that is replaced passes its permissions on, and a device is written to.
fn place_file(file: &Path, target: &Path) -> io::Result<()> {
    if is_stream(target) {
        let mut stream = fs::OpenOptions::new().write(true).open(target)?;
        io::copy(&mut fs::File::open(file)?, &mut stream)?;
        return stream.flush();
    }
    if let Ok(replaced) = fs::metadata(target) {
        fs::set_permissions(file, replaced.permissions())?;
    }
    fs::rename(file, target)
}

fn refuse_existing(
    target: &Path,
    is_folder: bool,
    existing: Existing,
) -> Result<(), DataFusionError> {
    if !is_folder {
        if target.is_dir() {
            return Err(DataFusionError::Plan(format!(
                "`{}` is a folder",
                target.display()
            )));
        }
        return Ok(());
    }
    if target.is_file() {
        return Err(DataFusionError::Plan(format!(
            "`{}` is a file, not a folder",
            target.display()
        )));
    }
    let holds_files = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some());
    if existing == Existing::Refuse && holds_files {
        return Err(DataFusionError::Plan(format!(
            "folder `{}` holds files already; OPTIONS (overwrite true) replaces them, OPTIONS (append true) adds to them",
            target.display()
        )));
    }
    if existing == Existing::Overwrite && target.join("_delta_log").exists() {
        return Err(DataFusionError::Plan(format!(
            "`{}` is a Delta table; overwriting its files would destroy it",
            target.display()
        )));
    }
    Ok(())
}

/// Returns the only file that was written.
fn first_file(folder: &Path) -> io::Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            return Ok(path);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "no file was written",
    ))
}

/// Puts a folder in the place of another; the old one is removed with the folder beside it.
fn replace_folder(folder: &Path, target: &Path) -> io::Result<()> {
    match target.exists() {
        true => exchange(folder, target),
        false => fs::rename(folder, target),
    }
}

/// Exchanges two folders, in one step where the file system can: whoever is killed leaves one or the
/// other at the target.
fn exchange(folder: &Path, target: &Path) -> io::Result<()> {
    match exchange_at_once(folder, target) {
        Err(Errno::ENOSYS | Errno::EINVAL | Errno::EOPNOTSUPP) => exchange_in_turn(folder, target),
        exchanged => exchanged.map_err(io::Error::from),
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn exchange_at_once(folder: &Path, target: &Path) -> Result<(), Errno> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    renameat2(
        AT_FDCWD,
        folder,
        AT_FDCWD,
        target,
        RenameFlags::RENAME_EXCHANGE,
    )
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn exchange_at_once(_folder: &Path, _target: &Path) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

/// Exchanges two folders one after the other. The old one does not come into the folder beside before
/// the new one is at its place: a later start removes that folder if the process is killed in between.
fn exchange_in_turn(folder: &Path, target: &Path) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".replaced");
    let kept = target.with_file_name(name);
    fs::rename(target, &kept)?;
    if let Err(error) = fs::rename(folder, target) {
        fs::rename(&kept, target)?;
        return Err(error);
    }
    fs::rename(kept, folder)
}

/// Moves every file of a folder to the same place below another.
fn move_into(folder: &Path, target: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let to = target.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&to)?;
            move_into(&entry.path(), &to)?;
        } else {
            fs::rename(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_exchanged_in_one_step_and_in_turn() {
        let parent = tempfile::tempdir().unwrap();
        let (new, target) = (parent.path().join("new"), parent.path().join("target"));
        for (folder, text) in [(&new, "new"), (&target, "old")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("file"), text).unwrap();
        }
        let text = |folder: &Path| fs::read_to_string(folder.join("file")).unwrap();
        exchange(&new, &target).unwrap();
        assert_eq!((text(&new), text(&target)), ("old".into(), "new".into()));
        exchange_in_turn(&new, &target).unwrap();
        assert_eq!((text(&new), text(&target)), ("new".into(), "old".into()));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
        assert!(exchange(&parent.path().join("none"), &target).is_err());
        assert_eq!(text(&target), "old");
    }
}
