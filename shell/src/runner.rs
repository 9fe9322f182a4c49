//! Runs sources one after the other: the command line's, scripts, standard input.
//!
//! It stops at the first failure unless told to go on; what a prompt does differently is in `repl`.

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use lakesh_engine::event::Event;
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::input::{self, Cell, SplitOptions};
use lakesh_engine::session::Session;
use lakesh_engine::source::Source;

use crate::arguments::SourceArgument;
use crate::interrupt::Interrupts;
use crate::renderer::{Renderer, Stop, reason};
use crate::standard_input::StandardInput;
use crate::status::Status;

/// A session with a renderer for its events.
pub(crate) struct Runner {
    pub(crate) session: Arc<Session>,
    pub(crate) renderer: Renderer,
    pub(crate) interrupts: Interrupts,
}

/// How a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is done.
    Done,
    /// It is done, and the user asked to leave.
    Quit,
    /// It failed, and the user knows.
    Failed(Status),
    /// Whoever read the results has gone.
    Closed,
    /// The user interrupted it.
    Interrupted,
}

impl Runner {
    /// Runs one cell and renders what it says. A commit that was begun is done when this returns.
    pub(crate) async fn run_cell(&mut self, cell: Cell) -> Ending {
        let mut events = self.session.run(cell);
        let mut quit = false;
        let stop = loop {
            let event = tokio::select! {
                biased;
                () = self.interrupts.requested() => break Stop::Interrupted,
                event = events.next() => event,
            };
            let Some(event) = event else {
                return if quit { Ending::Quit } else { Ending::Done };
            };
            quit |= matches!(event, Event::Quit);
            if let Err(stop) = self.renderer.render(event) {
                break stop;
            }
        };
        drop(events);
        let ending = match stop {
            Stop::Closed => {
                self.renderer.abandon();
                Ending::Closed
            }
            Stop::Interrupted => {
                self.interrupts.acknowledge();
                self.renderer.abandon();
                Ending::Interrupted
            }
            Stop::Failed(failure) => {
                self.renderer.fail(&failure);
                Ending::Failed(Status::of_failure(failure.kind))
            }
        };
        self.session.settle().await;
        // A cell that ended early may not have told of its last change.
        self.renderer.set_display(self.session.display());
        ending
    }

    /// Runs all sources, and ends what was being written.
    pub(crate) async fn run_sources(
        &mut self,
        sources: &[SourceArgument],
        keep_going: bool,
    ) -> Status {
        let status = self.run_all(sources, keep_going).await;
        let went_well = match status {
            Status::Success => true,
            Status::StatementFailed => keep_going,
            Status::WrongUsage | Status::InputOutput | Status::Interrupted => false,
        };
        match self.renderer.close(went_well) {
            Ok(()) | Err(Stop::Closed) => status,
            Err(Stop::Interrupted) => Status::Interrupted,
            Err(Stop::Failed(failure)) => {
                self.renderer.messages.failure(&failure);
                match status {
                    Status::Success => Status::of_failure(failure.kind),
                    earlier => earlier,
                }
            }
        }
    }

    async fn run_all(&mut self, sources: &[SourceArgument], keep_going: bool) -> Status {
        let mut run = Run {
            keep_going,
            status: Status::Success,
        };
        for source in sources {
            let goes_on = match source {
                SourceArgument::Text(text) => {
                    let source = Source::new("-c", text.as_str());
                    self.run_script(&source, &mut run).await
                }
                SourceArgument::File(path) => match read_script(path) {
                    Ok(source) => self.run_script(&source, &mut run).await,
                    Err(failure) => self.note_failure(&failure, &mut run),
                },
                SourceArgument::StandardInput => self.run_standard_input(&mut run).await,
            };
            if !goes_on {
                break;
            }
        }
        run.status
    }

    /// Runs a script; says whether the next source is to run.
    async fn run_script(&mut self, source: &Arc<Source>, run: &mut Run) -> bool {
        for cell in input::cells(source, SplitOptions::default()) {
            let goes_on = match cell {
                Ok(cell) => run.note(self.run_cell(cell).await),
                Err(failure) => self.note_failure(&failure, run),
            };
            if !goes_on {
                return false;
            }
        }
        self.close_conditions(run)
    }

    /// Complains of an `\if` that a source has left open; says whether the next source is to run.
    fn close_conditions(&mut self, run: &mut Run) -> bool {
        match self.session.close_conditions(0) {
            Ok(()) => true,
            Err(failure) => self.note_failure(&failure, run),
        }
    }

    /// Runs what comes in, each statement as soon as it is whole.
    async fn run_standard_input(&mut self, run: &mut Run) -> bool {
        let mut input = StandardInput::start();
        loop {
            let next = tokio::select! {
                biased;
                () = self.interrupts.requested() => {
                    self.interrupts.acknowledge();
                    return run.note(Ending::Interrupted);
                }
                next = input.next() => next,
            };
            let goes_on = match next {
                None => return self.close_conditions(run),
                Some(Ok(cell)) => run.note(self.run_cell(cell).await),
                Some(Err(failure)) => self.note_failure(&failure, run),
            };
            if !goes_on {
                return false;
            }
        }
    }

    fn note_failure(&mut self, failure: &Failure, run: &mut Run) -> bool {
        let shown = self.session.secrets().hide_in_failure(failure.clone());
        self.renderer.fail(&shown);
        run.note(Ending::Failed(Status::of_failure(failure.kind)))
    }
}

/// How a run stands.
struct Run {
    keep_going: bool,
    status: Status,
}

impl Run {
    /// Notes how a cell ended; says whether the next is to run. The first failure makes the status.
    fn note(&mut self, ending: Ending) -> bool {
        let (status, goes_on) = match ending {
            Ending::Done => return true,
            Ending::Quit | Ending::Closed => return false,
            // A full disk stays full; the rest would be lost in the same way.
            Ending::Failed(status) => {
                (status, self.keep_going && status == Status::StatementFailed)
            }
            Ending::Interrupted => (Status::Interrupted, false),
        };
        if self.status == Status::Success {
            self.status = status;
        }
        goes_on
    }
}

/// Reads a script.
pub(crate) fn read_script(path: &Path) -> Result<Arc<Source>, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        let message = format!("cannot read `{name}`: {}", reason(&error));
        Failure::new(FailureKind::InputOutput, message).caused_by(error)
    })?;
    input::decode(name, &bytes)
}
