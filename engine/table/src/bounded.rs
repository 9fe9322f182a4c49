//! Decoders of text files that hold no more than memory allows.
//!
//! A line of a text file may be as long as the file, and of a compressed one a thousand times longer. The
//! libraries' decoders hold a batch of records, however long each is.

use std::io::BufRead;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::{csv, json};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::quantity::format_size;
use object_store::path::Path;

/// A record may take this part of the memory limit: its text is held several times until it is in columns.
const RECORD_PART: usize = 8;
/// What is looked at of all files together may take this part.
const LOOK_PART: usize = 4;
/// The text of a batch should take this part, for each thread holds one; but a batch has a record at least.
const BATCH_PART: usize = 32;
const FEWEST_RECORDS: usize = 1;
/// Memory is asked for in steps of so many bytes.
const STEP: usize = 1 << 20;
/// A decoder is given so much at a time, so that it stops soon behind the bound.
const PIECE: usize = 1 << 18;
/// What a decoder holds beside the text: where values end, and the columns that are made of it.
const HELD_FOR_A_BYTE: usize = 2;

/// How much of the files of a table may be held at once.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pool: Arc<dyn MemoryPool>,
    root: Arc<str>,
}

impl Bounds {
    /// `root` is what stands before a path of the store where it is shown.
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>, root: &str) -> Self {
        Self {
            pool: Arc::clone(pool),
            root: root.into(),
        }
    }

    /// Returns how long a record may be.
    pub(crate) fn longest_record(&self) -> usize {
        part(&self.pool, RECORD_PART)
    }

    /// Cuts how much is looked at to what memory allows.
    pub(crate) fn look(&self, bytes: usize) -> usize {
        bytes.min(part(&self.pool, LOOK_PART))
    }

    /// Cuts how many records make a batch, where they are long.
    pub(crate) fn batch(&self, records: usize, bytes_each: usize) -> usize {
        let fitting = part(&self.pool, BATCH_PART) / bytes_each.max(1);
        records.min(fitting.max(FEWEST_RECORDS))
    }

    /// Lets a decoder hold what it may of the file at a path.
    pub(crate) fn decoder<D: Records>(&self, inner: D, location: &Path) -> Bounded<D> {
        Bounded {
            inner,
            path: format!("{}{location}", self.root),
            longest: self.longest_record(),
            record: 0,
            held: 0,
            memory: MemoryConsumer::new("reader of text files").register(&self.pool),
        }
    }
}

fn part(pool: &Arc<dyn MemoryPool>, part: usize) -> usize {
    match pool.memory_limit() {
        MemoryLimit::Finite(limit) => limit / part,
        _ => usize::MAX,
    }
}

/// Says that a record is longer than memory allows.
pub(crate) fn too_long(path: &str, longest: usize) -> Failure {
    let size = format_size(longest as u64);
    Failure::new(
        FailureKind::Resources,
        format!(
            "a record of `{path}` is longer than {size}, a part of the memory limit that one record may take"
        ),
    )
    .hint(
        "see whether the delimiter, the quote and the line breaks are the right ones; \
         `SET lakesh.memory_limit = '…'` or `--memory-limit` makes room for longer records",
    )
}

/// A decoder of records from text.
pub(crate) trait Records: Send {
    /// Takes what it can of a piece of text, an empty one at the end, and returns how much it took.
    fn decode(&mut self, text: &[u8]) -> Result<usize, ArrowError>;

    /// Returns the records so far.
    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError>;

    /// Counts the records that are held; a decoder may count one that has begun.
    fn count(&self) -> usize;

    /// Says whether a batch is full.
    fn is_full(&self) -> bool;
}

impl Records for json::reader::Decoder {
    fn decode(&mut self, text: &[u8]) -> Result<usize, ArrowError> {
        self.decode(text)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.flush()
    }

    fn count(&self) -> usize {
        self.len()
    }

    // It says so by leaving text untaken.
    fn is_full(&self) -> bool {
        false
    }
}

