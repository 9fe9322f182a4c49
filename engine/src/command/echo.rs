//! `\echo` and `\warn`: text for the results and text for the user.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

pub(super) struct Echo;

#[async_trait]
impl Command for Echo {
    fn names(&self) -> &'static [&'static str] {
        &["echo", "print"]
    }

    fn usage(&self) -> &'static str {
        "\\echo [-n] [TEXT…]"
    }

    fn summary(&self) -> &'static str {
        "writes text to the results, with -n without a line end"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\echo hello", "\\echo 'the day is' :day"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=usize::MAX)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let words = words(invocation);
        let text = match words.split_first() {
            Some((&"-n", rest)) => rest.join(" "),
            _ => words.join(" ") + "\n",
        };
        invocation.print(text).await?;
        Ok(invocation.done())
    }
}

pub(super) struct Warn;

#[async_trait]
impl Command for Warn {
    fn names(&self) -> &'static [&'static str] {
        &["warn"]
    }

    fn usage(&self) -> &'static str {
        "\\warn [TEXT…]"
    }

    fn summary(&self) -> &'static str {
        "tells the user something beside the results"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\warn 'half of it is done'"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=usize::MAX)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        invocation.notice(words(invocation).join(" ")).await?;
        Ok(invocation.done())
    }
}

fn words(invocation: &Invocation) -> Vec<&str> {
    let arguments = invocation.arguments().iter();
    arguments.map(|argument| argument.value.as_str()).collect()
}
