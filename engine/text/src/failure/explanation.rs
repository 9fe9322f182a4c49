//! How an error of a library becomes a failure: its place in the statement, and what the statement's own
//! text says about it.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use datafusion::error::DataFusionError;

use super::{Failure, Subject, explain, seek};
use crate::input::Substituted;

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
                subject: finding.subject.map(Box::new),
                source: Some(Arc::new(error)),
            },
        }
    }

    /// Adds what the statement's own text says about the failure at this range of it.
    fn add_hints_for(&mut self, range: Range<usize>, statement: &Substituted) {
        let token = &statement.text[range.clone()];
        // The user's own spelling of a table is better than the name with catalog and schema.
        if self.subject.as_deref() == Some(&Subject::MissingTable) {
            let spelling = token.trim_matches(['"', '\'', '`']);
            self.message = format!("table `{spelling}` not found");
        }
        if self.subject.as_deref() == Some(&Subject::Column)
            && token.starts_with('"')
            && self.hints.is_empty()
        {
            let name = token.trim_matches('"');
            self.hints.push(format!("a string is written '{name}'"));
        }
        let unset = statement.undefined_variable_at(range.start);
        if let Some((name, _)) = unset
            && self.subject.as_deref() != Some(&Subject::Variable)
        {
            let hint = format!("variable `{name}` is not set; `\\set {name} VALUE` sets it");
            self.hints.push(hint);
        }
    }
}
