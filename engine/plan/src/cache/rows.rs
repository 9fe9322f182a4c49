//! Rows that are kept: in memory as far as the budget and the pool allow, else in temporary files.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, SpillWriter, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};

use super::Budget;

/// Where rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In memory; rows that do not fit are an error.
    Memory,
    /// In memory as far as they fit, then in files.
    MemoryAndDisk,
    /// In files.
    Disk,
}

impl Storage {
    /// Reads the name that OPTIONS and SHOW CACHE use.
    pub fn from_text(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "memory" | "memory_only" => Some(Self::Memory),
            "memory_and_disk" => Some(Self::MemoryAndDisk),
            "disk" | "disk_only" => Some(Self::Disk),
            _ => None,
        }
    }

    /// Returns the name that OPTIONS and SHOW CACHE use.
    pub(crate) fn as_text(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::MemoryAndDisk => "memory_and_disk",
            Self::Disk => "disk",
        }
    }
}

/// The rows of one partition, those in memory first.
#[derive(Default)]
struct Part {
    batches: Vec<RecordBatch>,
    file: Option<Arc<dyn SpillFile>>,
}

/// Rows that are kept until the last reader has let go of them.
pub struct HeldRows {
    schema: SchemaRef,
    parts: Vec<Part>,
    pub rows: u64,
    pub(crate) disk_bytes: u64,
    manager: SpillManager,
    reserved: Reserved,
}

/// Memory of the pool and of the budget, given back when it is dropped.
struct Reserved {
    pool: MemoryReservation,
    limit: usize,
    budget: Arc<Budget>,
}

impl Reserved {
    fn try_grow(&self, bytes: usize) -> bool {
        if !self.budget.take(bytes, self.limit) {
            return false;
        }
        let granted = self.pool.try_grow(bytes).is_ok();
        if !granted {
            self.budget.give_back(bytes);
        }
        granted
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.budget.give_back(self.pool.size());
    }
}

impl fmt::Debug for HeldRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} rows", self.rows)
    }
}

impl HeldRows {
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(super) fn partitions(&self) -> usize {
        self.parts.len()
    }

    /// The bytes that are held in memory.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.reserved.pool.size() as u64
    }

    /// Reads a partition, or some columns of it.
    pub(super) fn stream(
        self: &Arc<Self>,
        partition: usize,
        projection: Option<Arc<[usize]>>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(part) = self.parts.get(partition) else {
            return Err(DataFusionError::Execution(format!(
                "there is no partition {partition} of the rows that are kept"
            )));
        };
        let batches: Vec<Result<RecordBatch>> = part.batches.iter().cloned().map(Ok).collect();
        let in_memory = stream::iter(batches);
        let rows = match &part.file {
            None => in_memory.boxed(),
            Some(file) => in_memory
                .chain(self.manager.read_spill_as_stream(Arc::clone(file), None)?)
                .boxed(),
        };
        let schema = match &projection {
            None => Arc::clone(&self.schema),
            Some(columns) => Arc::new(self.schema.project(columns)?),
        };
        // The rows live as long as somebody reads them.
        let held = Arc::clone(self);
        let rows = rows.and_then(move |batch| {
            let _held = &held;
            let projected = match &projection {
                None => Ok(batch),
                Some(columns) => batch.project(columns).map_err(DataFusionError::from),
            };
            std::future::ready(projected)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// Takes the rows of several partitions in.
pub(super) struct Keeper {
    schema: SchemaRef,
    storage: Storage,
    manager: SpillManager,
    disk: Arc<DiskManager>,
    reserved: Reserved,
}

/// The rows of one partition on their way.
pub(super) struct PartKeeper {
    keeper: Arc<Keeper>,
    part: Part,
    rows: u64,
    file: Option<OpenFile>,
}

/// A temporary file that rows are written to.
struct OpenFile {
    file: Arc<dyn SpillFile>,
    writer: StreamWriter<Box<dyn SpillWriter>>,
}

/// A partition that is complete.
pub(super) struct KeptPart {
    part: Part,
    rows: u64,
    disk_bytes: u64,
}

impl Keeper {
    pub(super) fn new(
        schema: SchemaRef,
        storage: Storage,
        budget: Arc<Budget>,
        context: &TaskContext,
    ) -> Self {
        let runtime = context.runtime_env();
        let limit = match runtime.memory_pool.memory_limit() {
            MemoryLimit::Finite(limit) => limit,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        let pool = MemoryConsumer::new("CachedRows").register(&runtime.memory_pool);
        let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        Self {
            disk: Arc::clone(&runtime.disk_manager),
            manager: SpillManager::new(runtime, metrics, Arc::clone(&schema)),
            schema,
            storage,
            reserved: Reserved {
                pool,
                limit,
                budget,
            },
        }
    }

    fn open_file(&self) -> Result<OpenFile> {
        let file = self.disk.create_tmp_file("cached rows")?;
        let writer = StreamWriter::try_new(file.open_writer()?, &self.schema)?;
        Ok(OpenFile { file, writer })
    }

    pub(super) fn part(self: &Arc<Self>) -> PartKeeper {
        PartKeeper {
            keeper: Arc::clone(self),
            part: Part::default(),
            rows: 0,
            file: None,
        }
    }

    /// Puts complete partitions together.
    pub(super) fn finish(self, parts: Vec<KeptPart>) -> HeldRows {
        HeldRows {
            rows: parts.iter().map(|part| part.rows).sum(),
            disk_bytes: parts.iter().map(|part| part.disk_bytes).sum(),
            parts: parts.into_iter().map(|part| part.part).collect(),
            schema: self.schema,
            manager: self.manager,
            reserved: self.reserved,
        }
    }
}

impl PartKeeper {
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        let keeper = Arc::clone(&self.keeper);
        // What has begun to go to a file goes on there, so that the order of the rows stays.
        if self.file.is_none() && keeper.storage != Storage::Disk {
            if keeper
                .reserved
                .try_grow(get_record_batch_memory_size(&batch))
            {
                self.part.batches.push(batch);
                return Ok(());
            }
            if keeper.storage == Storage::Memory {
                return Err(DataFusionError::ResourcesExhausted(
                    "the rows do not fit into the cache's share of the memory limit; raise it with `SET lakesh.cache_share = …`, or cache with OPTIONS ('storage' = 'memory_and_disk')"
                        .to_owned(),
                ));
            }
        }
        let open = match &mut self.file {
            Some(open) => open,
            none => none.insert(keeper.open_file()?),
        };
        open.writer.write(&batch)?;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<KeptPart> {
        let mut disk_bytes = 0;
        if let Some(mut open) = self.file.take() {
            open.writer.finish()?;
            open.writer.into_inner()?.finish()?;
            disk_bytes = open.file.size().unwrap_or(0);
            self.part.file = Some(open.file);
        }
        Ok(KeptPart {
            part: self.part,
            rows: self.rows,
            disk_bytes,
        })
    }
}