/// A decoder of delimited text, with the records that make a batch.
pub(crate) struct Delimited {
    pub(crate) inner: csv::reader::Decoder,
    pub(crate) batch: usize,
}

impl Records for Delimited {
    fn decode(&mut self, text: &[u8]) -> Result<usize, ArrowError> {
        self.inner.decode(text)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.inner.flush()
    }

    fn count(&self) -> usize {
        self.batch.saturating_sub(self.inner.capacity())
    }

    fn is_full(&self) -> bool {
        self.inner.capacity() == 0
    }
}

/// A decoder that is watched.
pub(crate) struct Bounded<D> {
    inner: D,
    /// The file, as it is shown.
    path: String,
    longest: usize,
    /// How much was taken since a record ended.
    record: usize,
    /// How much was taken since a batch was given away.
    held: usize,
    memory: MemoryReservation,
}

impl<D: Records> Bounded<D> {
    /// Gives the decoder a piece of text; an empty one at the end.
    fn take(&mut self, text: &[u8]) -> Result<(usize, Option<RecordBatch>)> {
        let text = &text[..text.len().min(PIECE)];
        let before = self.inner.count();
        self.reserve(self.held + text.len())?;
        let taken = self.inner.decode(text)?;
        self.held += taken;
        self.record = match self.inner.count() == before {
            true => self.record + taken,
            false => taken,
        };
        if self.record > self.longest {
            let failure = too_long(&self.path, self.longest);
            return Err(DataFusionError::External(Box::new(failure)));
        }
        // Text that is left untaken is that of the next batch, and the end ends the last one.
        let ends = text.is_empty() || taken < text.len() || self.inner.is_full();
        if !ends {
            return Ok((taken, None));
        }
        let batch = self.inner.flush()?;
        self.held = 0;
        self.record = 0;
        self.memory.free();
        Ok((taken, batch))
    }

    fn reserve(&self, held: usize) -> Result<()> {
        let wanted = held.saturating_mul(HELD_FOR_A_BYTE) / STEP * STEP;
        match wanted > self.memory.size() {
            true => self.memory.try_resize(wanted),
            false => Ok(()),
        }
    }

    /// Decodes what a reader gives.
    pub(crate) fn read(
        mut self,
        mut text: impl BufRead + Send + 'static,
    ) -> impl Iterator<Item = Result<RecordBatch>> + Send + 'static
    where
        D: 'static,
    {
        let mut ended = false;
        std::iter::from_fn(move || {
            while !ended {
                let step = text
                    .fill_buf()
                    .map_err(DataFusionError::from)
                    .and_then(|piece| {
                        ended = piece.is_empty();
                        self.take(piece)
                    });
                match step {
                    Err(error) => {
                        ended = true;
                        return Some(Err(error));
                    }
                    Ok((taken, batch)) => {
                        text.consume(taken);
                        if let Some(batch) = batch {
                            return Some(Ok(batch));
                        }
                    }
                }
            }
            None
        })
    }

    /// Decodes what comes in pieces.
    pub(crate) fn stream(
        self,
        text: BoxStream<'static, Result<Bytes>>,
    ) -> impl Stream<Item = Result<RecordBatch>> + Send + 'static
    where
        D: 'static,
    {
        let state = (self, text, Bytes::new(), false);
        futures::stream::try_unfold(
            state,
            |(mut decoder, mut text, mut piece, mut ended)| async move {
                while !ended {
                    if piece.is_empty() {
                        match text.next().await.transpose()? {
                            Some(next) if next.is_empty() => continue,
                            Some(next) => piece = next,
                            None => ended = true,
                        }
                    }
                    let (taken, batch) = decoder.take(&piece)?;
                    piece.advance(taken);
                    if let Some(batch) = batch {
                        return Ok(Some((batch, (decoder, text, piece, ended))));
                    }
                }
                Ok::<_, DataFusionError>(None)
            },
        )
    }
}
