//! From the command line, the configuration and the environment to a session and a renderer.

use std::env;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lakesh_engine::command::Command;
use lakesh_engine::display::{DisplayOptions, NOTEBOOK_ROWS};
use lakesh_engine::effect::{Capabilities, Effect, Lack};
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::format;
use lakesh_engine::memory::sweep::sweep_in_background;
use lakesh_engine::memory::unfinished;
use lakesh_engine::session::{CatalogChoice, HintMode, SessionOptions};

use crate::arguments::{Arguments, MaxRows};
use crate::colour::ColourChoice;
use crate::command;
use crate::configuration::{Configuration, configuration_folder};
use crate::interrupt::{Interrupts, OnSignal};
use crate::messages::Messages;
use crate::pager::PagerSwitch;
use crate::renderer::{RenderOptions, Renderer, Stop, create, reason};
use crate::runner::Runner;
use crate::sink::{Sink, Target};

/// How many rows a table shows on a terminal, unless the user says.
const ROWS_ON_SCREEN: usize = 40;

/// What the process is connected to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    pub(crate) input_is_terminal: bool,
    pub(crate) output_is_terminal: bool,
    pub(crate) error_is_terminal: bool,
    /// Whether there is no standard output at all.
    pub(crate) output_is_closed: bool,
}

impl Streams {
    /// Looks at the standard streams.
    pub(crate) fn of_process(output_is_closed: bool) -> Self {
        Self {
            input_is_terminal: io::stdin().is_terminal(),
            output_is_terminal: io::stdout().is_terminal(),
            error_is_terminal: io::stderr().is_terminal(),
            output_is_closed,
        }
    }
}

/// Everything that a run needs.
pub(crate) struct Start {
    pub(crate) runner: Runner,
    pub(crate) switches: Switches,
    pub(crate) colour: ColourChoice,
}

/// What the commands of the shell and the rest of it share.
#[derive(Clone, Default)]
pub(crate) struct Switches {
    pub(crate) pager: PagerSwitch,
    pub(crate) edited: command::Edited,
}

/// Makes messages for standard error.
pub(crate) fn messages(streams: Streams) -> Messages {
    let colour = colour_choice().applies(streams.error_is_terminal);
    Messages::new(Box::new(io::stderr()), colour, streams.error_is_terminal)
}

/// Reads the configuration, unless the user does not want it.
pub(crate) fn configuration(arguments: &Arguments) -> Result<Configuration, Failure> {
    match configuration_folder() {
        Some(folder) if !arguments.no_rc => Configuration::read(&folder),
        _ => Ok(Configuration::default()),
    }
}

/// Opens the session and its renderer; needs a runtime.
pub(crate) fn start(
    arguments: &Arguments,
    configuration: &Configuration,
    streams: Streams,
    interactive: bool,
) -> Result<Start, Stop> {
    let switches = Switches::default();
    switches.pager.set(configuration.pager.unwrap_or(false));
    let display = display(arguments, configuration, streams, interactive);
    let mut options = session_options(arguments, configuration, streams, &display, &switches)
        .map_err(Stop::Failed)?;
    if !(interactive || arguments.allow_programs) {
        let attended = options.capabilities;
        options.capabilities = attended.without(Effect::RunPrograms, Lack::Unattended);
    }
    let temp_folder = options.temp_folder.clone();
    let session = lakesh_engine::open(options).map_err(Stop::Failed)?;
    keep_tidy(temp_folder);
    let on_signal = if interactive {
        OnSignal::CancelCell
    } else {
        OnSignal::End
    };
    let interrupts = Interrupts::listen(on_signal).map_err(cannot_start)?;
    let colour = colour_choice();
    let render_options = RenderOptions {
        counts: interactive || streams.error_is_terminal,
        quiet: arguments.quiet,
        colour: colour.applies(streams.output_is_terminal),
        pager: (interactive && session.may(Effect::RunPrograms))
            .then(|| (pager_program(), switches.pager.clone())),
    };
    let standard = standard_output(streams).map_err(cannot_start)?;
    let mut renderer = Renderer::new(standard, messages(streams), display, render_options);
    if interactive {
        renderer.heed(&interrupts);
    }
    if let Some(path) = &arguments.output {
        let format = arguments.format.as_deref().and_then(format::find);
        renderer.set_output(create(path, format)?);
    }
    Ok(Start {
        runner: Runner {
            session,
            renderer,
            interrupts,
        },
        switches,
        colour,
    })
}

