//! The one error that leaves the engine: what is wrong, where, and what to do.
//!
//! It does not print itself with colour or to a stream; front ends ask it for a report.

mod calls;
#[cfg(test)]
mod cases;
mod explain;
mod memory;
mod names;
mod report;
mod rules;
mod secret;
mod seek;
mod store;
mod syntax;
mod types;
mod wording;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use datafusion::error::DataFusionError;

use crate::input::Substituted;
use crate::source::Place;

pub(crate) use report::noted;
pub(crate) use report::plain_excerpt as excerpt;
pub use report::printable;
pub use secret::{SECRET_NAMES, masked};
pub(crate) use store::{CREDENTIALS_HINT, lacks_credentials, store_said};
pub(crate) use types::quoted_name;
pub use types::sql_type_name;

/// What sort of failure it was; front ends derive the exit status from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The text could not be parsed.
    Syntax,
    /// A name, a type or a statement's meaning is wrong; nothing ran.
    Plan,
    /// The statement ran and failed.
    Execution,
    /// A limit on memory or disk was reached.
    Resources,
    /// A command, an option or a setting was used wrongly.
    Usage,
    /// The session does not permit it (read-only, untrusted catalog).
    Denied,
    /// Reading input or writing results failed.
    InputOutput,
    /// The user interrupted it.
    Interrupted,
}

impl FailureKind {
    /// Returns the word that stands for it in `system.queries`.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Plan => "plan",
            Self::Execution => "execution",
            Self::Resources => "resources",
            Self::Usage => "usage",
            Self::Denied => "denied",
            Self::InputOutput => "input_output",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A failure of one cell, ready to be shown to a person.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What sort of failure it was.
    pub kind: FailureKind,
    /// One sentence, lower case, no full stop; never Debug output.
    pub message: String,
    /// Where in the user's input, if that is known.
    pub place: Option<Place>,
    /// What to do about it, each a sentence of its own.
    pub hints: Vec<String>,
    /// What caused it, for logs; not shown.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Makes a failure without place, hints or cause.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: without_backtrace(message.into()),
            place: None,
            hints: Vec::new(),
            source: None,
        }
    }

    /// Adds a sentence that says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the place, unless a more exact one is known already.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl Failure {
    /// Explains an error that DataFusion gave for a statement.
    ///
    /// The text must be the one that DataFusion parsed. The failure always has a place: the whole
    /// statement, if nothing better is known.
    pub fn from_datafusion(error: DataFusionError, statement: &Substituted) -> Self {
        let finding = explain::explain(&error);
        let range = seek::seek(&finding.targets, statement);
        let mut failure = Self::from_finding(finding, error);
        if failure.place.is_some() {
            return failure;
        }
        if let Some(range) = &range {
            failure.add_hints_for(range.clone(), statement);
        }
        let place = match range {
            Some(range) => statement.original(range),
            None => statement.place.clone(),
        };
        failure.at(place)
    }

    /// Explains an error of DataFusion or of the libraries below it, without knowing a statement.
    pub fn from_error(error: impl Error + Send + Sync + 'static) -> Self {
        Self::from_finding(explain::explain(&error), error)
    }

    fn from_finding(finding: explain::Finding, error: impl Error + Send + Sync + 'static) -> Self {
        match finding.ours {
            Some(ours) => ours,
            None => Self {
                kind: finding.kind,
                message: finding.message,
                place: None,
                hints: finding.hints,
                source: Some(Arc::new(error)),
            },
        }
    }

    /// Adds what the statement's own text says about the failure at this range of it.
    fn add_hints_for(&mut self, range: std::ops::Range<usize>, statement: &Substituted) {
        let token = &statement.text[range.clone()];
        // The user's own spelling of a table is better than the name with catalog and schema.
        if self.message.starts_with("table `") && self.message.ends_with("` not found") {
            let spelling = token.trim_matches(['"', '\'', '`']);
            self.message = format!("table `{spelling}` not found");
        }
        if self.message.starts_with("column `") && token.starts_with('"') && self.hints.is_empty() {
            let name = token.trim_matches('"');
            self.hints.push(format!("a string is written '{name}'"));
        }
        let unset = statement.undefined_variable_at(range.start);
        if let Some((name, _)) = unset
            && !self.message.starts_with("variable `")
        {
            let hint = format!("variable `{name}` is not set; `\\set {name} VALUE` sets it");
            self.hints.push(hint);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// Cuts off the backtrace that some libraries put into their messages when `RUST_BACKTRACE` is set.
fn without_backtrace(mut message: String) -> String {
    if let Some(frames) = message.find("\n   0: ") {
        message.truncate(message[..frames].trim_end().len());
    }
    message
}
