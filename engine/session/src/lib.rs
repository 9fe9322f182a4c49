//! The session: one cell in, a stream of events out.
//!
//! It owns settings, variables, the catalog and DataFusion's state; it never prints.

#![forbid(unsafe_code)]

mod behaviour;
pub mod command;
mod context;
mod drawing;
mod drive;
mod execute;
mod facts;
mod hiding;
mod hints;
mod native;
mod options;
mod parameters;
mod planning;
mod queries;
mod results;
pub mod scope;
mod secrets;
mod settings;
mod statement;
mod stream;
mod system;
pub mod table_functions;
mod vocabulary;
mod writing;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::execution::SessionState;
use lakesh_catalog::Catalog;
use lakesh_memory::runtime::Memory;
use lakesh_plan::cache::CachedTables;
use lakesh_table::TableCache;
use lakesh_text::display::DisplayOptions;
use lakesh_text::effect::Effect;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;
use lakesh_text::input::Cell;
use lakesh_text::secret::Secrets;
use lakesh_text::source::Place;

pub use behaviour::moment_text;
pub use hints::{HintMode, HintSettings, LastHint, LastHints};
pub use options::{CatalogChoice, SessionOptions};
pub use parameters::parse_parameter;
pub use results::EarlierResult;
pub use settings::{Setting, settings};
pub use statement::{Parsing, Statement, StatementKind, parse, starts_query};
pub use stream::EventStream;

use behaviour::time_zone;
use command::Command;

pub use context::{Overlay, StatementContext};
pub use drawing::ToDraw;
pub use drive::{run as run_cell, run_statement};
pub use execute::{Output, count_rows};
pub use queries::QueryRecord;
pub(crate) use results::FoundResult;
pub(crate) use stream::{EventSender, unexpected_end};
pub(crate) use system::system_table;
pub use system::{columns_provider, find_system_table, system_provider};
pub use vocabulary::{Advisor, Vocabulary};

/// Everything that outlives a statement.
pub struct Session {
    options: SessionOptions,
    /// What can be said to it.
    vocabulary: &'static Vocabulary,
    catalog: Catalog,
    memory: Memory,
    tables: Erased<TableCache>,
    state: Erased<RwLock<SessionState>>,
    /// DataFusion's settings as the session began with them, for RESET.
    initial: Arc<ConfigOptions>,
    variables: RwLock<BTreeMap<String, String>>,
    /// What is never shown.
    secrets: Secrets,
    /// Values of `$name`.
    parameters: RwLock<BTreeMap<String, ScalarValue>>,
    /// What earlier statements returned, by the names that queries use for it.
    results: Erased<RwLock<results::Results>>,
    /// Tables whose rows are kept.
    cache: CachedTables,
    /// What was run, for `system.queries`.
    queries: RwLock<queries::QueryLog>,
    /// The most memory that was in use before the statement that runs now.
    memory_peak: RwLock<u64>,
    display: RwLock<DisplayOptions>,
    behaviour: RwLock<behaviour::Behaviour>,
    current_schema: RwLock<String>,
    /// The folder that relative paths start from.
    working_directory: RwLock<PathBuf>,
    /// The statement that ran last, for `\save` and `\e`.
    previous_statement: RwLock<Option<Place>>,
    /// The hints that were shown last, for `\apply`.
    last_hints: RwLock<LastHints>,
    /// Whether changes of tables may add columns without being asked.
    schema_evolution: AtomicBool,
    commands: Vec<Arc<dyn Command>>,
    /// Statements that are past their point of no return and run on without their stream.
    pub(crate) commits: Arc<AtomicUsize>,
    /// What `--check` has defined so far.
    overlay: Erased<RwLock<context::Overlays>>,
}

