//! `--check`: looks at every statement without running any, and tells every failure at once.

use std::collections::HashSet;
use std::sync::Arc;

use lakesh_engine::command::included_script;
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::input::{self, Cell, SplitOptions};
use lakesh_engine::session::Session;
use lakesh_engine::source::Source;

use crate::arguments::SourceArgument;
use crate::messages::Messages;
use crate::runner::read_script;
use crate::standard_input::StandardInput;
use crate::status::Status;

/// Checks sources one after the other, and the scripts that they include.
pub(crate) struct Checker<'a> {
    session: &'a Arc<Session>,
    messages: &'a mut Messages,
    failures: usize,
    status: Status,
    /// The scripts that were checked already, by name.
    seen: HashSet<String>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(session: &'a Arc<Session>, messages: &'a mut Messages) -> Self {
        Self {
            session,
            messages,
            failures: 0,
            status: Status::Success,
            seen: HashSet::new(),
        }
    }

    /// Checks all sources.
    pub(crate) async fn check(mut self, sources: &[SourceArgument]) -> Status {
        for source in sources {
            match source {
                SourceArgument::Text(text) => {
                    self.check_script(&Source::new("-c", text.as_str())).await;
                }
                SourceArgument::File(path) => match read_script(path) {
                    Ok(script) => self.check_script(&script).await,
                    Err(failure) => self.note(&failure),
                },
                SourceArgument::StandardInput => {
                    let mut input = StandardInput::start();
                    while let Some(cell) = input.next().await {
                        self.check_cell(cell).await;
                    }
                }
            }
        }
        if self.failures > 1 {
            self.messages.say(&format!("{} errors", self.failures));
        }
        self.status
    }

    async fn check_script(&mut self, script: &Arc<Source>) {
        for cell in input::cells(script, SplitOptions::default()) {
            self.check_cell(cell).await;
        }
    }

    async fn check_cell(&mut self, cell: Result<Cell, Failure>) {
        let cell = match cell {
            Ok(cell) => cell,
            Err(failure) => return self.note(&failure),
        };
        if let Cell::Command { place, .. } = &cell
            && let Ok(Some(script)) = included_script(self.session, place)
        {
            if self.seen.insert(script.name.clone()) {
                Box::pin(self.check_script(&script)).await;
            }
            return;
        }
        // On a thread of the runtime: its stack takes trees that the main thread's does not.
        let session = Arc::clone(self.session);
        let checked = tokio::spawn(async move { session.check(cell).await }).await;
        match checked {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => self.note(&failure),
            Err(_) => self.note(
                &Failure::new(
                    FailureKind::Execution,
                    "lakesh itself failed while checking",
                )
                .hint("this is a bug; the other statements are checked all the same"),
            ),
        }
    }

    fn note(&mut self, failure: &Failure) {
        self.failures += 1;
        self.messages.failure(failure);
        if self.status == Status::Success {
            self.status = Status::of_failure(failure.kind);
        }
    }
}
