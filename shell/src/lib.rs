//! The terminal front end of lakesh: the command line, scripts, the prompt, and rendering of events.
//!
//! It plans and runs nothing itself; all of that is the engine's session.

mod arguments;
mod check;
mod colour;
mod command;
mod command_line;
mod completions;
mod compressed_file;
mod configuration;
mod habits;
mod interrupt;
mod manual;
mod messages;
mod notebook;
mod output_file;
mod pager;
mod progress;
mod renderer;
mod repl;
mod runner;
mod sink;
mod standard_input;
mod start;
mod status;
mod trust;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::memory::spill::SpillFolder;
use tokio::runtime::{Builder, Runtime};

use arguments::{Arguments, SourceArgument};
use check::Checker;
use command_line::{CommandLine, Task};
use configuration::Configuration;
use renderer::{Stop, reason};
use start::{Start, Streams};
use status::Status;

/// Deep expressions recurse; a thread that had less would overflow on trees that the parser admits.
/// Without optimisation a level takes several times as much. Pages that are not touched cost nothing.
const STACK: usize = if cfg!(debug_assertions) { 512 } else { 64 } * 1024 * 1024;

/// How long interrupted work may take to let go.
const PATIENCE: Duration = Duration::from_millis(100);

/// Runs lakesh with a command line, the program's name first; returns the exit status.
///
/// Where standard output was closed when the process began, something else stands in its place by now.
pub fn run(words: impl IntoIterator<Item = OsString>, output_was_closed: bool) -> u8 {
    run_with(words, output_was_closed).code()
}

/// Keeps a bug on a worker thread from writing its own words: its cell fails and says so.
fn silence_workers() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("main") {
            usual(panic);
        }
    }));
}

/// Says what is wrong with the command line, or what was asked about it.
fn explain_usage(error: &clap::Error) -> Status {
    let printed = error.print();
    match printed {
        _ if error.use_stderr() => Status::WrongUsage,
        // A reader that has left is no reason to say more; a full disk is.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Status::InputOutput,
        _ => Status::Success,
    }
}

fn run_with(words: impl IntoIterator<Item = OsString>, output_was_closed: bool) -> Status {
    let words: Vec<_> = words.into_iter().collect();
    let streams = Streams::of_process(output_was_closed);
    if let Some(candidates) = completions::asked(&words) {
        return match candidates.and_then(|candidates| print(&candidates)) {
            Ok(()) => Status::Success,
            // The line that is being typed is no place for a message.
            Err(_) => Status::InputOutput,
        };
    }
    let line = match CommandLine::read(habits::translated(words)) {
        Ok(line) => line,
        Err(error) => return explain_usage(&error),
    };
    silence_workers();
    let outcome = match line.task {
        None => run_sources(line.arguments, streams),
        Some(Task::Kernel { action }) => notebook::kernel(action),
        Some(Task::Run(arguments)) => notebook::run(&arguments),
        Some(Task::Trust { folder }) => trust::trust(folder.as_deref(), streams),
        Some(Task::Completions { shell }) => print_text(completions::script(&shell)),
        Some(Task::Man) => print_text(manual::page()),
    };
    outcome.unwrap_or_else(|(failure, status)| {
        start::messages(streams).failure(&failure);
        status
    })
}

/// Writes to standard output; a reader that has left is no failure.
fn print(text: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text).and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn print_text(text: io::Result<Vec<u8>>) -> Result<Status, (Failure, Status)> {
    match text.and_then(|text| print(&text)) {
        Ok(()) => Ok(Status::Success),
        Err(error) => {
            let message = format!("cannot write to standard output: {}", reason(&error));
            let failure = Failure::new(FailureKind::InputOutput, message).caused_by(error);
            Err((failure, Status::InputOutput))
        }
    }
}

/// Runs statements: those of the command line, of scripts, of standard input or of a prompt.
fn run_sources(arguments: Arguments, streams: Streams) -> Result<Status, (Failure, Status)> {
    let configuration =
        start::configuration(&arguments).map_err(|failure| (failure, Status::WrongUsage))?;
    let runtime =
        runtime(&arguments, &configuration).map_err(|failure| (failure, Status::InputOutput))?;
    let mut temporary = None;
    let status = run_in(&runtime, arguments, &configuration, streams, &mut temporary);
    // Nothing of value runs any more: `run_cell` waits for commits.
    runtime.shutdown_timeout(PATIENCE);
    // A busy machine may not have let everything go in that time.
    if let Some(folder) = temporary {
        folder.remove();
    }
    status
}

fn runtime(arguments: &Arguments, configuration: &Configuration) -> Result<Runtime, Failure> {
    let threads = arguments.threads.map(usize::from).or(configuration.threads);
    let mut builder = Builder::new_multi_thread();
    builder.enable_all().thread_stack_size(STACK);
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    builder.build().map_err(|error| {
        let message = format!("cannot start threads: {}", reason(&error));
        Failure::new(FailureKind::InputOutput, message).caused_by(error)
    })
}

fn run_in(
    runtime: &Runtime,
    mut arguments: Arguments,
    configuration: &Configuration,
    streams: Streams,
    temporary: &mut Option<Arc<SpillFolder>>,
) -> Result<Status, (Failure, Status)> {
    let interactive = arguments.sources.is_empty() && streams.input_is_terminal && !arguments.check;
    if arguments.sources.is_empty() {
        arguments.sources.push(SourceArgument::StandardInput);
    }
    let started = {
        let _guard = runtime.enter();
        start::start(&arguments, configuration, streams, interactive)
    };
    let mut start = match started {
        Ok(start) => start,
        Err(Stop::Failed(failure)) => {
            let status = match failure.kind {
                FailureKind::Usage => Status::WrongUsage,
                kind => Status::of_failure(kind),
            };
            return Err((failure, status));
        }
        Err(Stop::Closed | Stop::Interrupted) => return Ok(Status::Success),
    };
    *temporary = Some(Arc::clone(start.runner.session.memory().spill()));
    Ok(if interactive {
        repl::run(runtime, start, &arguments)
    } else if arguments.check {
        let Start { runner, .. } = &mut start;
        let checker = Checker::new(&runner.session, &mut runner.renderer.messages);
        runtime.block_on(checker.check(&arguments.sources))
    } else {
        let run = start
            .runner
            .run_sources(&arguments.sources, arguments.keep_going);
        runtime.block_on(run)
    })
}
