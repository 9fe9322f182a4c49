//! What a statement sees while it runs: a snapshot of the session.

mod assumed;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::timezone::Tz;
use datafusion::common::{DataFusionError, ParamValues};
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_catalog::Hold;
use lakesh_catalog::definition::TableDefinition;
use lakesh_event::event::{Event, VersionRead};
use lakesh_optimizer::{Changes, Switches};
use lakesh_plan::directive::{HintUses, apply_settings, strays};
use lakesh_sql::TableName;
use lakesh_table::TableContext;
use lakesh_text::effect::Effect;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind, Subject};
use lakesh_text::input::{Substituted, offset_of};
use lakesh_text::source::Place;

use super::drawing::ToDraw;
use super::moment::time_zone;
use super::overlay::Overlay;
use super::queries::Observer;
use super::{EventSender, Session};

/// What a statement sees while it runs.
pub struct StatementContext {
    /// The session in which it runs.
    pub session: Arc<Session>,
    /// DataFusion's state as of the statement's start.
    pub state: Erased<SessionState>,
    /// The text of the statement, with its variables put in.
    pub text: Substituted,
    /// Where events go; `None` while checking.
    pub events: Option<EventSender>,
    parameters: Option<Erased<ParamValues>>,
    current_schema: String,
    working_directory: PathBuf,
    /// The versions of Delta tables that the statement reads.
    versions_read: Arc<Mutex<Vec<(TableDefinition, u64)>>>,
    /// The folders of managed tables that the statement reads: they stay until it has ended.
    holds: Arc<Mutex<Vec<Hold>>>,
    /// What is drawn once the rows are there, for front ends that draw.
    to_draw: Arc<Mutex<Vec<ToDraw>>>,
    /// Sees what the statement plans and runs.
    pub observer: Arc<Observer>,
    /// The hints of the statement, and what became of them.
    pub(crate) hints: HintUses,
}

impl StatementContext {
    pub(super) fn new(
        session: &Arc<Session>,
        text: Substituted,
        events: Option<EventSender>,
    ) -> Self {
        let mut state = session.state();
        state.mark_start_execution();
        let parameters = session.parameters();
        let parameters = (!parameters.is_empty()).then(|| {
            Erased::new(ParamValues::from(
                parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect::<HashMap<_, _>>(),
            ))
        });
        Self {
            current_schema: session.current_schema(),
            working_directory: session.working_directory(),
            session: Arc::clone(session),
            state: Erased::new(state),
            text,
            events,
            parameters,
            versions_read: Arc::default(),
            holds: Arc::default(),
            to_draw: Arc::default(),
            observer: Arc::default(),
            hints: HintUses::default(),
        }
    }

    /// Applies the settings that stand in hints of the statement.
    pub fn with_hinted_settings(mut self) -> Self {
        let limit = self.session.memory().usage().limit;
        apply_settings(&self.text, &mut self.state, limit, &self.hints);
        self
    }

    /// Returns a state with which the names of the rules that change a plan are written down.
    pub fn watching_rules(&self) -> (SessionState, Changes) {
        let mut state = (*self.state).clone();
        let changes = Changes::default();
        let extensions = &mut state.config_mut().options_mut().extensions;
        let switches = extensions.get::<Switches>().cloned().unwrap_or_default();
        extensions.insert(switches.watched_by(Arc::clone(&changes)));
        (state, changes)
    }

    /// Says of hints that had no effect that they had none.
    pub(super) async fn complain_of_hints(&self) -> Result<(), Failure> {
        let strays = strays(&self.text);
        for complaint in strays.into_iter().chain(self.hints.take_complaints()) {
            self.notice(complaint).await?;
        }
        Ok(())
    }

    /// Lets an observer see what the statement plans and runs, also where only its state is known.
    pub(super) fn observed_by(mut self, observer: Arc<Observer>) -> Self {
        self.state.config_mut().set_extension(Arc::clone(&observer));
        self.observer = observer;
        self
    }

    /// A context that belongs to no statement, for rows that are made while scanning.
    pub(super) fn background(session: &Arc<Session>) -> Self {
        Self::new(session, Substituted::detached(""), None)
    }

    /// The same context with relative paths from another folder, as in a view that was made there.
    pub(crate) fn in_folder(&self, folder: &Path) -> Self {
        Self {
            session: Arc::clone(&self.session),
            state: self.state.clone(),
            text: self.text.clone(),
            events: self.events.clone(),
            parameters: self.parameters.clone(),
            current_schema: self.current_schema.clone(),
            working_directory: folder.to_owned(),
            versions_read: Arc::clone(&self.versions_read),
            holds: Arc::clone(&self.holds),
            to_draw: Arc::clone(&self.to_draw),
            observer: Arc::clone(&self.observer),
            hints: self.hints.clone(),
        }
    }

