//! Reads the parts of an Arrow IPC file, each only where it lies in the file.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::ipc::convert::fb_to_schema;
use datafusion::arrow::ipc::reader::read_footer_length;
use datafusion::arrow::ipc::{self, root_as_footer, root_as_message};
use datafusion::error::{DataFusionError, Result};
use object_store::{ObjectMeta, ObjectStore};

use crate::file_parts::FileParts;

/// How a file begins whose end has a footer.
const MAGIC: &[u8] = b"ARROW1";
/// The footer's length and the magic at the end of a file.
const TRAILER: u64 = 10;
/// How messages begin in all but the oldest files.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With a footer that says where the batches are.
    File,
    /// One message after the other.
    Stream,
}

/// Where a batch or a dictionary lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) begin: u64,
    /// The length of its description.
    pub(super) about: u64,
    /// The length of its columns.
    pub(super) body: u64,
}

/// What a footer says.
pub(super) struct Footer {
    pub(super) schema: SchemaRef,
    pub(super) dictionaries: Vec<Block>,
    pub(super) batches: Vec<Block>,
}

/// One file whose parts are read in their order.
pub(super) struct Parts {
    file: FileParts,
}

impl Parts {
    pub(super) fn new(store: Arc<dyn ObjectStore>, file: &ObjectMeta, path: String) -> Self {
        Self {
            file: FileParts::new(store, file, path),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.file.size()
    }

    fn broken(&self, how: &str) -> DataFusionError {
        self.file.broken(how)
    }

    /// Reads a part that must lie in the file.
    pub(super) async fn get(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.file.get(range).await
    }

    /// Finds out how the file is written.
    pub(super) async fn kind(&mut self) -> Result<Kind> {
        let head = self.get(0..self.size().min(8)).await?;
        Ok(match head.starts_with(MAGIC) {
            true => Kind::File,
            false => Kind::Stream,
        })
    }

    /// Reads the columns of the file.
    pub(super) async fn schema(&mut self, kind: Kind) -> Result<SchemaRef> {
        match kind {
            Kind::File => Ok(self.footer().await?.schema),
            Kind::Stream => Ok(self.head().await?.0),
        }
    }

    /// Reads the footer, whose blocks must lie in the file.
    pub(super) async fn footer(&mut self) -> Result<Footer> {
        let end = self.size().checked_sub(TRAILER);
        let end = end.filter(|end| *end >= 8);
        let end = end.ok_or_else(|| self.broken("it is too short for an Arrow file"))?;
        let trailer = self.get(end..self.size()).await?;
        let trailer = <[u8; 10]>::try_from(&trailer[..]).ok();
        let length = trailer.and_then(|trailer| read_footer_length(trailer).ok());
        let length = length.ok_or_else(|| self.broken("it has no footer at its end"))?;
        let begin = end.checked_sub(length as u64).filter(|begin| *begin >= 8);
        let begin = begin.ok_or_else(|| self.broken("its footer is longer than the file"))?;
        let bytes = self.get(begin..end).await?;
        self.file.forget();
        let footer = root_as_footer(&bytes)
            .map_err(|_| self.broken("its footer is no footer of an Arrow file"))?;
        let schema = self.columns(footer.schema())?;
        let blocks = |blocks: &mut dyn Iterator<Item = &ipc::Block>| {
            blocks
                .map(|block| self.block(block))
                .collect::<Result<Vec<_>>>()
        };
        let dictionaries = blocks(&mut footer.dictionaries().into_iter().flatten())?;
        let batches = blocks(&mut footer.recordBatches().into_iter().flatten())?;
        Ok(Footer {
            schema,
            dictionaries,
            batches,
        })
    }

    fn block(&self, block: &ipc::Block) -> Result<Block> {
        let begin = u64::try_from(block.offset());
        let about = u64::try_from(block.metaDataLength());
        let body = u64::try_from(block.bodyLength());
        match (begin, about, body) {
            (Ok(begin), Ok(about), Ok(body))
                if begin
                    .checked_add(about)
                    .and_then(|end| end.checked_add(body))
                    .is_some_and(|end| end <= self.size()) =>
            {
                Ok(Block { begin, about, body })
            }
            _ => Err(self.broken("its footer names a batch that lies outside of it")),
        }
    }

    /// Reads the first message of a stream: its columns, and where the next message begins.
    pub(super) async fn head(&mut self) -> Result<(SchemaRef, u64)> {
        let start = self.get(0..self.size().min(8)).await?;
        let word = start.strip_prefix(&CONTINUATION[..]).unwrap_or(&start);
        let length = word.first_chunk::<4>().copied().map(i32::from_le_bytes);
        let length = length.and_then(|length| u64::try_from(length).ok());
        if length.is_none_or(|length| length > self.size()) {
            return Err(self.broken("it begins like no Arrow file"));
        }
        let Some((about, begin)) = self.about(0).await? else {
            return Err(self.broken("it begins like no Arrow file"));
        };
        let message =
            root_as_message(&about).map_err(|_| self.broken("it begins like no Arrow file"))?;
        let schema = self.columns(message.header_as_schema())?;
        Ok((schema, begin))
    }

    /// Reads the description of the message at a place, and says where what follows it begins; `None` at the
    /// end.
    pub(super) async fn about(&mut self, at: u64) -> Result<Option<(Bytes, u64)>> {
        // A stream may end without a mark, or with one of either length.
        if at == self.size() {
            return Ok(None);
        }
        let mut begin = at + 4;
        let mut word = self.get(at..begin).await?;
        if word[..] == CONTINUATION {
            word = self.get(begin..begin + 4).await?;
            begin += 4;
        }
        let length = <[u8; 4]>::try_from(&word[..]).map_or(-1, i32::from_le_bytes);
        let length = u64::try_from(length)
            .map_err(|_| self.broken("a message in it has an impossible length"))?;
        if length == 0 {
            return Ok(None);
        }
        let about = self.get(begin..begin + length).await?;
        Ok(Some((about, begin + length)))
    }

    fn columns(&self, schema: Option<ipc::Schema<'_>>) -> Result<SchemaRef> {
        let schema = schema.ok_or_else(|| self.broken("it does not say which columns it has"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(DataFusionError::NotImplemented(format!(
                "`{}` has its numbers in the order of bytes of another sort of machine",
                self.file.path()
            )));
        }
        if schema.fields().is_none() {
            return Err(self.broken("it does not say which columns it has"));
        }
        // The library panics on types that it does not know.
        let read = catch_unwind(AssertUnwindSafe(|| fb_to_schema(schema)));
        let schema: Schema =
            read.map_err(|_| self.broken("the description of its columns is none"))?;
        Ok(Arc::new(schema))
    }
}

/// Splits the description off the bytes at its beginning that say how long it is.
pub(super) fn description(block: &[u8]) -> Option<&[u8]> {
    match block.starts_with(&CONTINUATION) {
        true => block.get(8..),
        false => block.get(4..),
    }
}
