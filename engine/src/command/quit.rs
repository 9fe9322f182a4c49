//! `\q`: leaves; a script ends there.

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

pub(super) struct Quit;

#[async_trait]
impl Command for Quit {
    fn names(&self) -> &'static [&'static str] {
        &["q", "quit", "exit"]
    }

    fn usage(&self) -> &'static str {
        "\\q"
    }

    fn summary(&self) -> &'static str {
        "leaves the shell; in a script, ends the script"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\q"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        invocation.send(Event::Quit).await?;
        Ok(invocation.done())
    }
}
