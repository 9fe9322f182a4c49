//! The backslash commands that every front end has, such as `\dt`.
//!
//! A command is one file, or one of a family in one file, and a line in `commands`. A front end adds
//! commands of its own through `SessionOptions::commands`.

mod attachments;
mod clear;
mod compare;
mod condition;
mod connection;
mod crosstab;
mod delta;
mod display;
mod echo;
mod errors;
mod go;
mod habits;
pub(crate) mod help;
mod include;
mod output;
mod parameter;
mod profile;
mod query;
mod quit;
mod show;
mod variable;
mod watch;

use std::sync::{Arc, LazyLock};

pub use include::included_script;
pub use lakesh_session::command::{Arguments, Command, Invocation};

/// Returns the commands that every front end has.
pub fn commands() -> &'static [Arc<dyn Command>] {
    static COMMANDS: LazyLock<Vec<Arc<dyn Command>>> = LazyLock::new(|| {
        vec![
            Arc::new(show::DESCRIBE),
            Arc::new(show::TABLES),
            Arc::new(show::VIEWS),
            Arc::new(show::FUNCTIONS),
            Arc::new(show::SCHEMAS),
            Arc::new(delta::Versions),
            Arc::new(delta::Diff),
            Arc::new(delta::Undo),
            Arc::new(lakesh_hint::command::Apply),
            Arc::new(attachments::Attachments),
            Arc::new(profile::Profile),
            Arc::new(compare::Compare),
            Arc::new(compare::Plan),
            Arc::new(include::Include),
            Arc::new(output::Output),
            Arc::new(output::Save),
            Arc::new(habits::Once),
            Arc::new(go::Go),
            Arc::new(go::GoExpanded),
            Arc::new(go::GoSet),
            Arc::new(go::GoExecute),
            Arc::new(go::GoDescribe),
            Arc::new(watch::Watch),
            Arc::new(crosstab::Crosstab),
            Arc::new(habits::Copy),
            Arc::new(habits::Import),
            Arc::new(display::EXPANDED),
            Arc::new(display::TIMING),
            Arc::new(display::HEADER),
            Arc::new(display::MODE),
            Arc::new(display::MAX_ROWS),
            Arc::new(display::NULL_VALUE),
            Arc::new(condition::IF),
            Arc::new(condition::ELIF),
            Arc::new(condition::ELSE),
            Arc::new(condition::END),
            Arc::new(variable::Set),
            Arc::new(variable::Unset),
            Arc::new(parameter::Parameter),
            Arc::new(echo::Echo),
            Arc::new(echo::Warn),
            Arc::new(connection::ConnectionInfo),
            Arc::new(errors::ErrorVerbose),
            Arc::new(habits::Pset),
            Arc::new(habits::OPEN),
            Arc::new(habits::WIDTH),
            Arc::new(clear::Clear),
            Arc::new(help::Help),
            Arc::new(quit::Quit),
        ]
    });
    &COMMANDS
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
