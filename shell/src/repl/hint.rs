//! What stands dimmed behind the cursor: the rest of an earlier entry, or how the function is called.

use std::cell::RefCell;
use std::sync::Arc;

use lakesh_engine::completion::{CalledFunction, called_function};
use lakesh_engine::inspection::usage;
use lakesh_engine::session::Session;
use rustyline::Context;
use rustyline::hint::Hint;
use rustyline::history::SearchDirection;

use super::continuation::without_marks;

/// Longer text gets no hint: each key looks through the history.
const LONGEST: usize = 2_000;

/// What is shown behind the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineHint {
    display: String,
    /// What the right arrow key puts in; nothing for what only explains.
    completion: Option<String>,
}

impl Hint for LineHint {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        self.completion.as_deref()
    }
}

/// Finds hints.
pub(super) struct Hints {
    session: Arc<Session>,
    /// The function that was looked up last: each further letter of its arguments asks again.
    last: RefCell<Option<(String, Option<String>)>>,
}

impl Hints {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self {
            session,
            last: RefCell::new(None),
        }
    }

    /// Finds the hint for a line with the cursor at its end.
    pub(super) fn find(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> Option<LineHint> {
        if line.trim().is_empty() || position < line.len() || line.len() > LONGEST {
            return None;
        }
        earlier(line, context).or_else(|| self.signature(line))
    }

    fn signature(&self, line: &str) -> Option<LineHint> {
        let text = without_marks(line);
        let CalledFunction { name, .. } = called_function(&text, text.len())?;
        let name = name.to_lowercase();
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| *known != name) {
            let found = usage(&self.session, &name);
            *last = Some((name, found));
        }
        let (_, usage) = last.as_ref()?;
        Some(LineHint {
            display: format!("  {}", usage.as_ref()?),
            completion: None,
        })
    }
}

/// Finds the newest entry of the history that goes on from what was typed.
fn earlier(line: &str, context: &Context<'_>) -> Option<LineHint> {
    let newest = context.history().len().checked_sub(1)?;
    let history = context.history();
    let found = history
        .starts_with(line, newest, SearchDirection::Reverse)
        .ok()
        .flatten()?;
    let rest = found.entry.strip_prefix(line)?;
    if rest.is_empty() {
        return None;
    }
    let first = rest.lines().next().unwrap_or_default();
    let display = match first.len() < rest.trim_end().len() {
        true => format!("{first} …"),
        false => first.to_owned(),
    };
    Some(LineHint {
        display,
        completion: Some(rest.to_owned()),
    })
}
