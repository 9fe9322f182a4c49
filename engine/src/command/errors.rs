//! `\errverbose`: the last failure again, with what lay below it.

use std::error::Error;
use std::fmt::Write as _;

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

pub(super) struct ErrorVerbose;

#[async_trait]
impl Command for ErrorVerbose {
    fn names(&self) -> &'static [&'static str] {
        &["errverbose"]
    }

    fn usage(&self) -> &'static str {
        "\\errverbose"
    }

    fn summary(&self) -> &'static str {
        "shows the last error again, with the messages of the libraries that it came from"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\errverbose"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        match invocation.session().last_failure() {
            Some(failure) => invocation.print(verbose(&failure)).await?,
            None => {
                invocation
                    .notice("nothing has failed in this session")
                    .await?
            }
        }
        Ok(invocation.done())
    }
}

fn verbose(failure: &Failure) -> String {
    let mut text = failure.report(false);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut cause = failure.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "caused by: {error}");
        cause = error.source();
    }
    text
}