    /// The same context for finding out what a statement means: nothing is run and nothing is told.
    pub fn without_events(&self) -> Self {
        Self {
            events: None,
            ..self.in_folder(&self.working_directory)
        }
    }

    /// The same context for another text, without anybody to talk to.
    pub fn aside(&self, text: Substituted) -> Self {
        Self {
            text,
            events: None,
            hints: HintUses::default(),
            ..self.in_folder(&self.working_directory)
        }
    }

    /// The same context for a text that runs in the place of this one, with values for its parameters.
    pub(crate) fn for_text(&self, text: Substituted, parameters: Option<ParamValues>) -> Self {
        Self {
            text,
            parameters: parameters
                .map(Erased::new)
                .or_else(|| self.parameters.clone()),
            hints: HintUses::default(),
            ..self.in_folder(&self.working_directory)
        }
    }

    /// The folder that relative paths start from.
    pub fn working_directory(&self) -> &Path {
        &self.working_directory
    }

    /// Values of `$name`.
    pub fn parameters(&self) -> Option<&ParamValues> {
        self.parameters.as_deref()
    }

    /// The schema that unqualified names refer to.
    pub fn current_schema(&self) -> &str {
        &self.current_schema
    }

    /// The time zone of moments that have none of their own.
    pub(crate) fn time_zone(&self) -> Tz {
        time_zone(&self.state)
    }

