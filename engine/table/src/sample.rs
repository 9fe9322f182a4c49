//! Samples: the first bytes of a file after decompression.

use std::ops::Deref;
use std::sync::Arc;

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt};

use super::error::TableError;
use super::files::suffix_of;
use super::listing::ListedFile;
use super::options::Options;

/// Memory for a sample is asked for in steps of so many bytes; a small sample takes no more.
const STEP: usize = 2 << 20;

/// The first bytes of a file, for which memory is reserved.
pub(crate) struct Sample {
    bytes: Vec<u8>,
    _memory: MemoryReservation,
}

impl Sample {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Deref for Sample {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads at least `limit` bytes of a file's decompressed content, or all of it.
pub(crate) async fn read_sample(
    store: &Arc<dyn ObjectStore>,
    file: &ListedFile,
    compression: FileCompressionType,
    limit: usize,
    pool: &Arc<dyn MemoryPool>,
) -> Result<Sample, TableError> {
    let failed = |error: DataFusionError| TableError::file(&file.display, error);
    let got = store
        .get(&file.meta.location)
        .await
        .map_err(|error| TableError::store(&file.display, error))?;
    let raw = got
        .into_stream()
        .map_err(|error| DataFusionError::ObjectStore(Box::new(error)))
        .boxed();
    let mut stream = compression.convert_stream(raw).map_err(failed)?;
    let memory = MemoryConsumer::new("look at text files").register(pool);
    let mut bytes: Vec<u8> = Vec::new();
    let whole = usize::try_from(file.meta.size).unwrap_or(usize::MAX);
    if !compression.is_compressed() && whole < limit && whole > STEP {
        // It is known how much comes: that is asked for before anything is read, and nothing is moved.
        memory.try_resize(whole).map_err(failed)?;
        bytes.reserve_exact(whole);
    }
    while bytes.len() < limit {
        let Some(chunk) = stream.try_next().await.map_err(failed)? else {
            break;
        };
        let length = bytes.len() + chunk.len();
        if length > bytes.capacity().max(STEP) {
            let more = chunk.len().max(STEP).max(bytes.len() / 4);
            // While it grows, the old bytes are held beside the new ones.
            let both = bytes.capacity() + bytes.len() + more;
            memory.try_resize(both).map_err(failed)?;
            bytes.reserve_exact(more);
            memory.try_resize(bytes.capacity()).map_err(failed)?;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Sample {
        bytes,
        _memory: memory,
    })
}

/// Decides how a file is compressed: the option, or the file's suffix.
pub(crate) fn compression(
    file: &ListedFile,
    options: &Options,
) -> Result<FileCompressionType, TableError> {
    let Some(value) = options.text("compression") else {
        return Ok(suffix_of(&file.display).1);
    };
    match value.to_lowercase().as_str() {
        "auto" => Ok(suffix_of(&file.display).1),
        "none" | "uncompressed" => Ok(FileCompressionType::UNCOMPRESSED),
        "gzip" | "gz" => Ok(FileCompressionType::GZIP),
        "bzip2" | "bz2" => Ok(FileCompressionType::BZIP2),
        "xz" => Ok(FileCompressionType::XZ),
        "zstd" | "zst" => Ok(FileCompressionType::ZSTD),
        _ => Err(options.wrong(
            "compression",
            value,
            "`auto`, `none`, `gzip`, `bzip2`, `xz` or `zstd`",
        )),
    }
}
