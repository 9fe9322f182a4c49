//! Samples: the first bytes of a file after decompression.

use std::sync::Arc;

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt};

use super::error::TableError;
use super::files::suffix_of;
use super::listing::ListedFile;
use super::options::Options;

/// Reads at least `limit` bytes of a file's decompressed content, or all of it.
pub(crate) async fn read_sample(
    store: &Arc<dyn ObjectStore>,
    file: &ListedFile,
    compression: FileCompressionType,
    limit: usize,
) -> Result<Vec<u8>, TableError> {
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
    let mut sample = Vec::new();
    while sample.len() < limit {
        match stream.try_next().await.map_err(failed)? {
            Some(chunk) => sample.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(sample)
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
