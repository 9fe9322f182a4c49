//! Reads parts of one file in their order, each only where it lies in the file.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use lakesh_text::failure::damaged;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

/// How much is read at least, so that small parts do not each take a request.
const WINDOW: u64 = 1 << 20;

/// Says that a file is damaged, as an error of a scan.
pub(crate) fn broken(path: &str, how: &str) -> DataFusionError {
    DataFusionError::External(Box::new(damaged(path, how)))
}

/// One file whose parts are read in their order.
pub(crate) struct FileParts {
    store: Arc<dyn ObjectStore>,
    location: Path,
    size: u64,
    /// The file, as it is shown.
    path: String,
    /// What was read last, and where it begins.
    window: (u64, Bytes),
}

impl FileParts {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, file: &ObjectMeta, path: String) -> Self {
        Self {
            store,
            location: file.location.clone(),
            size: file.size,
            path,
            window: (0, Bytes::new()),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the file, as it is shown.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Says that the file is damaged, and how.
    pub(crate) fn broken(&self, how: &str) -> DataFusionError {
        broken(&self.path, how)
    }

    /// Reads a part that must lie in the file.
    pub(crate) async fn get(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(self.broken("it ends before what it says is in it"));
        }
        let (begin, bytes) = &self.window;
        let outside = range.start < *begin || range.end > begin + bytes.len() as u64;
        if outside {
            let end = range
                .end
                .max(range.start.saturating_add(WINDOW))
                .min(self.size);
            let bytes = self
                .store
                .get_range(&self.location, range.start..end)
                .await?;
            if (bytes.len() as u64) < range.end - range.start {
                return Err(self.broken("it became shorter while it was read"));
            }
            self.window = (range.start, bytes);
        }
        let (begin, bytes) = &self.window;
        let offset = usize::try_from(range.start - begin).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        Ok(bytes.slice(offset..offset + length))
    }

    /// Lets go of what was read last.
    pub(crate) fn forget(&mut self) {
        self.window = (0, Bytes::new());
    }
}
