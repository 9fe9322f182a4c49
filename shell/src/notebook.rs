//! `lakesh kernel …` and `lakesh run NOTEBOOK`: the ways into the notebook from the command line.
//!
//! Everything else is scripts and the prompt; a file that is called `kernel` or `run` is `./kernel`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::session::{NativeFunctions, Session, SessionOptions};
use lakesh_kernel::KernelOptions;
use lakesh_kernel::install::{Installation, Place, install};
use lakesh_kernel::notebook::{NotebookRun, run as run_notebook};

use crate::arguments::{Arguments, SourceArgument};
use crate::configuration::Configuration;
use crate::interrupt::{Interrupts, OnSignal};
use crate::repl::KeptHistory;
use crate::start::{self, Streams};
use crate::status::Status;
use crate::{PATIENCE, runtime};

/// The name of the kernel that notebooks keep, unless the user says.
const KERNEL_NAME: &str = "lakesh";

/// Manages the notebook kernel.
#[derive(Debug, Parser)]
#[command(name = "lakesh kernel", max_term_width = 100)]
struct KernelArguments {
    #[command(subcommand)]
    action: KernelAction,
}

#[derive(Debug, Subcommand)]
enum KernelAction {
    /// Installs the kernel where Jupyter finds it
    Install(InstallArguments),
    /// Runs a kernel; Jupyter does this
    Start(StartArguments),
}

#[derive(Debug, Parser)]
struct InstallArguments {
    /// For the user (the default)
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    user: bool,

    /// Into the active Python environment
    #[arg(long, conflicts_with = "prefix")]
    sys_prefix: bool,

    /// Below this folder, as DIR/share/jupyter/kernels
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,

    /// The name that notebooks keep
    #[arg(long, default_value = KERNEL_NAME)]
    name: String,

    /// The name that front ends show
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,

    /// Options for the session, such as `-- --catalog DIR`
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<String>,
}

#[derive(Debug, Parser)]
struct StartArguments {
    /// Where to listen, as Jupyter writes it
    #[arg(short = 'f', long, value_name = "FILE")]
    connection_file: PathBuf,

