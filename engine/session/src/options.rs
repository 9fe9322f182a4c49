//! What a front end decides before the session begins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::ScalarValue;
use lakesh_catalog::{Access, Catalog, MEMORY, locate};
use lakesh_memory::limit::default_limit;
use lakesh_memory::runtime::MemorySettings;
use lakesh_text::display::DisplayOptions;
use lakesh_text::effect::{Capabilities, Effect, Lack};

use crate::HintMode;
use crate::command::Command;

/// Which catalog a session opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CatalogChoice {
    /// The nearest `.lakesh` folder upwards, else the user's own.
    #[default]
    Nearest,
    /// This folder.
    Folder(PathBuf),
    /// One that ends with the session.
    InMemory,
}

/// What a front end decides before the session begins.
#[derive(Clone)]
pub struct SessionOptions {
    /// Which catalog to open.
    pub catalog: CatalogChoice,
    /// The folder that relative paths start from.
    pub working_directory: PathBuf,
    /// The user's home folder, for `~` in paths.
    pub home_folder: Option<PathBuf>,
    /// The user's data folder (XDG), for the catalog of last resort.
    pub user_data_folder: PathBuf,
    /// What the session may do to the world around it.
    pub capabilities: Capabilities,
    /// Bytes of memory for queries; `None` takes 70 % of the machine or cgroup.
    pub memory_limit: Option<u64>,
    /// Where spilled data goes.
    pub temp_folder: PathBuf,
    /// Bytes of spilled data at most; `None` is DataFusion's default of 100 GB.
    pub temp_limit: Option<u64>,
    /// Threads of work; `None` takes one per core.
    pub threads: Option<usize>,
    /// Values of `$name`.
    pub parameters: BTreeMap<String, ScalarValue>,
    /// Text variables, `:name`.
    pub variables: BTreeMap<String, String>,
    /// How results are shown at first.
    pub display: DisplayOptions,
    /// Environment variables that the engine may use (credentials of object stores).
    pub environment: BTreeMap<String, String>,
    /// The folders in which programs are looked for, as PATH has them.
    pub program_path: String,
    /// The folder for what can be made again, such as compiled functions; the user's own.
    pub cache_folder: PathBuf,
    /// Commands of the front end's own.
    pub commands: Vec<Arc<dyn Command>>,
    /// What is done about queries that could be faster, until SET lakesh.hints says otherwise.
    pub hints: HintMode,
    /// Whether running queries report progress.
    pub progress: bool,
    /// Whether plans and distributions are described for drawing.
    pub pictures: bool,
}

impl SessionOptions {
    /// Options with a catalog in memory, for a folder: the least that a session needs.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            catalog: CatalogChoice::InMemory,
            home_folder: None,
            user_data_folder: folder.clone(),
            temp_folder: std::env::temp_dir(),
            cache_folder: folder.join(".lakesh-cache"),
            program_path: String::new(),
            working_directory: folder,
            // Nobody has said yet that functions in Rust are meant.
            capabilities: Capabilities::ALL.without(Effect::NativeCode, Lack::Unattended),
            memory_limit: None,
            temp_limit: None,
            threads: None,
            parameters: BTreeMap::new(),
            variables: BTreeMap::new(),
            display: DisplayOptions::default(),
            environment: BTreeMap::new(),
            commands: Vec::new(),
            hints: HintMode::Off,
            progress: false,
            pictures: false,
        }
    }

    /// Returns the number of threads of work.
    pub fn thread_count(&self) -> usize {
        self.threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
            .max(1)
    }

    /// Returns the bytes of memory for queries.
    pub fn memory_limit(&self) -> u64 {
        self.memory_limit.unwrap_or_else(default_limit)
    }

    pub(crate) fn memory_settings(&self) -> MemorySettings {
        MemorySettings {
            limit: Some(self.memory_limit()),
            temp_limit: self.temp_limit,
            capabilities: self.capabilities,
            object_stores: lakesh_table::guarded_stores(self.capabilities),
            ..MemorySettings::new(self.temp_folder.clone())
        }
    }

    pub(crate) fn open_catalog(&self) -> Catalog {
        let explicit = match &self.catalog {
            CatalogChoice::Nearest => None,
            CatalogChoice::Folder(folder) => Some(folder.as_path()),
            CatalogChoice::InMemory => Some(Path::new(MEMORY)),
        };
        let location = locate(&self.working_directory, explicit, &self.user_data_folder);
        let access = match self.capabilities.has(Effect::WriteCatalog) {
            true => Access::ReadWrite,
            false => Access::ReadOnly,
        };
        Catalog::new(location, access)
    }
}
