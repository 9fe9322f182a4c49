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
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        let Some(chunk) = stream.try_next().await.map_err(failed)? else {
            break;
        };
        let length = bytes.len() + chunk.len();
        if length > memory.size() + STEP {
            memory.try_resize(length).map_err(failed)?;
            // Growing takes twice as much for a moment, unless it is known how far.
            bytes.reserve_exact(chunk.len().max(STEP).max(bytes.len() / 4));
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
