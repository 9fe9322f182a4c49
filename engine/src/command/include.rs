//! `\i`: runs another script in this session.
//!
//! A relative path starts from the folder of the script that includes it, and from the working folder
//! where there is none. The script ends at its first error, and its errors name it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::Session;
use lakesh_session::command::{Arguments, Command, Invocation, find, invoke, name_and_rest};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::input;
use lakesh_text::input::{Cell, SplitOptions};
use lakesh_text::source::{Place, Source};

/// Scripts may include each other this deep.
const DEEPEST: usize = 32;

tokio::task_local! {
    /// The scripts that include the one that runs, outermost first.
    static INCLUDING: Vec<PathBuf>;
}

pub(super) struct Include;

#[async_trait]
impl Command for Include {
    fn names(&self) -> &'static [&'static str] {
        &["i", "include", "read"]
    }

    fn usage(&self) -> &'static str {
        "\\i FILE"
    }

    fn summary(&self) -> &'static str {
        "runs a script in this session; its path is relative to the including script"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=1)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        script(invocation).map(|_| ())
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let script = script(invocation)?;
        let mut chain = INCLUDING.try_with(Clone::clone).unwrap_or_default();
        let path = invocation.session().working_directory().join(&script.name);
        let path = path.canonicalize().unwrap_or(path);
        if chain.contains(&path) {
            return Err(invocation.wrong(format!("`{}` includes itself", script.name)));
        }
        if chain.len() == DEEPEST {
            return Err(invocation.wrong(format!(
                "scripts include each other more than {DEEPEST} deep"
            )));
        }
        chain.push(path);
        INCLUDING
            .scope(chain, run_script(invocation, &script))
            .await?;
        Ok(invocation.done())
    }
}

/// Runs the cells of a script; all but the last event of each go where the command's go.
async fn run_script(invocation: &Invocation, script: &Arc<Source>) -> Result<(), Failure> {
    let events = invocation.events()?;
    let open = invocation.session().open_conditions();
    for cell in input::cells(script, SplitOptions::default()) {
        let cell = cell?;
        let leaves = is_quit(invocation.session(), &cell);
        if leaves {
            return Ok(());
        }
        let begin = std::time::Instant::now();
        let mut summary = lakesh_session::run_cell(invocation.session(), cell, events).await?;
        summary.elapsed = begin.elapsed();
        invocation.send(Event::Step(summary)).await?;
    }
    invocation.session().close_conditions(open)
}

/// Tells whether a cell ends the script: `\q` inside an included script ends that script only.
fn is_quit(session: &Session, cell: &Cell) -> bool {
    let Cell::Command { place, .. } = cell else {
        return false;
    };
    let (name, _) = name_and_rest(place);
    !session.leaves_out(cell)
        && find(session.commands(), name.text()).is_some_and(|command| command.names()[0] == "q")
}

/// Returns the script that a command includes, if it is one that does: `--check` goes into it.
pub fn included_script(
    session: &Arc<Session>,
    place: &Place,
) -> Result<Option<Arc<Source>>, Failure> {
    let (command, invocation) = invoke(session, place, None)?;
    if command.names() != Include.names() {
        return Ok(None);
    }
    script(&invocation)
        .map(Some)
        .map_err(|failure| failure.at(place.clone()))
}

/// Reads the script.
fn script(invocation: &Invocation) -> Result<Arc<Source>, Failure> {
    let Some(file) = invocation.argument(0) else {
        return Err(invocation.wrong("`\\i` is missing an argument"));
    };
    let working_directory = invocation.session().working_directory();
    let including = Path::new(&invocation.place().source.name);
    let name = match including.parent() {
        Some(folder) if working_directory.join(including).is_file() => folder.join(&file.value),
        _ => PathBuf::from(&file.value),
    };
    let path = working_directory.join(&name);
    let name = name.display().to_string();
    let bytes = std::fs::read(&path).map_err(|error| {
        Failure::new(
            FailureKind::InputOutput,
            format!("cannot read `{name}`: {}", reason(&error)),
        )
        .at(file.place.clone())
        .caused_by(error)
    })?;
    input::decode(name, &bytes)
}

/// Says in a few words why a file cannot be read.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}
