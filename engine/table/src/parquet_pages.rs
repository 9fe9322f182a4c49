//! Pages that say of themselves what is not so.
//!
//! Writers before parquet-cpp 3.0 marked pages of the second version as not compressed when they were (Apache
//! Arrow's ARROW-17100). The library below takes the mark for true and reads the compressed bytes as values, without
//! a word. There is no telling it otherwise, so that such files are refused.

use std::io::Read;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::parquet::basic::Compression;
use datafusion::parquet::column::page::PageReader;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use datafusion::parquet::file::reader::{ChunkReader, Length};
use datafusion::parquet::file::serialized_reader::SerializedPageReader;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

/// What the writers call themselves; later ones are `parquet-cpp-arrow`.
const WRITER: &str = "parquet-cpp version";

/// So many bytes hold the head of a page, unless its statistics are long values.
const HEAD: u64 = 1 << 16;

/// Finds a column whose compressed pages claim not to be; `None` where there is none.
pub(super) async fn column_with_false_pages(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    footer: &ParquetMetaData,
) -> Result<Option<String>, ParquetError> {
    let writer = footer.file_metadata().created_by().unwrap_or_default();
    if !writer.starts_with(WRITER) {
        return Ok(None);
    }
    for group in footer.row_groups() {
        for chunk in group.columns() {
            if chunk.compression() == Compression::UNCOMPRESSED {
                continue;
            }
            let chunk = behind_dictionary(chunk)?;
            let (start, length) = chunk.byte_range();
            let mut kind = None;
            // Statistics of long values can make a head longer than most; then the whole chunk is read.
            for read in [length.min(HEAD), length] {
                let got = store.get_range(path, start..start + read).await;
                let bytes = got.map_err(|error| ParquetError::External(Box::new(error)))?;
                kind = is_of_second_version(start, bytes, &chunk)?;
                if kind.is_some() {
                    break;
                }
            }
            if kind == Some(true) {
                return Ok(Some(chunk.column_path().string()));
            }
        }
    }
    Ok(None)
}

/// The same chunk from its first page with values on: a dictionary can be longer than the head that is read.
fn behind_dictionary(chunk: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData, ParquetError> {
    let skipped = match chunk.dictionary_page_offset() {
        Some(dictionary) => (chunk.data_page_offset() - dictionary).max(0),
        None => 0,
    };
    let builder = chunk.clone().into_builder();
    builder
        .set_dictionary_page_offset(None)
        .set_total_compressed_size((chunk.compressed_size() - skipped).max(0))
        .build()
}

/// Looks at the head of a chunk's first page; `None` where it goes on behind the bytes.
fn is_of_second_version(
    start: u64,
    bytes: Bytes,
    chunk: &ColumnChunkMetaData,
) -> Result<Option<bool>, ParquetError> {
    let head = Arc::new(Head { start, bytes });
    let rows = usize::try_from(chunk.num_values()).unwrap_or_default();
    let mut pages = SerializedPageReader::new(head, chunk, rows, None)?;
    match pages.peek_next_page() {
        // Only pages of the second version say how many rows they have.
        Ok(Some(page)) => Ok(Some(page.num_rows.is_some())),
        Ok(None) => Ok(Some(false)),
        // Whatever else is wrong with the page is told by the one who reads it.
        Err(_) => Ok(None),
    }
}

/// The first bytes of a column chunk, at their place in the file.
struct Head {
    start: u64,
    bytes: Bytes,
}

impl Head {
    fn from(&self, place: u64) -> Result<Bytes, ParquetError> {
        let skipped = place.checked_sub(self.start);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        match skipped {
            Some(skipped) if skipped <= self.bytes.len() => Ok(self.bytes.slice(skipped..)),
            _ => Err(ParquetError::EOF("the head of a page is too long".into())),
        }
    }
}

impl Length for Head {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Head {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(Box::new(self.from(start)?.reader()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        match length <= bytes.len() {
            true => Ok(bytes.slice(..length)),
            false => Err(ParquetError::EOF("the page is too long".into())),
        }
    }
}