impl Session {
    /// Opens a session. Touches neither disk nor network: the catalog opens with its first use.
    pub fn new(
        options: SessionOptions,
        vocabulary: &'static Vocabulary,
    ) -> Result<Arc<Self>, Failure> {
        let (state, memory) = planning::session_state(&options)?;
        let mut commands = (vocabulary.commands)();
        commands.extend(options.commands.iter().cloned());
        let secrets = secrets::of_options(&options);
        Ok(Arc::new(Self {
            catalog: options.open_catalog().with_secrets(secrets.clone()),
            secrets,
            memory,
            tables: Erased::new(TableCache::default()),
            initial: Arc::clone(state.config_options()),
            state: Erased::new(RwLock::new(state)),
            variables: RwLock::new(options.variables.clone()),
            parameters: RwLock::new(options.parameters.clone()),
            results: Erased::new(RwLock::default()),
            cache: CachedTables::default(),
            queries: RwLock::default(),
            memory_peak: RwLock::default(),
            display: RwLock::new(options.display.clone()),
            behaviour: RwLock::default(),
            current_schema: RwLock::new(lakesh_catalog::DEFAULT_SCHEMA.to_owned()),
            working_directory: RwLock::new(options.working_directory.clone()),
            previous_statement: RwLock::new(None),
            last_hints: RwLock::default(),
            schema_evolution: AtomicBool::new(false),
            commands,
            commits: Arc::new(AtomicUsize::new(0)),
            overlay: Erased::new(RwLock::new(context::Overlays::default())),
            vocabulary,
            options,
        }))
    }

    /// Runs one cell. Dropping the stream cancels it, unless it has begun to commit.
    pub fn run(self: &Arc<Self>, cell: Cell) -> EventStream {
        stream::spawn(Arc::clone(self), cell)
    }

    /// Runs a statement that is not the user's own: it does not become the previous one.
    pub fn run_aside(self: &Arc<Self>, statement: Place) -> EventStream {
        stream::spawn_aside(Arc::clone(self), statement)
    }

    /// Checks one cell without running it: names, types, permissions. Tables and views that a cell
    /// would create count as there for the cells that follow.
    pub async fn check(self: &Arc<Self>, cell: Cell) -> Result<(), Failure> {
        drive::check(self, cell).await
    }

