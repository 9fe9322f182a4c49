//! What to run and how: the sources and options of a script, a prompt or a notebook, checked as far as they
//! can be without a session. The words that ask for something else stand in `command_line`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint};
use datafusion::common::ScalarValue;
use lakesh_engine::failure::Failure;
use lakesh_engine::format;
use lakesh_engine::memory::limit::parse_limit;
use lakesh_engine::session::parse_parameter;

/// Sources and options.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Scripts to run; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Statements or commands to run
    #[arg(
        short,
        long = "command",
        value_name = "SQL",
        allow_hyphen_values = true
    )]
    pub(crate) command: Vec<String>,

    /// A script to run
    #[arg(short, long = "file", value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,

    /// Set a text variable, written :name, :'name' or :"name" in statements
    #[arg(short, long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) variable: Vec<(String, String)>,

    /// Bind $name to a typed value; NAME:TYPE=VALUE names the type
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameter: Vec<(String, ScalarValue)>,

    /// Write results to this file, in the format of its suffix, once all is done
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write results in this format
    #[arg(long, value_name = "FORMAT", value_parser = FormatName, hide_possible_values = true)]
    pub(crate) format: Option<String>,

    /// Show at most so many rows in a table, or `all`
    #[arg(long = "maxrows", value_name = "N", value_parser = max_rows)]
    pub(crate) max_rows: Option<MaxRows>,

    /// Leave out counts, times, progress and the greeting
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Go on after a statement that fails
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Change nothing: neither tables nor files nor the catalog, and run no programs
    #[arg(long = "readonly")]
    pub(crate) read_only: bool,

    /// Let functions written in Rust run where nobody sits at a terminal
    #[arg(long)]
    pub(crate) allow_native: bool,

    /// Let `\!` run programs where nobody sits at the prompt
    #[arg(long)]
    pub(crate) allow_programs: bool,

    /// Memory for queries, such as 4GB or 50%
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub(crate) memory_limit: Option<u64>,

    /// The folder for data that does not fit into memory
    #[arg(long = "temp-dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) temp_folder: Option<PathBuf>,

    /// The catalog's folder, or :memory:
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        env = "LAKESH_CATALOG",
        hide_env_values = true
    )]
    pub(crate) catalog: Option<PathBuf>,

    /// Read neither config.toml nor lakeshrc.sql
    #[arg(long)]
    pub(crate) no_rc: bool,

    /// Threads of work
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Check every statement against the catalog without running any
    #[arg(long)]
    pub(crate) check: bool,

    /// The parameters as they were written.
    #[arg(skip)]
    pub(crate) parameter_texts: Vec<String>,

    /// What to run, in the order of the command line.
    #[arg(skip)]
    pub(crate) sources: Vec<SourceArgument>,
}

/// Something to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceArgument {
    /// Text from the command line.
    Text(String),
    /// A script.
    File(PathBuf),
    /// Standard input.
    StandardInput,
}

/// How many rows a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaxRows {
    /// Every row.
    All,
    /// So many.
    Rows(usize),
}

impl Arguments {
    /// Reads options and sources alone, without the program's name.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = Self::augment_args(Command::new("lakesh").no_binary_name(true));
        let matches = command.try_get_matches_from(words)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        arguments.recall(&matches);
        Ok(arguments)
    }

    /// Takes from the matches what the derived fields do not keep: the order of the sources, and the
    /// parameters as they were written.
    pub(crate) fn recall(&mut self, matches: &ArgMatches) {
        self.sources = self.in_order(matches);
        let texts = matches.get_raw("parameter").into_iter().flatten();
        let texts = texts.map(|text| text.to_string_lossy().into_owned());
        self.parameter_texts = texts.collect();
    }

    /// Puts the sources into the order of the command line: `-f setup.sql -c 'select …'` means it.
    fn in_order(&self, matches: &ArgMatches) -> Vec<SourceArgument> {
        let positions = |name: &str| matches.indices_of(name).into_iter().flatten();
        let texts = self.command.iter().cloned().map(SourceArgument::Text);
        let named = self.file.iter().map(|path| file_argument(path));
        let files = self.files.iter().map(|path| file_argument(path));
        let mut sources: Vec<_> = positions("command")
            .zip(texts)
            .chain(positions("file").zip(named))
            .chain(positions("files").zip(files))
            .collect();
        sources.sort_by_key(|(position, _)| *position);
        sources.into_iter().map(|(_, source)| source).collect()
    }
}

