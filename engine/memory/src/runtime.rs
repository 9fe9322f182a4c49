//! The DataFusion runtime of a session: memory pool, temporary files, caches, object stores.
//!
//! Building it touches no file, so that a session that needs none starts at once.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};

use lakesh_text::effect::Capabilities;

use super::exhausted::{Exhausted, exhausted_by};
use super::limit::default_limit;
use super::planning;
use super::pool::{MemoryUse, SpillingPool};
use super::spill::SpillFolder;

const MIB: u64 = 1024 * 1024;

/// At most so many bytes of temporary files, unless the settings say otherwise.
pub const DEFAULT_TEMP_LIMIT: u64 = 1024 * 1024 * MIB;

/// The metadata cache takes this part of the memory limit, and no more than DataFusion's default.
const METADATA_CACHE_PART: u64 = 16;
const LARGEST_METADATA_CACHE: u64 = 50 * MIB;

/// What DataFusion says when a nested loop join falls back and its side gives no rows any more.
const NOTHING_TO_SPILL: &str = "Left side produced no data to spill";

/// What a session may use.
#[derive(Debug, Clone)]
pub struct MemorySettings {
    /// Bytes of memory; `None` stands for 70 % of what is available.
    pub limit: Option<u64>,
    /// Where temporary files go, in a folder of the process's own.
    pub temp_folder: PathBuf,
    /// Bytes of temporary files; `None` stands for a TiB.
    pub temp_limit: Option<u64>,
    /// What the session may do to the world around it.
    pub capabilities: Capabilities,
    /// How object stores are found; `None` stands for DataFusion's own registry.
    pub object_stores: Option<Arc<dyn ObjectStoreRegistry>>,
}

impl MemorySettings {
    /// The defaults, with temporary files below `temp_folder`.
    pub fn new(temp_folder: PathBuf) -> Self {
        Self {
            limit: None,
            temp_folder,
            temp_limit: None,
            capabilities: Capabilities::ALL,
            object_stores: None,
        }
    }
}

/// A session's hold on its memory: what is used, and what may be.
#[derive(Debug, Clone)]
pub struct Memory {
    pool: Arc<SpillingPool>,
    spill: Arc<SpillFolder>,
}

impl Memory {
    /// Tells how much memory is used.
    pub fn usage(&self) -> MemoryUse {
        self.pool.usage()
    }

    /// Begins a new measurement of the peaks of memory and disk, as at the start of a query.
    pub fn reset_peak(&self) {
        self.pool.reset_peak();
        self.spill.reset_peak();
    }

    /// Names the operators that hold most, with their bytes, largest first.
    pub fn largest(&self, count: usize) -> Vec<(String, u64)> {
        self.pool.largest(count)
    }

    /// Changes the limit; plan settings that depend on it are [`planning::adjust`]'s to renew.
    pub fn set_limit(&self, limit: u64) {
        self.pool.set_limit(limit);
    }

    /// Finds out whether an error says that the memory limit was reached, and by whom.
    pub fn exhausted_by(&self, error: &DataFusionError) -> Option<Exhausted> {
        exhausted_by(error).or_else(|| {
            // The second run of a nested loop join's side found no file left to read, see `spill`.
            let refused = error.to_string().contains(NOTHING_TO_SPILL);
            refused.then(|| self.pool.refused_nested_loop_join())?
        })
    }

    /// The temporary files of this process.
    pub fn spill(&self) -> &Arc<SpillFolder> {
        &self.spill
    }
}

