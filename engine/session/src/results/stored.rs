//! Rows of an earlier result in a file: written batch by batch, read batch by batch.
//!
//! The file is an Arrow IPC stream rather than Arrow's file format: that one takes one dictionary a
//! column, and a query may return another with each batch.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::DataFusionError;
use datafusion::datasource::TableProvider;
use datafusion::execution::{
    SendableRecordBatchStream, SpillFile, SpillWriter, TaskContext, TempFileFactory,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use lakesh_memory::runtime::Memory;

/// Rows in a temporary file, which goes when the last holder of this does.
#[derive(Clone)]
pub(super) struct StoredRows {
    schema: SchemaRef,
    file: Arc<dyn SpillFile>,
}

impl StoredRows {
    /// Writes rows to a temporary file of at most so many bytes. What was begun is removed when it fails.
    pub(super) fn write(
        memory: &Memory,
        schema: &SchemaRef,
        batches: &[RecordBatch],
        most: u64,
    ) -> Result<Self, DataFusionError> {
        let file = memory.spill().create_temp_file("an earlier result")?;
        let bounded = Bounded {
            writer: file.open_writer()?,
            left: most,
        };
        let mut writer = StreamWriter::try_new(BufWriter::new(bounded), schema)?;
        for batch in batches {
            writer.write(batch)?;
        }
        writer.finish()?;
        writer.get_mut().flush()?;
        Ok(Self {
            schema: Arc::clone(schema),
            file,
        })
    }

    /// How many bytes the file has.
    pub(super) fn bytes(&self) -> u64 {
        self.file.size().unwrap_or(0)
    }

    /// Returns the rows as a table.
    pub(super) fn table(&self) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let partition: Arc<dyn PartitionStream> = Arc::new(self.clone());
        let table = StreamingTable::try_new(Arc::clone(&self.schema), vec![partition])?;
        Ok(Arc::new(table))
    }

    /// Begins to read.
    fn batches(&self) -> Result<Batches, DataFusionError> {
        let path = self
            .file
            .path()
            .ok_or_else(|| io::Error::other("the rows of an earlier result are in no file"))?;
        Ok(Batches {
            reader: StreamReader::try_new_buffered(File::open(path)?, None)?,
            _file: Arc::clone(&self.file),
        })
    }
}

impl std::fmt::Debug for StoredRows {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("rows of an earlier result")
    }
}

impl PartitionStream for StoredRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches: Box<dyn Iterator<Item = _> + Send> = match self.batches() {
            Ok(batches) => Box::new(batches),
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        // Read on the spot: a batch is short, and most of it comes from the page cache.
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            futures::stream::iter(batches),
        ))
    }
}

/// Reads a file one batch after the other.
struct Batches {
    reader: StreamReader<BufReader<File>>,
    /// Keeps the file while it is read, also when the result is forgotten meanwhile.
    _file: Arc<dyn SpillFile>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.reader.next()?.map_err(DataFusionError::from))
    }
}

/// Writes no more than it may.
struct Bounded {
    writer: Box<dyn SpillWriter>,
    left: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::StorageFull,
                "it is larger than `lakesh.kept_results_limit`",
            )
        })?;
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
