//! What a command is, such as `\dt`, and how a line becomes an invocation of one.
//!
//! The same commands run at a prompt, in scripts and in notebooks; dot spellings (`.tables`) and `%`
//! magics are other names for them. Which commands there are, the session is told.

mod arguments;
mod invocation;

use std::sync::Arc;

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::source::Place;

use super::{EventSender, Session};

pub use arguments::{Argument, Arguments, name_and_rest};
pub use invocation::Invocation;

/// A command with everything that is to be known about it.
#[async_trait]
pub trait Command: Send + Sync {
    /// Returns its names without `\`; the first is the one that help shows.
    fn names(&self) -> &'static [&'static str];

    /// Returns its form, such as `\i FILE`.
    fn usage(&self) -> &'static str;

    /// Returns in one sentence what it does.
    fn summary(&self) -> &'static str;

    /// Returns lines that show its use; each of them runs.
    fn examples(&self) -> &'static [&'static str];

    /// Returns which arguments it takes.
    fn arguments(&self) -> Arguments;

    /// Tells whether it may end a statement, as in `select 1 \gset`, and decides what becomes of it.
    fn takes_statement(&self) -> bool {
        false
    }

    /// Tells whether it also counts where `\if` leaves statements out.
    fn is_condition(&self) -> bool {
        false
    }

    /// Looks at the arguments without doing anything; variables that it would set, it sets.
    fn check(&self, _invocation: &Invocation) -> Result<(), Failure> {
        Ok(())
    }

    /// Does what it is for.
    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure>;
}

/// Commands that need a terminal: the shell brings them, other front ends refuse them by name.
const TERMINAL_ONLY: &[&str] = &[
    "e", "edit", "!", "shell", "system", "cd", "pager", "prompt", "history", "hist", "s",
];

/// Runs the command that stands at a place, with the statement that it ends.
pub(super) async fn run(
    session: &Arc<Session>,
    place: &Place,
    statement: Option<Place>,
    events: &EventSender,
) -> Result<Summary, Failure> {
    let (command, invocation) = invoke(session, place, Some(events))?;
    let invocation = invocation.ending(command.as_ref(), statement)?;
    command
        .run(&invocation)
        .await
        .map_err(|failure| failure.at(place.clone()))
}

/// Checks the command that stands at a place, with the statement that it ends.
pub(super) fn check(
    session: &Arc<Session>,
    place: &Place,
    statement: Option<Place>,
) -> Result<(), Failure> {
    let (command, invocation) = invoke(session, place, None)?;
    let invocation = invocation.ending(command.as_ref(), statement)?;
    command
        .check(&invocation)
        .map_err(|failure| failure.at(place.clone()))
}

/// Tells whether the command at a place is `\if` or one of its kin.
pub(super) fn is_condition(session: &Session, place: &Place) -> bool {
    let (name, _) = name_and_rest(place);
    find(session.commands(), name.text()).is_some_and(|command| command.is_condition())
}

/// Finds the command that stands at a place, and reads its arguments.
pub fn invoke(
    session: &Arc<Session>,
    place: &Place,
    events: Option<&EventSender>,
) -> Result<(Arc<dyn Command>, Invocation), Failure> {
    let (name, rest) = name_and_rest(place);
    let Some(command) = find(session.commands(), name.text()) else {
        return Err(unknown(session.commands(), &name));
    };
    let invocation = Invocation::new(session, place, &name, &rest, command.as_ref(), events)?;
    Ok((command, invocation))
}

/// Finds a command by any of its names; psql's `+` at the end (`\d+`) makes no difference.
pub fn find(commands: &[Arc<dyn Command>], name: &str) -> Option<Arc<dyn Command>> {
    let named = |name: &str| {
        commands
            .iter()
            .find(|command| command.names().contains(&name))
            .cloned()
    };
    named(name).or_else(|| named(name.strip_suffix('+')?))
}

fn unknown(commands: &[Arc<dyn Command>], name: &Place) -> Failure {
    let text = name.text();
    if TERMINAL_ONLY.contains(&text) {
        let message = format!("`\\{text}` needs a terminal");
        return Failure::new(FailureKind::Usage, message).at(name.clone());
    }
    let failure = Failure::new(FailureKind::Usage, format!("unknown command `\\{text}`"));
    let known = commands
        .iter()
        .flat_map(|command| command.names().iter().copied());
    let failure = match lakesh_text::similar::closest(text, known) {
        Some(close) => failure.hint(format!("did you mean `\\{close}`?")),
        None => failure.hint("`\\help` lists the commands"),
    };
    failure.at(name.clone())
}
