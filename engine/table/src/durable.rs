//! Flushes what a commit consists of to the disk, for tables on disks of this machine.
//!
//! A file that was written and closed is in the memory of the system, and gets to the disk in half a minute
//! or so. The names of files may get there before their content: after a power cut a log can name data
//! files that are empty, and hold an entry that is empty, so that the whole table cannot be read any more,
//! and not only the last commit is lost. So the data files are flushed before the entry that names them is
//! written, and the entry before the statement says that it is done. Object stores do that by themselves.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use deltalake::kernel::Action;
use futures::{StreamExt, TryStreamExt};
use url::Url;

use crate::delta_log::{LAST_CHECKPOINT, LOG_FOLDER};

/// How many files are flushed at a time.
const FLUSHES: usize = 8;

/// The folder of a table whose commits are flushed.
#[derive(Debug, Clone)]
pub(crate) struct Durable {
    folder: PathBuf,
}

impl Durable {
    /// Finds the folder of a table; nothing for one that lies elsewhere than on a disk.
    pub(crate) fn of(root: &Url) -> Option<Self> {
        let folder = root.to_file_path().ok();
        let folder = folder.filter(|_| root.scheme() == "file")?;
        Some(Self { folder })
    }

    /// Flushes the files that a commit adds, and the folders in which their names stand.
    pub(crate) async fn flush_added(&self, actions: &[Action]) -> io::Result<()> {
        let root = self.folder.as_path();
        let added: Vec<PathBuf> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Add(file) => Some(file.path.as_str()),
                Action::Cdc(file) => Some(file.path.as_str()),
                _ => None,
            })
            .map(|path| root.join(path))
            // Files of a shallow clone are another table's.
            .filter(|path| path.starts_with(root))
            .collect();
        let folders: BTreeSet<PathBuf> = added
            .iter()
            .flat_map(|file| {
                let above = file.ancestors().skip(1);
                above.take_while(move |folder| folder.starts_with(root))
            })
            .map(Path::to_owned)
            .collect();
        flush_all(added, flush_file).await?;
        flush_all(folders, flush_folder).await
    }

    /// Flushes the entry of a version. That of a new table takes the folders with it which were made for it.
    pub(crate) async fn flush_entry(&self, version: u64, is_new: bool) -> io::Result<()> {
        let log = self.folder.join(LOG_FOLDER);
        flush_all([log.join(format!("{version:020}.json"))], flush_file).await?;
        let above = [Some(self.folder.as_path()), self.folder.parent()];
        let above = above.into_iter().flatten().filter(|_| is_new);
        let folders = [log.as_path()].into_iter().chain(above);
        flush_all(folders.map(Path::to_owned), flush_folder).await
    }

    /// Flushes the checkpoint of a version: an empty one would hide the commits that it stands for.
    pub(crate) async fn flush_checkpoint(&self, version: u64) -> io::Result<()> {
        let log = self.folder.join(LOG_FOLDER);
        let begin = format!("{version:020}.checkpoint");
        let listed = log.clone();
        let files = on_own_thread(move || {
            let is_of_it = |name: &str| name.starts_with(&begin) || name == LAST_CHECKPOINT;
            let entries = std::fs::read_dir(&listed)?.filter_map(Result::ok);
            let of_it = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_of_it));
            Ok(of_it.map(|entry| entry.path()).collect::<Vec<_>>())
        });
        flush_all(files.await?, flush_file).await?;
        flush_all([log], flush_folder).await
    }
}

async fn flush_all(
    paths: impl IntoIterator<Item = PathBuf>,
    flush: fn(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let flushes: Vec<_> = paths
        .into_iter()
        .map(|path| on_own_thread(move || flush(&path)))
        .collect();
    futures::stream::iter(flushes)
        .buffer_unordered(FLUSHES)
        .try_collect()
        .await
}

/// Does what may take long on a thread on which nothing else waits.
async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

fn flush_file(path: &Path) -> io::Result<()> {
    flushed(File::open(path).and_then(|file| file.sync_data()))
}

/// Flushes the names that stand in a folder.
fn flush_folder(path: &Path) -> io::Result<()> {
    flushed(File::open(path).and_then(|folder| folder.sync_all()))
}

/// A file that is not there is nothing to flush; others say so. Nor is what cannot be flushed, as folders on
/// some network disks, or be opened.
fn flushed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound
                    | ErrorKind::InvalidInput
                    | ErrorKind::Unsupported
                    | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use deltalake::kernel::{Add, AddCDCFile};

    use super::*;

    fn durable(folder: &Path) -> Durable {
        let url = Url::from_directory_path(folder).unwrap();
        Durable::of(&url).unwrap()
    }

    #[test]
    fn only_local_tables_are_flushed() {
        for url in ["s3://bucket/t/", "memory:///t/", "https://host/t/"] {
            assert!(Durable::of(&Url::parse(url).unwrap()).is_none(), "{url}");
        }
    }

    #[tokio::test]
    async fn whatever_a_commit_names_can_be_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("t");
        for name in ["a.parquet", "p=a%20b/b.parquet", "_change_data/c.parquet"] {
            let path = table.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "rows").unwrap();
        }
        let durable = durable(&table);
        let add = |path: &str| {
            Action::Add(Add {
                path: path.to_owned(),
                ..Add::default()
            })
        };
        let change = AddCDCFile {
            path: "_change_data/c.parquet".to_owned(),
            ..AddCDCFile::default()
        };
        let actions = [
            add("a.parquet"),
            add("p=a%20b/b.parquet"),
            add("gone.parquet"),
            add("/somewhere/else.parquet"),
            Action::Cdc(change),
        ];
        durable.flush_added(&actions).await.unwrap();

        let log = table.join(LOG_FOLDER);
        std::fs::create_dir(&log).unwrap();
        std::fs::write(log.join(format!("{:020}.json", 0)), "{}").unwrap();
        std::fs::write(log.join(LAST_CHECKPOINT), "{}").unwrap();
        for is_new in [true, false] {
            durable.flush_entry(0, is_new).await.unwrap();
        }
        durable.flush_checkpoint(0).await.unwrap();
    }

    #[test]
    fn a_disk_that_fails_is_heard_of() {
        let failed = |code| flushed(Err(io::Error::from_raw_os_error(code)));
        // EIO and ENOSPC.
        assert!(failed(5).is_err() && failed(28).is_err());
        // ENOENT, EINVAL and EACCES.
        assert!(failed(2).is_ok() && failed(22).is_ok() && failed(13).is_ok());
    }
}
