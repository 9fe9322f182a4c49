//! What was run in this session, for `system.queries` and `system.operators`.
//!
//! Kept in memory and bounded by `lakesh.query_history`. A statement is measured once, at its end: while
//! it runs nothing is added to it. Secrets are taken out of its text before it is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use datafusion::physical_plan::ExecutionPlan;
use lakesh_catalog::definition::TableRead;
use lakesh_event::event::Summary;
use lakesh_event::observation::Observation;
use lakesh_text::failure::{Failure, FailureKind, masked};
use lakesh_text::secret::{Secret, Secrets, given_values};
use lakesh_text::source::Place;

use super::{Session, read, write};

/// An operator's line is kept up to so many bytes: a list of ten thousand values says nothing more.
const LONGEST_LINE: usize = 1000;

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryStatus {
    /// It ran to its end.
    Done,
    /// It failed.
    Failed,
    /// The user interrupted it.
    Interrupted,
}

impl QueryStatus {
    /// Returns the word that stands for it in `system.queries`.
    pub(crate) fn as_text(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A statement that was run.
#[derive(Debug)]
pub struct QueryRecord {
    /// Its number in this session, from 1.
    pub(crate) id: u64,
    /// Its text.
    pub sql: String,
    /// What was done, in the standard's words; `None` where the text could not be read.
    pub(crate) verb: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
    /// How long it ran.
    pub duration: Duration,
    /// From the beginning until the plan was there; `None` where nothing was planned.
    pub(crate) planning: Option<Duration>,
    pub(crate) execution: Option<Duration>,
    pub(crate) rows: Option<u64>,
    pub(crate) peak_memory: u64,
    pub(crate) spilled_bytes: u64,
    /// The tables that were read, as `name` or `name@v3`.
    pub(crate) tables: Vec<String>,
    pub(crate) status: QueryStatus,
    pub(crate) error: Option<FailureKind>,
    /// The plan, and what it did.
    pub observation: Observation,
}

/// The newest statements of a session.
#[derive(Default)]
pub(super) struct QueryLog {
    newest: u64,
    kept: VecDeque<Arc<QueryRecord>>,
}

impl QueryLog {
    fn push(&mut self, mut record: QueryRecord, most: usize) {
        self.newest += 1;
        record.id = self.newest;
        self.kept.push_back(Arc::new(record));
        self.shorten(most);
    }

    fn shorten(&mut self, most: usize) {
        while self.kept.len() > most {
            self.kept.pop_front();
        }
    }
}

impl Session {
    /// Returns what was run, oldest first.
    pub fn queries(&self) -> Vec<Arc<QueryRecord>> {
        read(&self.queries).kept.iter().cloned().collect()
    }

    /// Forgets what is more than `lakesh.query_history` says.
    pub(super) fn shorten_queries(&self, most: usize) {
        write(&self.queries).shorten(most);
    }

    /// Returns the most memory that was in use since the session began.
    pub(crate) fn highest_memory(&self) -> u64 {
        let before = *read(&self.memory_peak);
        before.max(self.memory.usage().peak)
    }
}

/// What is seen of a statement while it runs. One is shared by everything that works for a statement.
#[derive(Debug, Default)]
pub struct Observer {
    /// Whether anybody will look at the operators.
    keeps_operators: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    verb: Option<&'static str>,
    planned: Option<Instant>,
    ended: Option<Instant>,
    tables: Vec<TableRead>,
    observation: Observation,
}

impl Observer {
    /// The statement could be read.
    pub(super) fn is_a(&self, verb: &'static str) {
        self.seen().verb = Some(verb);
    }

    /// These tables are read.
    pub fn reads(&self, tables: &[TableRead]) {
        let mut seen = self.seen();
        for table in tables {
            if !seen.tables.contains(table) {
                seen.tables.push(table.clone());
            }
        }
    }

    /// A physical plan is there and begins to run.
    pub(crate) fn planned(&self) {
        self.seen().planned = Some(Instant::now());
    }

    /// A physical plan has ended, well or not. Of several the last one counts.
    pub(crate) fn ran(&self, plan: &Arc<dyn ExecutionPlan>) {
        let ended = Instant::now();
        if !self.keeps_operators {
            self.seen().ended = Some(ended);
            return;
        }
        let mut observation = Observation::of(plan);
        for operator in &mut observation.operators {
            let end = operator.line.floor_char_boundary(LONGEST_LINE);
            operator.line.truncate(end);
            operator.line.shrink_to_fit();
        }
        let mut seen = self.seen();
        seen.ended = Some(ended);
        seen.observation = observation;
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement that is running. Dropped before it has finished, it was interrupted.
pub(super) struct Running {
    session: Arc<Session>,
    pub(super) observer: Arc<Observer>,
    sql: String,
    /// What is hidden in it.
    secrets: Secrets,
    label: Option<String>,
    started_at: DateTime<Utc>,
    begin: Instant,
    memory_before: u64,
    recorded: bool,
}

impl Running {
    /// Begins to measure the statement that stands at a place.
    pub(super) fn begin(session: &Arc<Session>, place: &Place) -> Self {
        let usage = session.memory.usage();
        {
            let mut highest = write(&session.memory_peak);
            *highest = (*highest).max(usage.peak);
        }
        session.memory.reset_peak();
        let text = session.substitute(place);
        let text = text.map_or_else(|_| place.text().to_owned(), |text| text.text);
        let named = given_values(&text).into_iter();
        let secrets = session
            .secrets()
            .with_named(named.map(|range| Secret::new(&text[range])));
        let behaviour = session.behaviour();
        let observer = Observer {
            keeps_operators: behaviour.query_history > 0,
            seen: Mutex::default(),
        };
        Self {
            session: Arc::clone(session),
            observer: Arc::new(observer),
            sql: masked(&secrets.hide(&text)),
            secrets,
            label: behaviour.query_label,
            started_at: Utc::now(),
            begin: Instant::now(),
            memory_before: usage.used,
            recorded: false,
        }
    }

    /// Keeps how the statement went.
    pub(super) fn finish(mut self, outcome: &Result<Summary, Failure>) {
        let (status, error, rows) = match outcome {
            Ok(summary) => (QueryStatus::Done, None, summary.rows),
            Err(failure) if failure.kind == FailureKind::Interrupted => {
                (QueryStatus::Interrupted, Some(failure.kind), None)
            }
            Err(failure) => (QueryStatus::Failed, Some(failure.kind), None),
        };
        self.record(status, error, rows);
    }

    fn record(&mut self, status: QueryStatus, error: Option<FailureKind>, rows: Option<u64>) {
        self.recorded = true;
        let most = self.session.behaviour().query_history;
        if most == 0 {
            return;
        }
        let now = Instant::now();
        let mut seen = std::mem::take(&mut *self.observer.seen());
        for operator in &mut seen.observation.operators {
            operator.line = masked(&self.secrets.hide(&operator.line));
        }
        let memory = &self.session.memory;
        let operators_spilled = seen.observation.spill().bytes;
        let record = QueryRecord {
            id: 0,
            sql: std::mem::take(&mut self.sql),
            verb: seen.verb.map(str::to_owned),
            label: self.label.take(),
            started_at: self.started_at,
            duration: now - self.begin,
            planning: seen.planned.map(|planned| planned - self.begin),
            execution: seen
                .planned
                .map(|planned| seen.ended.unwrap_or(now).saturating_duration_since(planned)),
            rows,
            peak_memory: memory.usage().peak.saturating_sub(self.memory_before),
            spilled_bytes: operators_spilled,
            tables: seen.tables.iter().map(TableRead::shown).collect(),
            status,
            error,
            observation: seen.observation,
        };
        write(&self.session.queries).push(record, most);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.recorded {
            self.record(
                QueryStatus::Interrupted,
                Some(FailureKind::Interrupted),
                None,
            );
        }
    }
}
