//! `\e`: opens the previous statement, or a script, in the user's editor.
//!
//! The edited text comes back to the prompt, where Enter runs it; a script is changed where it lies.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::effect::Effect;
use lakesh_engine::event::Summary;
use lakesh_engine::failure::{Failure, FailureKind};

use super::Edited;
use crate::renderer::reason;

pub(crate) struct Edit {
    edited: Edited,
}

impl Edit {
    pub(crate) fn new(edited: Edited) -> Self {
        Self { edited }
    }
}

#[async_trait]
impl Command for Edit {
    fn names(&self) -> &'static [&'static str] {
        &["e", "edit"]
    }

    fn usage(&self) -> &'static str {
        "\\e [FILE]"
    }

    fn summary(&self) -> &'static str {
        "opens the previous statement, or a file, in $VISUAL or $EDITOR; Enter then runs it"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        if !io::stdin().is_terminal() {
            return Err(invocation.wrong("`\\e` needs a terminal"));
        }
        // The editor is a program that writes a file, and can do anything besides.
        invocation
            .session()
            .require(Effect::RunPrograms, "`\\e` is refused")?;
        if let Some(file) = invocation.argument(0) {
            let path = invocation.session().working_directory().join(&file.value);
            edit(path).await?;
            return Ok(invocation.done());
        }
        let statement = invocation.session().previous_statement();
        let text = statement.map_or_else(String::new, |place| format!("{};\n", place.text()));
        let cannot = |error: io::Error| {
            let message = format!("cannot edit: {}", reason(&error));
            Failure::new(FailureKind::InputOutput, message).caused_by(error)
        };
        let file = tempfile::Builder::new()
            .prefix("lakesh-")
            .suffix(".sql")
            .tempfile()
            .map_err(cannot)?;
        fs::write(file.path(), &text).map_err(cannot)?;
        edit(file.path().to_owned()).await?;
        let edited = fs::read_to_string(file.path()).map_err(cannot)?;
        if edited.trim() != text.trim() && !edited.trim().is_empty() {
            self.edited.put(edited.trim_end().to_owned());
        }
        Ok(invocation.done())
    }
}

/// Opens the editor and waits for it, on a thread that may block.
async fn edit(path: PathBuf) -> Result<(), Failure> {
    let failed = |message: String| Failure::new(FailureKind::InputOutput, message);
    let program = env::var("VISUAL").or_else(|_| env::var("EDITOR"));
    let program = program.unwrap_or_else(|_| "vi".to_owned());
    let running = program.clone();
    let ended = tokio::task::spawn_blocking(move || open(&running, &path)).await;
    match ended {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(failed(format!("the editor `{program}` failed"))),
        Ok(Err(error)) => Err(failed(format!(
            "cannot start `{program}`: {}",
            reason(&error)
        ))),
        Err(_) => Err(failed(format!("the editor `{program}` was lost"))),
    }
}

/// Runs the editor through the shell, as its users write it: `code --wait`.
fn open(program: &str, path: &Path) -> io::Result<bool> {
    let status = Process::new("sh")
        .arg("-c")
        .arg(format!("{program} \"$1\""))
        .arg("lakesh")
        .arg(path)
        .status()?;
    Ok(status.success())
}
