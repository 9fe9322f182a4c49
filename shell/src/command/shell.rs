//! `\!`: runs a line of the user's own shell.
//!
//! At the prompt only, unless --allow-programs says otherwise: a script may be anybody's.

use std::process::{Command as Process, ExitStatus};

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::effect::Effect;
use lakesh_engine::event::Summary;
use lakesh_engine::failure::{Failure, FailureKind};

use crate::renderer::reason;

pub(crate) struct Shell;

#[async_trait]
impl Command for Shell {
    fn names(&self) -> &'static [&'static str] {
        &["!", "shell", "system"]
    }

    fn usage(&self) -> &'static str {
        "\\! [LINE]"
    }

    fn summary(&self) -> &'static str {
        "runs a line in the shell; without one, opens the shell"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\! true"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Text
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        let what = format!("`\\{}` is refused", invocation.name());
        invocation.session().require(Effect::RunPrograms, &what)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        self.check(invocation)?;
        let line = invocation.text().to_owned();
        let folder = invocation.session().working_directory();
        let ended = tokio::task::spawn_blocking(move || {
            let shell = std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned());
            let mut process = Process::new(shell);
            if !line.is_empty() {
                process.arg("-c").arg(line);
            }
            process.current_dir(folder).status()
        })
        .await;
        let failed = |message: String| Failure::new(FailureKind::Execution, message);
        match ended {
            Ok(Ok(status)) if status.success() => Ok(invocation.done()),
            Ok(Ok(status)) => Err(failed(describe(status))),
            Ok(Err(error)) => Err(failed(format!(
                "cannot start the shell: {}",
                reason(&error)
            ))),
            Err(_) => Err(failed("the shell was lost".to_owned())),
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("the shell ended with status {code}"),
        None => "the shell was killed".to_owned(),
    }
}
