//! `\clear`: removes what is shown of the results so far.

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

pub(super) struct Clear;

#[async_trait]
impl Command for Clear {
    fn names(&self) -> &'static [&'static str] {
        &["clear"]
    }

    fn usage(&self) -> &'static str {
        "\\clear"
    }

    fn summary(&self) -> &'static str {
        "clears the screen, or in a notebook the output of the cell"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\clear"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        invocation.send(Event::Clear).await?;
        Ok(invocation.done())
    }
}
