//! What outlives a statement.

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
use lakesh_table::commit::TableChange;
use lakesh_text::display::DisplayOptions;
use lakesh_text::effect::Effect;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;
use lakesh_text::input::Cell;
use lakesh_text::secret::Secrets;
use lakesh_text::source::Place;

use super::behaviour::Behaviour;
use super::command::{self, Command};
use super::conditions::Conditions;
use super::hints::LastHints;
use super::locks::{read, write};
use super::options::SessionOptions;
use super::overlay::Overlays;
use super::prepared::Prepared;
use super::queries::QueryLog;
use super::results::Results;
use super::temporary::Temporaries;
use super::vocabulary::{Advisor, Vocabulary};
use super::{planning, secrets};

/// Everything that outlives a statement.
pub struct Session {
    pub(crate) options: SessionOptions,
    /// What can be said to it.
    pub(crate) vocabulary: &'static Vocabulary,
    pub(crate) catalog: Catalog,
    pub(crate) memory: Memory,
    pub(crate) tables: Erased<TableCache>,
    pub(crate) state: Erased<RwLock<SessionState>>,
    /// DataFusion's settings as the session began with them, for RESET.
    pub(crate) initial: Arc<ConfigOptions>,
    pub(crate) variables: RwLock<BTreeMap<String, String>>,
    /// What is never shown.
    pub(crate) secrets: Secrets,
    /// Values of `$name`.
    pub(crate) parameters: RwLock<BTreeMap<String, ScalarValue>>,
    /// Tables and views that go with the session.
    pub(crate) temporaries: Erased<RwLock<Temporaries>>,
    /// What PREPARE keeps.
    pub(crate) prepared: RwLock<BTreeMap<String, Prepared>>,
    /// What earlier statements returned, by the names that queries use for it.
    pub(crate) results: Erased<RwLock<Results>>,
    /// Tables whose rows are kept.
    pub(crate) cache: CachedTables,
    /// What was run, for `system.queries`.
    pub(crate) queries: RwLock<QueryLog>,
    /// The most memory that was in use before the statement that runs now.
    pub(crate) memory_peak: RwLock<u64>,
    pub(crate) display: RwLock<DisplayOptions>,
    pub(crate) behaviour: RwLock<Behaviour>,
    pub(crate) current_schema: RwLock<String>,
    /// The folder that relative paths start from.
    pub(crate) working_directory: RwLock<PathBuf>,
    /// The statement that ran last, for `\save` and `\e`.
    pub(crate) previous_statement: RwLock<Option<Place>>,
    /// The `\if`s that are open.
    pub(crate) conditions: RwLock<Conditions>,
    /// The hints that were shown last, for `\apply`.
    pub(crate) last_hints: RwLock<LastHints>,
    /// What went wrong last, for `\errverbose`.
    pub(crate) last_failure: RwLock<Option<Failure>>,
    /// What a statement committed last, for UNDO.
    pub(crate) last_change: RwLock<Option<TableChange>>,
    /// Whether changes of tables may add columns without being asked.
    pub(crate) schema_evolution: AtomicBool,
    pub(crate) commands: Vec<Arc<dyn Command>>,
    /// Statements that are past their point of no return and run on without their stream.
    pub(crate) commits: Arc<AtomicUsize>,
    /// What `--check` has defined so far.
    pub(crate) overlay: Erased<RwLock<Overlays>>,
}

impl Session {
    /// Opens a session. Touches neither disk nor network: the catalog opens with its first use.
    pub fn new(
        options: SessionOptions,
        vocabulary: &'static Vocabulary,
    ) -> Result<Arc<Self>, Failure> {
        let (state, memory) = planning::session_state(
            options.thread_count(),
            options.memory_limit(),
            &options.memory_settings(),
        )?;
        let mut commands = (vocabulary.commands)();
        commands.extend(options.commands.iter().cloned());
        let secrets = secrets::given(
            &options.environment,
            &options.variables,
            &options.parameters,
        );
        Ok(Arc::new(Self {
            catalog: options.open_catalog().with_secrets(secrets.clone()),
            secrets,
            memory,
            tables: Erased::new(TableCache::default()),
            initial: Arc::clone(state.config_options()),
            state: Erased::new(RwLock::new(state)),
            variables: RwLock::new(options.variables.clone()),
            parameters: RwLock::new(options.parameters.clone()),
            temporaries: Erased::new(RwLock::default()),
            prepared: RwLock::default(),
            results: Erased::new(RwLock::default()),
            cache: CachedTables::default(),
            queries: RwLock::default(),
            memory_peak: RwLock::default(),
            display: RwLock::new(options.display.clone()),
            behaviour: RwLock::default(),
            current_schema: RwLock::new(lakesh_catalog::DEFAULT_SCHEMA.to_owned()),
            working_directory: RwLock::new(options.working_directory.clone()),
            previous_statement: RwLock::new(None),
            conditions: RwLock::default(),
            last_hints: RwLock::default(),
            last_failure: RwLock::default(),
            last_change: RwLock::default(),
            schema_evolution: AtomicBool::new(false),
            commands,
            commits: Arc::new(AtomicUsize::new(0)),
            overlay: Erased::new(RwLock::new(Overlays::default())),
            vocabulary,
            options,
        }))
    }

    /// Waits until every commit that was begun is done.
    pub async fn settle(&self) {
        while self.commits.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Returns what a statement of this session committed last to a table.
    pub fn last_change(&self) -> Option<TableChange> {
        read(&self.last_change).clone()
    }

    pub(crate) fn note_change(&self, change: TableChange) {
        *write(&self.last_change) = Some(change);
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

    /// Returns what went wrong last.
    pub fn last_failure(&self) -> Option<Failure> {
        read(&self.last_failure).clone()
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

    /// Tells whether a cell stands in a branch of `\if` that does not run. Conditions always count.
    pub fn leaves_out(&self, cell: &Cell) -> bool {
        if read(&self.conditions).runs() {
            return false;
        }
        match cell {
            Cell::Command { place, statement } => {
                statement.is_some() || !command::is_condition(self, place)
            }
            Cell::Statement { .. } => true,
        }
    }

    /// Tells whether the next branch, the first of an `\if` or a later one, needs its condition.
    pub fn asks_condition(&self, is_first: bool) -> bool {
        read(&self.conditions).asks(is_first)
    }

    /// Begins `\if`.
    pub fn begin_condition(&self, holds: bool) {
        write(&self.conditions).begin(holds);
    }

    /// Begins the next branch: `\elif`, or `\else`, for which there is no condition.
    pub fn next_branch(&self, holds: Option<bool>) -> Result<(), Failure> {
        write(&self.conditions).next(holds)
    }

    /// Ends `\if`.
    pub fn end_condition(&self) -> Result<(), Failure> {
        write(&self.conditions).end()
    }

    /// Returns how many `\if`s are open.
    pub fn open_conditions(&self) -> usize {
        read(&self.conditions).count()
    }

    /// Closes what a script has left open beyond so many; fails if there was anything.
    pub fn close_conditions(&self, until: usize) -> Result<(), Failure> {
        write(&self.conditions).close(until)
    }
}