fn file_argument(path: &Path) -> SourceArgument {
    if path.as_os_str() == "-" {
        SourceArgument::StandardInput
    } else {
        SourceArgument::File(path.to_owned())
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write NAME=VALUE".to_owned())?;
    let is_name = name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
    if !is_name {
        return Err(format!("`{name}` is not a variable's name"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn parameter(text: &str) -> Result<(String, ScalarValue), String> {
    parse_parameter(text).map_err(|failure| with_hints(&failure))
}

fn with_hints(failure: &Failure) -> String {
    let mut message = failure.message.clone();
    for hint in &failure.hints {
        message.push_str("; ");
        message.push_str(hint);
    }
    message
}

fn memory_limit(text: &str) -> Result<u64, String> {
    parse_limit(text).map_err(|error| error.to_string())
}

/// Reads a number of rows, or `all`.
pub(crate) fn max_rows(text: &str) -> Result<MaxRows, String> {
    if text == "all" {
        return Ok(MaxRows::All);
    }
    let digits = text.replace('_', "");
    let rows = digits
        .parse()
        .map_err(|_| "write a number, or `all`".to_owned())?;
    Ok(MaxRows::Rows(rows))
}

/// Reads a format's name, and tells completion which there are.
#[derive(Clone)]
struct FormatName;

impl TypedValueParser for FormatName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        TypedValueParser::parse_ref(&format_name, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = format::formats().iter().map(|format| format.name);
        Some(Box::new(names.map(PossibleValue::new)))
    }
}

/// Finds the name that a format goes by.
pub(crate) fn format_name(text: &str) -> Result<String, String> {
    if let Some(found) = format::find(text) {
        return Ok(found.name.to_owned());
    }
    Err(match format::similar(text) {
        Some(close) => format!("unknown format; did you mean `{close}`?"),
        None => {
            let names: Vec<_> = format::formats().iter().map(|format| format.name).collect();
            format!("unknown format; formats: {}", names.join(", "))
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::OsString;

    use super::{Arguments, MaxRows, SourceArgument};

    fn read(line: &[&str]) -> Result<Arguments, String> {
        Arguments::read(line.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn sources_keep_their_order() {
        let arguments = read(&["a.sql", "-c", "select 1", "-f", "b.sql", "-", "-c", "x"]).unwrap();
        let expected = [
            SourceArgument::File("a.sql".into()),
            SourceArgument::Text("select 1".into()),
            SourceArgument::File("b.sql".into()),
            SourceArgument::StandardInput,
            SourceArgument::Text("x".into()),
        ];
        assert_eq!(arguments.sources, expected);
    }

    #[test]
    fn options_are_read() {
        let arguments = read(&[
            "-v",
            "day=a=b",
            "--param",
            "n=5",
            "-o",
            "x.csv",
            "--format",
            "CSV",
            "--maxrows",
            "all",
            "-q",
            "--keep-going",
            "--readonly",
            "--allow-native",
            "--allow-programs",
            "--memory-limit",
            "1GiB",
            "--temp-dir",
            "/tmp",
            "--catalog",
            ":memory:",
            "--no-rc",
            "--threads",
            "3",
            "--check",
        ])
        .unwrap();
        assert_eq!(arguments.variable, [("day".to_owned(), "a=b".to_owned())]);
        assert_eq!(arguments.parameter[0].0, "n");
        assert_eq!(arguments.parameter[0].1.to_string(), "5");
        assert_eq!(arguments.format.as_deref(), Some("csv"));
        assert_eq!(arguments.max_rows, Some(MaxRows::All));
        assert_eq!(arguments.memory_limit, Some(1 << 30));
        assert_eq!(arguments.threads, Some(3));
        let switches = [
            arguments.quiet,
            arguments.keep_going,
            arguments.read_only,
            arguments.allow_native,
            arguments.allow_programs,
            arguments.no_rc,
            arguments.check,
        ];
        assert_eq!(switches, [true; 7]);
        assert!(arguments.sources.is_empty());
    }

    #[test]
    fn wrong_values_say_why() {
        let cases: [(&[&str], &str); 7] = [
            (&["--format", "cvs"], "did you mean `csv`?"),
            (&["--maxrows", "few"], "write a number, or `all`"),
            (&["-v", "day"], "write NAME=VALUE"),
            (&["-v", "1=x"], "`1` is not a variable's name"),
            (&["--param", "n:date=x"], "`x` is not a value of type date"),
            (&["--memory-limit", "lots"], "`lots` is not a size"),
            (&["--threads", "0"], "0 is not in 1..=1024"),
        ];
        for (line, expected) in cases {
            let message = read(line).unwrap_err();
            assert!(message.contains(expected), "{line:?}: {message}");
        }
    }
}