    /// What table formats need to open a table.
    pub fn table_context(&self) -> TableContext<'_> {
        TableContext {
            state: &self.state,
            working_directory: &self.working_directory,
            environment: &self.session.options().environment,
            cache: self.session.tables(),
            outside_files: self.session.behaviour().outside_files,
            keeps_checkpoints: !self.session.options().capabilities.is_read_only(),
        }
    }

    /// Explains an error of DataFusion's with its place in this statement.
    pub fn failure(&self, error: DataFusionError) -> Failure {
        if let Some(missing) = missing_file(&error)
            && let Some((_, failure)) = self.file_is_gone(&missing)
        {
            return failure;
        }
        let failure = Failure::from_datafusion(error, &self.text);
        let hint = match failure.subject() {
            Some(Subject::Parameter(parameter)) => parameter
                .strip_prefix('$')
                .map(|name| format!("give it one with --param {name}=value")),
            _ => None,
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Explains an error as `failure` does; of a file that is gone it also says which versions there are.
    pub(crate) async fn failure_of_rows(&self, error: DataFusionError) -> Failure {
        let gone = missing_file(&error).and_then(|file| self.file_is_gone(&file));
        let Some((definition, mut failure)) = gone else {
            return self.failure(error);
        };
        if let Ok((first, last)) =
            lakesh_table::delta_range(&definition, &self.table_context()).await
        {
            failure
                .message
                .push_str(&format!("; the log holds versions {first} to {last}"));
        }
        failure
    }

    /// Remembers which version of a Delta table the statement reads.
    pub fn note_read(&self, definition: &TableDefinition, version: u64) {
        let mut read = self
            .versions_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        read.push((definition.clone(), version));
    }

    /// Keeps the folder of a table of the warehouse until the statement has ended: whoever drops or
    /// replaces the table meanwhile leaves it.
    pub(crate) fn hold(&self, definition: &TableDefinition) {
        let catalog = self.session.catalog();
        let locations = definition.locations.iter();
        let held = locations.filter_map(|location| catalog.hold_managed(Path::new(location)));
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.extend(held);
    }

    /// Returns the versions of Delta tables that the statement reads, each once.
    pub(crate) fn versions_read(&self) -> Vec<VersionRead> {
        let read = self
            .versions_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut versions: Vec<_> = read
            .iter()
            .filter_map(|(definition, version)| {
                Some(VersionRead {
                    location: definition.locations.first()?.clone(),
                    version: *version,
                })
            })
            .collect();
        versions.sort();
        versions.dedup();
        versions
    }

    /// Remembers what is to be drawn, if the front end draws.
    pub fn note_drawn(&self, to_draw: impl FnOnce() -> ToDraw) {
        if self.events.is_some() && self.session.options().pictures {
            let mut all = self.to_draw.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(to_draw());
        }
    }

    /// Takes what is to be drawn.
    pub(super) fn take_to_draw(&self) -> Vec<ToDraw> {
        let mut all = self.to_draw.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *all)
    }

    /// Says of which version of which table a file is that was not found.
    fn file_is_gone(&self, file: &str) -> Option<(TableDefinition, Failure)> {
        let read = self
            .versions_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        read.iter().find_map(|(definition, version)| {
            let location = definition.locations.first()?;
            let absolute = self.absolute(location).ok()?;
            // Stores name files by their paths below the bucket.
            let folder = match absolute.split_once("://") {
                Some((_, rest)) => rest.split_once('/')?.1,
                None => absolute.as_str(),
            };
            let below = file.strip_prefix(folder.trim_matches('/'))?;
            let file = below.trim_start_matches('/');
            let failure = Failure::new(
                FailureKind::InputOutput,
                format!("cannot read version {version} of `{location}`: its file `{file}` is gone"),
            )
            .hint("VACUUM deletes the files of old versions; DESCRIBE HISTORY lists the versions");
            Some((definition.clone(), failure))
        })
    }

    /// Returns the place of a token of this statement in the user's input.
    pub fn place(&self, location: Location) -> Place {
        self.text.place_at(location.line, location.column)
    }

    /// Tells the user something that is not a result.
    pub async fn notice(&self, text: impl Into<String>) -> Result<(), Failure> {
        match &self.events {
            Some(events) => events.send(Event::Notice(text.into())).await,
            None => Ok(()),
        }
    }

    /// Tells the front end of a changed setting.
    pub async fn announce(&self, event: Option<Event>) -> Result<(), Failure> {
        match (&self.events, event) {
            (Some(events), Some(event)) => events.send(event).await,
            _ => Ok(()),
        }
    }

    /// Returns the statement's text from a token to its end.
    pub fn text_from(&self, location: Location) -> String {
        let text = self.text.text.as_str();
        let start = offset_of(text, location.line, location.column);
        text[start..].trim_end().to_owned()
    }

    /// Makes a path absolute, as seen from the session's working directory.
    pub fn absolute(&self, path: &str) -> Result<String, Failure> {
        let options = self.session.options();
        Ok(lakesh_catalog::absolute(
            path,
            &self.working_directory,
            options.home_folder.as_deref(),
        )?)
    }

    /// Refuses a statement that writes in a session that looks at the past, and in a read-only one before
    /// anything is read in vain: each of its effects would be refused where it happens.
    pub(crate) fn require_writable(&self, what: &str) -> Result<(), Failure> {
        if let Some(moment) = self.session.as_of() {
            return Err(Failure::new(
                FailureKind::Denied,
                format!(
                    "{what} while the session is at {}",
                    crate::moment_text(moment)
                ),
            )
            .hint("RESET lakesh.as_of goes back to the newest versions, which can be changed"));
        }
        match self.session.options().capabilities.is_read_only() {
            true => self.session.require(Effect::WriteCatalog, what),
            false => Ok(()),
        }
    }

    /// Says whether a table or view of this name is there, or would be by now.
    pub fn name_exists(&self, name: &TableName) -> Result<bool, Failure> {
        match self.overlay(name) {
            Some(Overlay::Dropped) => Ok(false),
            Some(_) => Ok(true),
            None => {
                let found = self.session.catalog().get(&name.schema, &name.table)?;
                Ok(found.is_some())
            }
        }
    }

    /// Says whether a name is that of an aggregate.
    pub(crate) fn has_aggregate(&self, name: &str) -> bool {
        self.state.aggregate_functions().contains_key(name)
    }

    /// Says whether a name is that of a function that is not made by CREATE FUNCTION.
    pub(crate) fn has_builtin_function(&self, name: &str) -> bool {
        self.state.scalar_functions().contains_key(name)
            || self.state.aggregate_functions().contains_key(name)
            || self.state.window_functions().contains_key(name)
            || self.state.higher_order_functions().contains_key(name)
            || name == crate::scope::APPLY_ENCODER
    }
}

/// Returns the path of a file that was not found, wherever in an error that stands.
fn missing_file(error: &DataFusionError) -> Option<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(object_store::Error::NotFound { path, .. }) = error.downcast_ref() {
            return Some(path.trim_start_matches('/').to_owned());
        }
        next = error.source();
    }
    // The Parquet reader keeps only the text.
    let text = error.to_string();
    let (_, rest) = text.split_once("Object at location ")?;
    let (path, _) = rest.split_once(" not found")?;
    Some(path.trim_start_matches('/').to_owned())
}
