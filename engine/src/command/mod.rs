//! The backslash commands that every front end has, such as `\dt`.
//!
//! A command is one file, or one of a family in one file, and a line in `commands`. A front end adds
//! commands of its own through `SessionOptions::commands`.

mod attachments;
mod clear;
mod compare;
mod delta;
mod display;
mod echo;
pub(crate) mod help;
mod include;
mod output;
mod parameter;
mod profile;
mod quit;
mod show;
mod variable;

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
            Arc::new(lakesh_hint::command::Apply),
            Arc::new(attachments::Attachments),
            Arc::new(profile::Profile),
            Arc::new(compare::Compare),
            Arc::new(compare::Plan),
            Arc::new(include::Include),
            Arc::new(output::Output),
            Arc::new(output::Save),
            Arc::new(display::EXPANDED),
            Arc::new(display::TIMING),
            Arc::new(display::HEADER),
            Arc::new(display::MODE),
            Arc::new(display::MAX_ROWS),
            Arc::new(display::NULL_VALUE),
            Arc::new(variable::Set),
            Arc::new(variable::Unset),
            Arc::new(parameter::Parameter),
            Arc::new(echo::Echo),
            Arc::new(echo::Warn),
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
