//! The one error that leaves the engine: what is wrong, where, and what to do.
//!
//! It does not print itself with colour or to a stream; front ends ask it for a report.

mod calls;
#[cfg(test)]
mod cases;
mod damage;
mod explain;
mod explanation;
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

use crate::source::Place;

pub use damage::damaged;
pub use report::{noted, plain_excerpt as excerpt, printable};
pub use secret::{SECRET_NAMES, masked};
pub use store::{CREDENTIALS_HINT, lacks_credentials, store_said};
pub use syntax::unexpected_token;
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

/// What a failure is about, for whoever knows more of that than the one who found it. They ask this, never the
/// words of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A table that was not found.
    MissingTable,
    /// A column that was not found, or that several tables have.
    Column,
    /// A parameter that has no value, as it is written: `$name` or `?`.
    Parameter(String),
    /// A text variable that is not set.
    Variable,
    /// A setting that was not found.
    Setting,
    /// A view itself, which the message names.
    View,
    /// The query of a view; the message begins with the view's name.
    InView {
        /// The view, as the message names it.
        view: String,
        /// The message without it.
        message: String,
    },
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
    /// What it is about, where somebody may want to add to it.
    subject: Option<Box<Subject>>,
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
            subject: None,
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

    /// Returns what it is about.
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_deref()
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(Box::new(subject));
        self
    }

    /// Says that a parameter has no value; it is named as it is written, `$name`.
    pub fn without_value(parameter: &str) -> Self {
        let message = format!("parameter `{parameter}` has no value");
        Self::new(FailureKind::Plan, message).about(Subject::Parameter(parameter.to_owned()))
    }

    /// Says that it happened in the query of a view, unless it is about a view and names that.
    #[must_use]
    pub fn in_view(mut self, view: &str) -> Self {
        if self.subject() != Some(&Subject::View) {
            let message = format!("in view `{view}`: {}", self.message);
            let subject = Subject::InView {
                view: view.to_owned(),
                message: std::mem::replace(&mut self.message, message),
            };
            self.subject = Some(Box::new(subject));
        }
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
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
