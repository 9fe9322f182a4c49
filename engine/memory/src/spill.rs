//! The folder for temporary files of one process, made when the first operator spills.
//!
//! DataFusion's own disk manager would make its folder when the session starts, and keeps every
//! temporary file open, of which a large sort has more than a process may. Here nothing is done before
//! it must be, a file is open only while it is written or read, and the folder is marked so that a
//! later process can tell whether its owner lives.
//!
//! Nested loop joins get no file, and fail. When one side does not fit, DataFusion 55.2 runs that side
//! a second time and joins it in pieces, partition by partition. The second run misses the files that
//! the first has read (a scan hands out each file once), and with several partitions the pieces give
//! wrong rows for every join type but the inner join: measured, a semi join gave none of 5002.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SpillFile, SpillWriter, TempFileFactory};
use futures::Stream;
use lakesh_text::effect::{Capabilities, Effect};
use lakesh_text::quantity::format_size;
use tempfile::{TempDir, TempPath};

use super::pool::SpillingPool;
use super::sweep::OwnedFolder;

/// How requests of nested loop joins begin.
const NESTED_LOOP_REQUEST: &str = "NestedLoopJoin";

/// So many bytes are read from a temporary file at a time.
const READ_SIZE: usize = 128 * 1024;

/// Makes temporary files in a folder of its own below the one that the settings name.
pub struct SpillFolder {
    parent: PathBuf,
    capabilities: Capabilities,
    pool: Arc<SpillingPool>,
    opened: Mutex<Option<Arc<OwnedFolder>>>,
    space: Arc<Space>,
    /// The process ends: no folder is made any more.
    closed: AtomicBool,
}

/// What temporary files may take and take, in bytes.
struct Space {
    limit: AtomicU64,
    used: AtomicU64,
    peak: AtomicU64,
}

impl SpillFolder {
    /// Prepares to make temporary files below `parent`, of at most `limit` bytes in all, for
    /// operators that use `pool`, where the session may have any.
    pub fn new(
        parent: PathBuf,
        limit: u64,
        pool: Arc<SpillingPool>,
        capabilities: Capabilities,
    ) -> Self {
        Self {
            parent,
            capabilities,
            pool,
            opened: Mutex::new(None),
            space: Arc::new(Space {
                limit: AtomicU64::new(limit),
                used: AtomicU64::new(0),
                peak: AtomicU64::new(0),
            }),
            closed: AtomicBool::new(false),
        }
    }

    /// The folder that the settings name.
    pub fn parent(&self) -> &Path {
        &self.parent
    }

    /// The folder of this process, once something has spilled.
    pub fn path(&self) -> Option<PathBuf> {
        self.opened()
            .as_ref()
            .map(|folder| folder.path().to_owned())
    }

    /// How many bytes lie in temporary files now.
    pub fn used(&self) -> u64 {
        self.space.used.load(Ordering::Relaxed)
    }

    /// The most bytes that lay in temporary files since the peak was last reset.
    pub fn peak(&self) -> u64 {
        self.space.peak.load(Ordering::Relaxed)
    }

    /// Begins a new measurement of the peak, from what is used now.
    pub fn reset_peak(&self) {
        self.space.peak.store(self.used(), Ordering::Relaxed);
    }

    /// The most bytes that temporary files may have.
    pub fn limit(&self) -> u64 {
        self.space.limit.load(Ordering::Relaxed)
    }

    /// Changes how many bytes temporary files may have, for writes from now on.
    pub fn set_limit(&self, limit: u64) {
        self.space.limit.store(limit, Ordering::Relaxed);
    }

    /// Removes the folder with all that is in it, at the end of the process. Work that was cancelled
    /// and has not let go yet finds its files gone and gets no new ones.
    pub fn remove(&self) {
        self.space.limit.store(0, Ordering::Relaxed);
        self.closed.store(true, Ordering::Release);
        if let Some(folder) = self.opened().take() {
            folder.remove();
        }
    }

    /// Makes a folder among the temporary files, which goes with them at the latest.
    pub fn make_folder(&self, prefix: &str) -> io::Result<ScratchFolder> {
        let owner = self.folder()?;
        let folder = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir_in(owner.path())?;
        Ok(ScratchFolder {
            folder,
            _owner: owner,
        })
    }