/// Removes what dead processes have left behind, and writes down what this one begins.
pub(crate) fn keep_tidy(temp_folder: PathBuf) {
    let registry = user_data_folder().join("lakesh/unfinished");
    unfinished::set_registry(registry.clone());
    for folder in [temp_folder, registry] {
        sweep_in_background(folder);
    }
}

/// The folder below which lakesh keeps what is the user's on this machine.
pub(crate) fn user_data_folder() -> PathBuf {
    dirs::data_dir().unwrap_or_else(|| PathBuf::from("."))
}

fn cannot_start(error: io::Error) -> Stop {
    let message = format!("cannot start: {}", reason(&error));
    Stop::Failed(Failure::new(FailureKind::InputOutput, message).caused_by(error))
}

/// Standard output without the buffer and the lock that the standard library puts around it.
fn standard_output(streams: Streams) -> io::Result<Sink> {
    let stream: Box<dyn Write> = match streams.output_is_closed {
        true => Box::new(Closed),
        false => Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
    };
    Ok(Sink::new(Target::Stream {
        stream,
        is_terminal: streams.output_is_terminal,
    }))
}

/// A standard output that was closed before the process began: results that go there are lost.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("standard output is closed"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn colour_choice() -> ColourChoice {
    ColourChoice::from_environment(|name| env::var(name).ok())
}

fn pager_program() -> String {
    let named = env::var("PAGER").ok().filter(|program| !program.is_empty());
    named.unwrap_or_else(|| "less".to_owned())
}

fn display(
    arguments: &Arguments,
    configuration: &Configuration,
    streams: Streams,
    interactive: bool,
) -> DisplayOptions {
    let max_rows = match arguments.max_rows.or(configuration.max_rows) {
        Some(MaxRows::All) => None,
        Some(MaxRows::Rows(rows)) => Some(rows),
        None => streams.output_is_terminal.then_some(ROWS_ON_SCREEN),
    };
    DisplayOptions {
        format: arguments
            .format
            .clone()
            .or_else(|| configuration.format.clone()),
        max_rows,
        null_value: configuration.null_value.clone(),
        expanded: configuration.expanded.unwrap_or(false),
        timing: configuration.timing.unwrap_or(interactive),
        header: configuration.header.unwrap_or(true),
        notebook_rows: configuration.notebook_rows.unwrap_or(NOTEBOOK_ROWS),
    }
}

/// Returns the folder that relative paths begin in.
pub(crate) fn working_directory() -> Result<PathBuf, Failure> {
    env::current_dir().map_err(|error| {
        let message = format!("the working folder cannot be read: {}", reason(&error));
        Failure::new(FailureKind::InputOutput, message).caused_by(error)
    })
}