    /// Waits until every commit that was begun is done.
    pub async fn settle(&self) {
        while self.commits.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Returns how results are shown now.
    pub fn display(&self) -> DisplayOptions {
        read(&self.display).clone()
    }

    /// Returns a text variable's value.
    pub fn variable(&self, name: &str) -> Option<String> {
        read(&self.variables).get(name).cloned()
    }

    /// Returns the commands of this session, the front end's own included.
    pub fn commands(&self) -> &[Arc<dyn Command>] {
        &self.commands
    }

    /// Returns the catalog of this session.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the schema that unqualified names refer to.
    pub fn current_schema(&self) -> String {
        read(&self.current_schema).clone()
    }

    /// Returns the folder that relative paths start from.
    pub fn working_directory(&self) -> PathBuf {
        read(&self.working_directory).clone()
    }

    /// Changes the folder that relative paths start from; the catalog stays where it is.
    pub fn set_working_directory(&self, folder: PathBuf) {
        *write(&self.working_directory) = folder;
    }

    /// Returns the statement that ran last, whether it failed or not.
    pub fn previous_statement(&self) -> Option<Place> {
        read(&self.previous_statement).clone()
    }

    /// Returns the names of the tables and views in a schema or an attachment.
    pub async fn table_names(self: &Arc<Self>, schema: &str) -> Result<Vec<String>, Failure> {
        system::table_names(self, schema).await
    }

    /// Returns the names of all functions, in alphabetical order.
    pub fn function_names(&self) -> Vec<String> {
        let state = read(&self.state);
        let mut names: Vec<_> = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .chain(state.table_functions().keys())
            .filter(|name| !lakesh_sql::is_of_the_parser(name))
            .filter(|name| !lakesh_semantics::is_internal(name))
            .cloned()
            .chain(
                lakesh_table::READERS
                    .iter()
                    .map(|reader| reader.name.to_owned()),
            )
            .chain([crate::scope::APPLY_ENCODER.to_owned()])
            .chain(
                lakesh_encoder::ENCODER_FUNCTIONS
                    .iter()
                    .map(|function| function.name.to_owned()),
            )
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the columns of a table or view with their SQL types, for completion and `\d`.
    pub async fn columns(self: &Arc<Self>, table: &str) -> Result<Vec<(String, String)>, Failure> {
        drive::columns(self, table).await
    }

    /// Returns who knows more about queries than the session does.
    pub fn advisor(&self) -> &'static dyn Advisor {
        self.vocabulary.advisor
    }

    /// Returns the options that it was opened with.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Refuses an effect that the session may not have. `what` is said of it, such as
    /// ``"`\o` is refused"``; it is asked where the effect happens.
    pub fn require(&self, effect: Effect, what: &str) -> Result<(), Failure> {
        self.options.capabilities.require(effect, what)
    }

    /// Says whether the session may have an effect, where one goes on without it.
    pub fn may(&self, effect: Effect) -> bool {
        self.options.capabilities.has(effect)
    }

    /// Returns the tables whose rows are kept.
    pub fn cache(&self) -> &CachedTables {
        &self.cache
    }

    /// What is remembered of tables from statement to statement.
    pub(crate) fn tables(&self) -> &Erased<TableCache> {
        &self.tables
    }

    /// Returns the memory of this session: its use, its limit, its temporary files.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Returns DataFusion's state as the next statement will find it.
    pub fn state(&self) -> SessionState {
        read(&self.state).clone()
    }

    pub(crate) fn change_state(&self, change: impl FnOnce(&mut SessionState)) {
        change(&mut write(&self.state));
    }

    /// Changes how results are shown; returns what holds from now on.
    pub fn change_display(&self, change: impl FnOnce(&mut DisplayOptions)) -> DisplayOptions {
        let mut display = write(&self.display);
        change(&mut display);
        display.clone()
    }

    /// Says whether changes of tables may add columns without being asked.
    pub fn schema_evolution(&self) -> bool {
        self.schema_evolution.load(Ordering::Relaxed)
    }

    pub(crate) fn set_schema_evolution(&self, evolves: bool) {
        self.schema_evolution.store(evolves, Ordering::Relaxed);
    }

    pub(crate) fn set_previous_statement(&self, place: &Place) {
        *write(&self.previous_statement) = Some(place.clone());
    }

    /// Sets the schema in which names without one are sought.
    pub fn set_current_schema(&self, schema: &str) {
        schema.clone_into(&mut write(&self.current_schema));
    }

    /// Returns the text variables.
    pub fn variables(&self) -> BTreeMap<String, String> {
        read(&self.variables).clone()
    }

    pub(crate) fn parameters(&self) -> BTreeMap<String, ScalarValue> {
        read(&self.parameters).clone()
    }

    /// Binds `$name` to a value.
    pub fn set_parameter(&self, name: &str, value: ScalarValue) {
        self.hold_parameter(name, &value);
        write(&self.parameters).insert(name.to_owned(), value);
    }

    /// Sets a text variable, or removes it.
    pub fn set_variable(&self, name: &str, value: Option<String>) {
        if let Some(value) = &value {
            self.hold_named(name, value);
        }
        let mut variables = write(&self.variables);
        match value {
            Some(value) => variables.insert(name.to_owned(), value),
            None => variables.remove(name),
        };
    }

    /// Puts the variables of the session into the text of a cell.
    pub fn substitute(&self, place: &Place) -> Result<lakesh_text::input::Substituted, Failure> {
        lakesh_text::input::substitute(place, &read(&self.variables))
    }
}

/// Reads behind a lock; a panic elsewhere while it was held leaves data that is still whole.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