/// Builds the runtime of a session and the handle by which the session watches and changes it.
pub fn build_runtime(settings: &MemorySettings) -> Result<(Arc<RuntimeEnv>, Memory)> {
    let limit = settings.limit.unwrap_or_else(default_limit);
    let pool = Arc::new(SpillingPool::new(limit));
    let spill = Arc::new(SpillFolder::new(
        settings.temp_folder.clone(),
        settings.temp_limit.unwrap_or(DEFAULT_TEMP_LIMIT),
        Arc::clone(&pool),
        settings.capabilities,
    ));
    let disk = DiskManagerBuilder::default()
        .with_temp_file_factory(Arc::clone(&spill) as _)
        .with_max_spill_merge_fan_in(planning::merge_fan_in(limit));
    let metadata_cache = (limit / METADATA_CACHE_PART).min(LARGEST_METADATA_CACHE);
    let mut builder = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::clone(&pool) as Arc<dyn MemoryPool>)
        .with_disk_manager_builder(disk)
        .with_metadata_cache_limit(usize::try_from(metadata_cache).unwrap_or(usize::MAX))
        // No cache of listings: by default DataFusion keeps one for ever, and a file that another
        // process adds would not be seen by the next statement. The caches of file metadata and
        // statistics stay, since they are checked against size and time of the file in the listing.
        .with_object_list_cache_limit(0);
    if let Some(stores) = &settings.object_stores {
        builder = builder.with_object_store_registry(Arc::clone(stores));
    }
    Ok((builder.build_arc()?, Memory { pool, spill }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

    use super::*;

    fn settings(folder: PathBuf) -> MemorySettings {
        MemorySettings {
            limit: Some(64 * MIB),
            temp_limit: Some(10 * MIB),
            ..MemorySettings::new(folder)
        }
    }

    #[test]
    fn building_touches_no_file() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("temp");
        let (runtime, memory) = build_runtime(&settings(folder.clone())).unwrap();
        assert!(runtime.disk_manager.tmp_files_enabled());
        assert!(!folder.exists());

        let file = runtime.disk_manager.create_tmp_file("a test").unwrap();
        let own = memory.spill().path().unwrap();
        assert!(own.starts_with(&folder) && file.path().unwrap().starts_with(&own));
        file.open_writer().unwrap().write_all(b"rows").unwrap();
        file.open_writer().unwrap().write_all(b"more").unwrap();
        assert_eq!((memory.spill().used(), file.size()), (8, Some(8)));
        assert_eq!(std::fs::read(file.path().unwrap()).unwrap(), b"rowsmore");
        drop(file);
        assert_eq!((memory.spill().used(), memory.spill().peak()), (0, 8));

        // At the end the folder goes, whoever still holds a file, and no other is made.
        let held = runtime.disk_manager.create_tmp_file("a test").unwrap();
        memory.spill().remove();
        assert!(!own.exists());
        assert!(runtime.disk_manager.create_tmp_file("a test").is_err());
        drop(held);
        assert!(memory.spill().path().is_none());
    }

    #[test]
    fn temporary_files_are_limited() {
        let parent = tempfile::tempdir().unwrap();
        let (runtime, memory) = build_runtime(&settings(parent.path().to_owned())).unwrap();
        let file = runtime.disk_manager.create_tmp_file("a test").unwrap();
        let mut writer = file.open_writer().unwrap();
        memory.spill().set_limit(3);
        assert_eq!(memory.spill().limit(), 3);
        let error = writer.write_all(b"rows").unwrap_err().to_string();
        assert!(
            error.contains("limit of 3 B; raise it with `SET lakesh.temp_limit"),
            "{error}"
        );
        memory.spill().set_limit(4);
        writer.write_all(b"rows").unwrap();
    }

    #[test]
    fn the_limit_can_change() {
        let (runtime, memory) = build_runtime(&settings(PathBuf::from("unused"))).unwrap();
        let consumer = datafusion::execution::memory_pool::MemoryConsumer::new("test");
        let reservation = consumer.register(&runtime.memory_pool);
        let size = usize::try_from(65 * MIB).unwrap();
        assert!(reservation.try_grow(size).is_err());
        memory.set_limit(128 * MIB);
        reservation.try_grow(size).unwrap();
        assert_eq!(memory.largest(1), [("test".to_owned(), 65 * MIB)]);
        drop(reservation);
        assert_eq!(
            memory.usage(),
            MemoryUse {
                limit: 128 * MIB,
                used: 0,
                peak: 65 * MIB
            }
        );
        memory.reset_peak();
        assert_eq!(memory.usage().peak, 0);
    }

    #[tokio::test]
    async fn files_that_others_add_are_seen() {
        let data = tempfile::tempdir().unwrap();
        let (runtime, _) = build_runtime(&settings(PathBuf::from("unused"))).unwrap();
        let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
        let folder = format!("{}/", data.path().display());
        let write = |name: &str| format!("COPY (SELECT 1 AS a) TO '{folder}{name}.parquet'");
        context
            .sql(&write("first"))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        let options = ParquetReadOptions::default();
        context
            .register_parquet("t", &folder, options)
            .await
            .unwrap();
        let count = async || context.table("t").await.unwrap().count().await.unwrap();
        assert_eq!(count().await, 1);
        context
            .sql(&write("second"))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        assert_eq!(count().await, 2);
    }
}