    fn opened(&self) -> MutexGuard<'_, Option<Arc<OwnedFolder>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> io::Result<Arc<OwnedFolder>> {
        let mut opened = self.opened();
        if self.closed.load(Ordering::Acquire) {
            return Err(io::Error::other("the session has ended"));
        }
        if let Some(folder) = opened.as_ref() {
            return Ok(Arc::clone(folder));
        }
        self.capabilities
            .require(Effect::Spill, "writing temporary files is refused")
            .map_err(io::Error::other)?;
        let folder = Arc::new(OwnedFolder::create(&self.parent)?);
        *opened = Some(Arc::clone(&folder));
        Ok(folder)
    }

    fn make_file(&self) -> io::Result<TemporaryFile> {
        let folder = self.folder()?;
        let path = tempfile::Builder::new()
            .prefix("")
            .suffix(".spill")
            .tempfile_in(folder.path())?
            .into_temp_path();
        Ok(TemporaryFile {
            path,
            size: Arc::new(AtomicU64::new(0)),
            space: Arc::clone(&self.space),
            _folder: folder,
        })
    }
}

impl fmt::Debug for SpillFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "temporary files in {}", self.parent.display())
    }
}

impl TempFileFactory for SpillFolder {
    fn create_temp_file(&self, description: &str) -> Result<Arc<dyn SpillFile>> {
        if description.starts_with(NESTED_LOOP_REQUEST) {
            let refused = self.pool.refused_nested_loop_join();
            return Err(DataFusionError::ResourcesExhausted(refused.map_or_else(
                || "a nested loop join cannot spill".to_owned(),
                |refused| refused.to_string(),
            )));
        }
        match self.make_file() {
            Ok(file) => Ok(Arc::new(file)),
            Err(error) => Err(DataFusionError::IoError(error).context(format!(
                "cannot make a temporary file in `{}`",
                self.parent.display()
            ))),
        }
    }
}

/// A folder for files that are written otherwise than by spilling; dropping it removes it.
pub struct ScratchFolder {
    folder: TempDir,
    _owner: Arc<OwnedFolder>,
}

impl ScratchFolder {
    /// Returns where the folder is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// One temporary file; dropping it removes it. Its fields are dropped in order, the folder last.
struct TemporaryFile {
    path: TempPath,
    size: Arc<AtomicU64>,
    space: Arc<Space>,
    _folder: Arc<OwnedFolder>,
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let size = self.size.load(Ordering::Relaxed);
        self.space.used.fetch_sub(size, Ordering::Relaxed);
    }
}

impl SpillFile for TemporaryFile {
    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn size(&self) -> Option<u64> {
        Some(self.size.load(Ordering::Relaxed))
    }

    fn read_stream(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
        // Read on the spot, as DataFusion writes: one read is short, most come from the page cache, and
        // handing each to a thread for blocking work costs more time, and memory for every such thread.
        let file = File::open(&self.path)?;
        let chunks = futures::stream::iter(Chunks { file });
        Ok(Box::pin(chunks))
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>> {
        let file = File::options().append(true).open(&self.path)?;
        Ok(Box::new(Writer {
            file,
            size: Arc::clone(&self.size),
            space: Arc::clone(&self.space),
        }))
    }
}

/// Reads a file piece by piece.
struct Chunks {
    file: File,
}

impl Iterator for Chunks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::with_capacity(READ_SIZE);
        match (&self.file).take(READ_SIZE as u64).read_to_end(&mut chunk) {
            Ok(0) => None,
            Ok(_) => Some(Ok(Bytes::from(chunk))),
            Err(error) => Some(Err(DataFusionError::IoError(error))),
        }
    }
}

/// Writes to a temporary file as far as the limit allows.
struct Writer {
    file: File,
    size: Arc<AtomicU64>,
    space: Arc<Space>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        self.space.take(length)?;
        if let Err(error) = self.file.write_all(bytes) {
            self.space.used.fetch_sub(length, Ordering::Relaxed);
            return Err(error);
        }
        self.size.fetch_add(length, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl SpillWriter for Writer {
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Space {
    fn take(&self, length: u64) -> io::Result<()> {
        let limit = self.limit.load(Ordering::Relaxed);
        let used = self.used.fetch_add(length, Ordering::Relaxed) + length;
        if used > limit {
            self.used.fetch_sub(length, Ordering::Relaxed);
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!(
                    "temporary files would take more than their limit of {}; raise it with \
                     `SET lakesh.temp_limit = '…'` or `--temp-limit`",
                    format_size(limit)
                ),
            ));
        }
        self.peak.fetch_max(used, Ordering::Relaxed);
        Ok(())
    }
}
