//! The command line as a whole: sources with their options, or a word that asks for something else.
//!
//! Such a word counts only where it comes first; a script that is called `run` is `./run`. Help, the manual
//! page and completions are made from this one definition.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};

use crate::arguments::Arguments;
use crate::completions::SHELLS;

/// What is run, and where what it says goes.
pub(crate) const SOURCES: &str = "\
Sources run in the order in which they are given; without one, standard input runs, or a prompt opens \
if that is a terminal. Results go to standard output, everything else to standard error.";

/// The numbers of `Status`.
pub(crate) const EXIT_STATUS: &str = "\
0 all is done, 1 a statement failed, 2 wrong usage, 3 reading or writing failed, 130 interrupted.";

/// A SQL shell and script runner over Parquet and Delta tables.
#[derive(Debug, Parser)]
#[command(
    name = "lakesh",
    version,
    after_help = format!("{SOURCES}\n\nExit status: {EXIT_STATUS}"),
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,

    #[command(flatten)]
    pub(crate) arguments: Arguments,
}

/// What else there is to ask for.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Installs or starts the kernel for Jupyter notebooks
    Kernel {
        #[command(subcommand)]
        action: KernelAction,
    },

    /// Runs a notebook without a front end
    #[command(
        mut_arg("files", |argument| argument.value_name("NOTEBOOK").help("The notebook to run")),
        mut_arg("output", |argument| argument.help(
            "Write the notebook with its outputs to this file instead of back to its place"
        )),
        mut_arg("command", |argument| argument.hide(true)),
        mut_arg("file", |argument| argument.hide(true)),
        mut_arg("check", |argument| argument.hide(true))
    )]
    Run(Box<Arguments>),

    /// Trusts a catalog that was not made here, so that its functions in Rust may run
    Trust {
        /// The catalog's folder; without it the nearest one, as scripts find it
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },

    /// Prints what a shell needs to complete the command line
    Completions {
        /// The shell
        #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(SHELLS.names()))]
        shell: String,
    },

    /// Prints the manual page
    Man,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KernelAction {
    /// Installs the kernel where Jupyter finds it
    Install(InstallArguments),
    /// Runs a kernel; Jupyter does this
    Start(StartArguments),
}

#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    /// For the user (the default)
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    user: bool,

    /// Into the active Python environment
    #[arg(long, conflicts_with = "prefix")]
    pub(crate) sys_prefix: bool,

    /// Below this folder, as DIR/share/jupyter/kernels
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) prefix: Option<PathBuf>,

    /// The name that notebooks keep
    #[arg(long, default_value = "lakesh")]
    pub(crate) name: String,

    /// The name that front ends show
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,

    /// Options for the session, such as `-- --catalog DIR`
    #[arg(last = true, value_name = "OPTIONS")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// Where to listen, as Jupyter writes it
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) connection_file: PathBuf,

    /// Options for the session, such as `-- --catalog DIR`
    #[arg(last = true, value_name = "OPTIONS")]
    pub(crate) options: Vec<OsString>,
}

impl CommandLine {
    /// Reads a command line, the program's name first.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        let mut line = Self::from_arg_matches(&matches)?;
        match (&mut line.task, matches.subcommand()) {
            (Some(Task::Run(arguments)), Some((_, matches))) => arguments.recall(matches),
            _ => line.arguments.recall(&matches),
        }
        Ok(line)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory;

    use super::{CommandLine, KernelAction, Task};
    use crate::arguments::SourceArgument;

    fn read(line: &[&str]) -> CommandLine {
        CommandLine::read(
            std::iter::once("lakesh")
                .chain(line.iter().copied())
                .map(Into::into),
        )
        .unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_word_counts_where_it_comes_first() {
        let cases: [(&[&str], usize); 6] = [
            (&[], 0),
            (&["kernel.sql"], 1),
            (&["./run"], 1),
            (&["a.sql", "run"], 2),
            (&["-c", "run"], 1),
            (&["--", "man"], 1),
        ];
        for (line, sources) in cases {
            let read = read(line);
            assert!(read.task.is_none(), "{line:?}");
            assert_eq!(read.arguments.sources.len(), sources, "{line:?}");
        }
    }

    #[test]
    fn a_notebook_has_the_options_of_a_script() {
        let line = read(&["run", "a.ipynb", "-o", "b.ipynb", "--param", "n=5"]);
        let Some(Task::Run(arguments)) = line.task else {
            panic!("{line:?}");
        };
        assert_eq!(arguments.sources, [SourceArgument::File("a.ipynb".into())]);
        assert_eq!(arguments.output, Some("b.ipynb".into()));
        assert_eq!(arguments.parameter_texts, ["n=5"]);
        assert!(line.arguments.sources.is_empty());
    }

    #[test]
    fn a_kernel_passes_options_on() {
        let line = read(&["kernel", "install", "--name", "k", "--", "--catalog", "x"]);
        let Some(Task::Kernel {
            action: KernelAction::Install(arguments),
        }) = line.task
        else {
            panic!("{line:?}");
        };
        assert_eq!(arguments.name, "k");
        assert_eq!(arguments.options, ["--catalog", "x"]);
    }
}
