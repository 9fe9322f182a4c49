//! `lakesh kernel …` and `lakesh run NOTEBOOK`: the ways into the notebook from the command line.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lakesh_engine::effect::Effect;
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::session::{Session, SessionOptions};
use lakesh_kernel::KernelOptions;
use lakesh_kernel::install::{Installation, Place, install};
use lakesh_kernel::notebook::{NotebookRun, run as run_notebook};

use crate::arguments::{Arguments, SourceArgument};
use crate::command_line::{InstallArguments, KernelAction};
use crate::configuration::Configuration;
use crate::interrupt::{Interrupts, OnSignal};
use crate::repl::KeptHistory;
use crate::start::{self, Streams};
use crate::status::Status;
use crate::{PATIENCE, runtime};

/// Installs or starts the kernel.
pub(crate) fn kernel(action: KernelAction) -> Result<Status, (Failure, Status)> {
    match action {
        KernelAction::Install(arguments) => {
            let folder = install_kernel(arguments).map_err(with_status)?;
            let message = format!("installed in {}", folder.display());
            start::messages(Streams::of_process(false)).say(&message);
            Ok(Status::Success)
        }
        KernelAction::Start(arguments) => {
            let options = Arguments::read(arguments.options).map_err(|error| {
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

fn prepare(arguments: &Arguments, attended: bool) -> Result<Prepared, (Failure, Status)> {
    let configuration =
        start::configuration(arguments).map_err(|failure| (failure, Status::WrongUsage))?;
    let session =
        start::notebook_options(arguments, &configuration, attended).map_err(with_status)?;
    start::keep_tidy(session.temp_folder.clone());
    Ok(Prepared {
        configuration,
        session,
    })
}

fn serve(connection_file: &Path, arguments: &Arguments) -> Result<Status, (Failure, Status)> {
    let prepared = prepare(arguments, true)?;
    let keeps_history = prepared.session.capabilities.has(Effect::WriteFiles);
    let runtime = runtime(arguments, &prepared.configuration).map_err(with_status)?;
    let served = lakesh_kernel::serve(KernelOptions {
        connection_file: connection_file.to_owned(),
        session: prepared.session,
        runtime: runtime.handle().clone(),
        history: Box::new(KeptHistory::new(keeps_history)),
        ends_with_parent: env::var_os("JPY_PARENT_PID").is_some(),
    });
    end(runtime, served.as_ref().ok());
    served.map(|_| Status::Success).map_err(with_status)
}

/// Runs a notebook.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, (Failure, Status)> {
    let [SourceArgument::File(path)] = arguments.sources.as_slice() else {
        return Err(wrong_usage("`lakesh run` takes one notebook".to_owned()));
    };
    let prepared = prepare(arguments, false)?;
    if arguments.output.is_none() {
        let what = "writing the notebook back to its place is refused";
        let allowed = prepared
            .session
            .capabilities
            .require(Effect::WriteFiles, what);
        allowed.map_err(|refusal| with_status(refusal.hint("`-o FILE` writes it elsewhere")))?;
    }
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
    let mut messages = start::messages(Streams::of_process(false));
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
