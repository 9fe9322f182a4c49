//! `\cd`: changes the folder that relative paths start from.

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::event::Summary;
use lakesh_engine::failure::{Failure, FailureKind};

use crate::renderer::reason;

pub(crate) struct ChangeFolder;

#[async_trait]
impl Command for ChangeFolder {
    fn names(&self) -> &'static [&'static str] {
        &["cd"]
    }

    fn usage(&self) -> &'static str {
        "\\cd [FOLDER]"
    }

    fn summary(&self) -> &'static str {
        "changes the folder that relative paths start from; without one, to the home folder"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\cd ."]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let session = invocation.session();
        let home = || dirs::home_dir().ok_or_else(|| invocation.wrong("there is no home folder"));
        let wanted = match invocation
            .argument(0)
            .map(|argument| argument.value.as_str())
        {
            None | Some("~") => home()?,
            Some(folder) => match folder.strip_prefix("~/") {
                Some(below) => home()?.join(below),
                None => session.working_directory().join(folder),
            },
        };
        let cannot = |error: std::io::Error| {
            let message = format!(
                "cannot change to `{}`: {}",
                wanted.display(),
                reason(&error)
            );
            Failure::new(FailureKind::InputOutput, message).caused_by(error)
        };
        let folder = wanted.canonicalize().map_err(cannot)?;
        // Also fails where the folder is a file or may not be entered.
        std::env::set_current_dir(&folder).map_err(cannot)?;
        session.set_working_directory(folder);
        Ok(invocation.done())
    }
}