    /// Options for the session, such as `-- --catalog DIR`
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

/// What the command line asks of the notebook.
pub(crate) enum Request {
    /// Words of `lakesh kernel`.
    Kernel(Vec<OsString>),
    /// Words of `lakesh run`, as if they were a script's.
    Run(Vec<OsString>),
}

/// Tells whether the command line asks for the notebook.
pub(crate) fn request(words: &[OsString]) -> Option<Request> {
    let program = words.first()?.clone();
    let rest = words.get(2..).unwrap_or_default().iter().cloned();
    match words.get(1)?.to_str()? {
        "kernel" => Some(Request::Kernel(
            std::iter::once("lakesh kernel".into())
                .chain(rest)
                .collect(),
        )),
        "run" => Some(Request::Run(std::iter::once(program).chain(rest).collect())),
        _ => None,
    }
}

/// Does what is asked.
pub(crate) fn perform(request: Request) -> Result<Status, (Failure, Status)> {
    match request {
        Request::Kernel(words) => match KernelArguments::try_parse_from(words) {
            Ok(arguments) => kernel(arguments.action),
            Err(error) => Ok(crate::explain_usage(&error)),
        },
        Request::Run(words) => match Arguments::read(words) {
            Ok(arguments) => notebook(&arguments),
            Err(error) => Ok(crate::explain_usage(&error)),
        },
    }
}

fn kernel(action: KernelAction) -> Result<Status, (Failure, Status)> {
    match action {
        KernelAction::Install(arguments) => {
            let folder = install_kernel(arguments).map_err(with_status)?;
            let message = format!("installed in {}", folder.display());
            start::messages(Streams::of_process()).say(&message);
            Ok(Status::Success)
        }
        KernelAction::Start(arguments) => {
            let words = std::iter::once("lakesh".into()).chain(arguments.options);
            let options = Arguments::read(words).map_err(|error| {
                let message = error.to_string();
                let first = message.lines().next().unwrap_or_default();
                let first = first.strip_prefix("error: ").unwrap_or(first);
                wrong_usage(first.to_owned())
            })?;
            serve(&arguments.connection_file, &options)
        }
    }
}

fn install_kernel(arguments: InstallArguments) -> Result<PathBuf, Failure> {
    let program = env::current_exe().map_err(|error| {
        let message = "the place of this program is not known";
        Failure::new(FailureKind::InputOutput, message).caused_by(error)
    })?;
    let place = match (arguments.prefix, arguments.sys_prefix) {
        (Some(prefix), _) => Place::Prefix(prefix),
        (None, true) => Place::PythonPrefix,
        (None, false) => Place::User,
    };
    install(&Installation {
        program,
        place,
        name: arguments.name,
        display_name: arguments.display_name,
        options: arguments.options,
    })
}

/// What a kernel and a notebook's run start with.
struct Prepared {
    configuration: Configuration,
    session: SessionOptions,
}

fn prepare(arguments: &Arguments) -> Result<Prepared, (Failure, Status)> {
    let configuration =
        start::configuration(arguments).map_err(|failure| (failure, Status::WrongUsage))?;
    let session = start::notebook_options(arguments, &configuration).map_err(with_status)?;
    start::keep_tidy(session.temp_folder.clone());
    Ok(Prepared {
        configuration,
        session,
    })
}

fn serve(connection_file: &Path, arguments: &Arguments) -> Result<Status, (Failure, Status)> {
    let mut prepared = prepare(arguments)?;
    // In a notebook a person runs each cell.
    prepared.session.native_functions = NativeFunctions::InOwnCatalog;
    let runtime = runtime(arguments, &prepared.configuration).map_err(with_status)?;
    let served = lakesh_kernel::serve(KernelOptions {
        connection_file: connection_file.to_owned(),
        session: prepared.session,
        runtime: runtime.handle().clone(),
        history: Box::new(KeptHistory::default()),
        ends_with_parent: env::var_os("JPY_PARENT_PID").is_some(),
    });
    end(runtime, served.as_ref().ok());
    served.map(|_| Status::Success).map_err(with_status)
}

fn notebook(arguments: &Arguments) -> Result<Status, (Failure, Status)> {
    let [SourceArgument::File(path)] = arguments.sources.as_slice() else {
        return Err(wrong_usage("`lakesh run` takes one notebook".to_owned()));
    };
    let prepared = prepare(arguments)?;
    let runtime = runtime(arguments, &prepared.configuration).map_err(with_status)?;
    let interrupts = Interrupts::listen(OnSignal::End).map_err(|error| {
        with_status(Failure::new(FailureKind::InputOutput, "cannot start").caused_by(error))
    })?;
    let request = NotebookRun {
        path: path.clone(),
        output: arguments.output.clone(),
        parameters: arguments.parameter_texts.clone(),
        keep_going: arguments.keep_going,
        session: prepared.session,
        runtime: runtime.handle().clone(),
    };
    let interrupted = async {
        interrupts.requested().await;
        interrupts.acknowledge();
    };
    let ended = runtime.block_on(run_notebook(request, interrupted));
    end(runtime, ended.as_ref().ok().map(|end| &end.session));
    let ended = ended.map_err(with_status)?;
    let mut messages = start::messages(Streams::of_process());
    for (_, report) in &ended.failures {
        messages.say(report);
    }
    Ok(ended.first.map_or(Status::Success, Status::of_failure))
}

/// Lets the threads of queries go and removes what they spilled.
fn end(runtime: tokio::runtime::Runtime, session: Option<&Arc<Session>>) {
    let temporary = session.map(|session| Arc::clone(session.memory().spill()));
    runtime.shutdown_timeout(PATIENCE);
    if let Some(folder) = temporary {
        folder.remove();
    }
}

fn with_status(failure: Failure) -> (Failure, Status) {
    let status = match failure.kind {
        FailureKind::Usage => Status::WrongUsage,
        kind => Status::of_failure(kind),
    };
    (failure, status)
}

fn wrong_usage(message: String) -> (Failure, Status) {
    with_status(Failure::new(FailureKind::Usage, message))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{Request, request};

    #[test]
    fn scripts_keep_their_names() {
        let cases: [(&[&str], &str); 6] = [
            (&["lakesh"], "none"),
            (&["lakesh", "kernel.sql"], "none"),
            (&["lakesh", "./run"], "none"),
            (&["lakesh", "-c", "run"], "none"),
            (
                &["lakesh", "kernel", "install"],
                "kernel lakesh kernel install",
            ),
            (
                &["lakesh", "run", "a.ipynb", "-o", "b"],
                "run lakesh a.ipynb -o b",
            ),
        ];
        for (line, expected) in cases {
            let words: Vec<OsString> = line.iter().map(OsString::from).collect();
            let shown = |kind: &str, words: Vec<OsString>| {
                let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
                format!("{kind} {}", words.join(" "))
            };
            let found = match request(&words) {
                None => "none".to_owned(),
                Some(Request::Kernel(words)) => shown("kernel", words),
                Some(Request::Run(words)) => shown("run", words),
            };
            assert_eq!(found, expected, "{line:?}");
        }
    }
}
