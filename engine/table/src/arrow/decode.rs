//! Makes rows of a message of Arrow IPC, after what it says of lengths was compared with what is there.
//!
//! The library reserves memory for any length that a file names, and panics where buffers lie outside of
//! their body.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::{RecordBatchDecoder, read_dictionary};
use datafusion::arrow::ipc::{self, MessageHeader, root_as_message};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use crate::file_parts::broken;

/// How long the number before a compressed buffer is, which says how long the buffer is without
/// compression; -1 where it is not compressed.
const PREFIX: usize = 8;
const NOT_COMPRESSED: i64 = -1;

/// No codec makes more of a byte than this, and a little besides.
const MOST_EXPANSION: usize = 1 << 16;

/// So many rows may a batch have whose columns are empty, as those of NULL are.
const ROWS_WITHOUT_BYTES: u64 = 1 << 24;

/// Decodes the messages of one file.
pub(super) struct Decoder {
    /// The file, as it is shown.
    path: String,
    schema: SchemaRef,
    /// The columns that are asked for.
    projection: Vec<usize>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Bytes of the dictionaries so far.
    kept: usize,
    memory: MemoryReservation,
}

impl Decoder {
    pub(super) fn new(
        path: String,
        schema: SchemaRef,
        projection: Vec<usize>,
        pool: &Arc<dyn MemoryPool>,
    ) -> Self {
        Self {
            path,
            schema,
            projection,
            dictionaries: HashMap::new(),
            kept: 0,
            memory: MemoryConsumer::new("reader of Arrow files").register(pool),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Reserves memory for a message before it is read.
    pub(super) fn reserve(&self, bytes: usize) -> Result<()> {
        self.memory.try_resize(self.kept.saturating_add(bytes))
    }

    /// Returns the rows of a message; `None` of a dictionary.
    pub(super) fn decode(&mut self, about: &[u8], body: &Buffer) -> Result<Option<RecordBatch>> {
        let decoded = catch_unwind(AssertUnwindSafe(|| self.message(about, body)));
        decoded.unwrap_or_else(|_| Err(self.broken("a batch in it cannot be decoded")))
    }

    fn broken(&self, how: &str) -> DataFusionError {
        broken(&self.path, how)
    }

    fn said(&self, error: &ArrowError) -> DataFusionError {
        let text = error.to_string();
        let (_, reason) = text.split_once(" error: ").unwrap_or(("", &text));
        self.broken(&format!("a batch in it cannot be decoded: {reason}"))
    }

    fn message(&mut self, about: &[u8], body: &Buffer) -> Result<Option<RecordBatch>> {
        let message = root_as_message(about)
            .map_err(|_| self.broken("the description of a batch is no such description"))?;
        let version = message.version();
        match message.header_type() {
            MessageHeader::NONE => Ok(None),
            MessageHeader::DictionaryBatch => {
                let dictionary = message
                    .header_as_dictionary_batch()
                    .filter(|dictionary| dictionary.data().is_some())
                    .ok_or_else(|| self.broken("a dictionary in it is empty"))?;
                if let Some(values) = dictionary.data() {
                    self.kept = self.kept.saturating_add(self.check(&values, body)?);
                }
                let known = &mut self.dictionaries;
                read_dictionary(body, dictionary, &self.schema, known, &version)
                    .map_err(|error| self.said(&error))?;
                Ok(None)
            }
            MessageHeader::RecordBatch => {
                let batch = message
                    .header_as_record_batch()
                    .ok_or_else(|| self.broken("a batch in it is empty"))?;
                self.check(&batch, body)?;
                let schema = Arc::clone(&self.schema);
                RecordBatchDecoder::try_new(body, batch, schema, &self.dictionaries, &version)
                    .map(|decoder| decoder.with_projection(Some(self.projection.as_slice())))
                    .and_then(RecordBatchDecoder::read_record_batch)
                    .map(Some)
                    .map_err(|error| self.said(&error))
            }
            _ => Err(self.broken("it has a message that is no batch among its batches")),
        }
    }

    /// Compares a batch with its body, and reserves the memory that it takes once it is decoded.
    fn check(&self, batch: &ipc::RecordBatch<'_>, body: &Buffer) -> Result<usize> {
        let compressed = batch.compression().is_some();
        let mut bytes = body.len();
        for buffer in batch.buffers().into_iter().flatten() {
            let begin = usize::try_from(buffer.offset()).ok();
            let length = usize::try_from(buffer.length()).ok();
            let content = begin.zip(length).and_then(|(begin, length)| {
                let end = begin.checked_add(length)?;
                body.get(begin..end)
            });
            let content =
                content.ok_or_else(|| self.broken("a column of a batch lies outside of it"))?;
            if compressed && !content.is_empty() {
                let more = plain_length(content)
                    .ok_or_else(|| self.broken("a column of a batch has an impossible length"))?;
                bytes = bytes.saturating_add(more);
            }
        }
        let rows = u64::try_from(batch.length()).unwrap_or(u64::MAX);
        let most = (bytes as u64).saturating_mul(8) + ROWS_WITHOUT_BYTES;
        let nodes = batch.nodes().into_iter().flatten();
        let honest = nodes
            .map(|node| u64::try_from(node.length()).unwrap_or(u64::MAX))
            .chain([rows])
            .all(|rows| rows <= most);
        if !honest {
            return Err(self.broken("a batch has fewer rows than it says"));
        }
        self.reserve(bytes)?;
        Ok(bytes)
    }
}

/// Reads how long a compressed buffer is without compression, beyond what it takes as it is.
fn plain_length(content: &[u8]) -> Option<usize> {
    let prefix: [u8; PREFIX] = content.get(..PREFIX)?.try_into().ok()?;
    match i64::from_le_bytes(prefix) {
        NOT_COMPRESSED => Some(0),
        length => {
            let most = content.len().saturating_mul(MOST_EXPANSION);
            usize::try_from(length)
                .ok()
                .filter(|length| *length <= most)
        }
    }
}