fn session_options(
    arguments: &Arguments,
    configuration: &Configuration,
    streams: Streams,
    display: &DisplayOptions,
    switches: &Switches,
) -> Result<SessionOptions, Failure> {
    let working_directory = working_directory()?;
    let catalog = arguments
        .catalog
        .as_ref()
        .or(configuration.catalog.as_ref())
        .filter(|folder| !folder.as_os_str().is_empty());
    let temp_folder = arguments
        .temp_folder
        .as_ref()
        .or(configuration.temp_folder.as_ref());
    if let Some(folder) = temp_folder {
        check_temp_folder(folder)?;
    }
    Ok(SessionOptions {
        catalog: match catalog {
            Some(folder) if folder.as_os_str() == ":memory:" => CatalogChoice::InMemory,
            Some(folder) => CatalogChoice::Folder(folder.clone()),
            None => CatalogChoice::Nearest,
        },
        user_data_folder: user_data_folder(),
        capabilities: capabilities(arguments, configuration, streams),
        memory_limit: arguments.memory_limit.or(configuration.memory_limit),
        temp_folder: temp_folder.cloned().unwrap_or_else(env::temp_dir),
        temp_limit: configuration.temp_limit,
        threads: arguments.threads.map(usize::from).or(configuration.threads),
        parameters: arguments.parameter.iter().cloned().collect(),
        variables: arguments.variable.iter().cloned().collect(),
        display: display.clone(),
        environment: environment(),
        program_path: env::var("PATH").unwrap_or_default(),
        cache_folder: dirs::cache_dir()
            .unwrap_or_else(env::temp_dir)
            .join("lakesh/functions"),
        commands: commands(switches),
        hints: match streams.input_is_terminal && streams.error_is_terminal && !arguments.quiet {
            true => HintMode::Notice,
            false => HintMode::Off,
        },
        progress: streams.error_is_terminal && !arguments.quiet,
        ..SessionOptions::in_folder(working_directory)
    })
}

/// Says what a session may do to the world around it.
fn capabilities(
    arguments: &Arguments,
    configuration: &Configuration,
    streams: Streams,
) -> Capabilities {
    let mut capabilities = Capabilities::ALL;
    // A person at a terminal sees what is asked for; text that comes through a pipe may be anybody's.
    if !(arguments.allow_native || streams.input_is_terminal) {
        capabilities = capabilities.without(Effect::NativeCode, Lack::Unattended);
    }
    match arguments.read_only || configuration.read_only.unwrap_or(false) {
        true => capabilities.read_only(),
        false => capabilities,
    }
}

/// Makes the folder for temporary files that the user named, and finds out whether it can be written.
fn check_temp_folder(folder: &Path) -> Result<(), Failure> {
    let made = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    made.map(drop).map_err(|error| {
        let message = format!(
            "temporary files cannot be written to `{}`: {}",
            folder.display(),
            reason(&error)
        );
        Failure::new(FailureKind::InputOutput, message).caused_by(error)
    })
}

/// The options of a notebook's session: those of a script, without the shell's own commands.
/// `attended` says whether a person runs each cell.
pub(crate) fn notebook_options(
    arguments: &Arguments,
    configuration: &Configuration,
    attended: bool,
) -> Result<SessionOptions, Failure> {
    let streams = Streams {
        input_is_terminal: attended,
        output_is_terminal: false,
        error_is_terminal: false,
        output_is_closed: false,
    };
    let display = display(arguments, configuration, streams, false);
    let switches = Switches::default();
    let options = session_options(arguments, configuration, streams, &display, &switches)?;
    Ok(SessionOptions {
        commands: Vec::new(),
        hints: HintMode::Notice,
        ..options
    })
}

fn commands(switches: &Switches) -> Vec<Arc<dyn Command>> {
    vec![
        Arc::new(command::edit::Edit::new(switches.edited.clone())),
        Arc::new(command::shell::Shell),
        lakesh_kernel::chart_command(),
        Arc::new(command::ask::Ask),
        Arc::new(command::history::ShowHistory),
        Arc::new(command::folder::ChangeFolder),
        Arc::new(command::pager::SwitchPager::new(switches.pager.clone())),
    ]
}

/// The variables that object stores take their credentials and addresses from.
fn environment() -> std::collections::BTreeMap<String, String> {
    const PREFIXES: &[&str] = &[
        "AWS_",
        "AZURE_",
        "GOOGLE_",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "HOME",
    ];
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| {
            let upper = name.to_ascii_uppercase();
            PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
        })
        .collect()
}
