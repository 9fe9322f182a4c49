//! `config.toml` in `$XDG_CONFIG_HOME/lakesh`: what the command line does not say.
//!
//! Its keys are the settings' names without `lakesh.`, and those options of the command line that are
//! no settings. It counts for scripts too; `lakeshrc.sql` beside it runs at a prompt only, so that
//! a script means the same for everyone. `--no-rc` leaves both out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::memory::limit::parse_limit;
use lakesh_engine::similar;
use toml::{Table, Value};

use crate::arguments::{MaxRows, format_name, max_rows};
use crate::renderer::reason;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    /// The catalog's folder.
    pub(crate) catalog: Option<PathBuf>,
    /// Whether rows are shown one below the other.
    pub(crate) expanded: Option<bool>,
    /// The output format.
    pub(crate) format: Option<String>,
    /// Whether the line with the columns' names is written.
    pub(crate) header: Option<bool>,
    /// How many rows a table shows.
    pub(crate) max_rows: Option<MaxRows>,
    /// Bytes of memory for queries.
    pub(crate) memory_limit: Option<u64>,
    /// How many rows of a result a notebook shows.
    pub(crate) notebook_rows: Option<usize>,
    /// What stands for NULL.
    pub(crate) null_value: Option<String>,
    /// Whether results at a prompt go through the pager.
    pub(crate) pager: Option<bool>,
    /// Whether statements that write are refused.
    pub(crate) read_only: Option<bool>,
    /// The folder for spilled data.
    pub(crate) temp_folder: Option<PathBuf>,
    /// Bytes of spilled data at most.
    pub(crate) temp_limit: Option<u64>,
    /// Threads of work.
    pub(crate) threads: Option<usize>,
    /// Whether times are shown.
    pub(crate) timing: Option<bool>,
}

type Assign = fn(&mut Configuration, &Value) -> Result<(), String>;

/// The keys, and what each does with its value.
const KEYS: &[(&str, Assign)] = &[
    ("catalog", |configuration, value| {
        configuration.catalog = Some(PathBuf::from(text(value)?));
        Ok(())
    }),
    ("expanded", |configuration, value| {
        configuration.expanded = Some(switch(value)?);
        Ok(())
    }),
    ("format", |configuration, value| {
        configuration.format = Some(format_name(&text(value)?)?);
        Ok(())
    }),
    ("header", |configuration, value| {
        configuration.header = Some(switch(value)?);
        Ok(())
    }),
    ("max_rows", |configuration, value| {
        configuration.max_rows = Some(max_rows(&text(value)?)?);
        Ok(())
    }),
    ("memory_limit", |configuration, value| {
        configuration.memory_limit = Some(size(value)?);
        Ok(())
    }),
    ("notebook_rows", |configuration, value| {
        let rows = value
            .as_integer()
            .and_then(|number| usize::try_from(number).ok());
        let rows = rows.filter(|rows| *rows > 0);
        configuration.notebook_rows = Some(rows.ok_or("a whole number from 1 is expected")?);
        Ok(())
    }),
    ("null_value", |configuration, value| {
        configuration.null_value = Some(text(value)?);
        Ok(())
    }),
    ("pager", |configuration, value| {
        configuration.pager = Some(switch(value)?);
        Ok(())
    }),
    ("read_only", |configuration, value| {
        configuration.read_only = Some(switch(value)?);
        Ok(())
    }),
    ("temp_dir", |configuration, value| {
        configuration.temp_folder = Some(PathBuf::from(text(value)?));
        Ok(())
    }),
    ("temp_limit", |configuration, value| {
        configuration.temp_limit = Some(size(value)?);
        Ok(())
    }),
    ("threads", |configuration, value| {
        let threads = value
            .as_integer()
            .and_then(|number| usize::try_from(number).ok());
        let threads = threads.filter(|threads| (1..=1024).contains(threads));
        configuration.threads = Some(threads.ok_or("a whole number from 1 to 1024 is expected")?);
        Ok(())
    }),
    ("timing", |configuration, value| {
        configuration.timing = Some(switch(value)?);
        Ok(())
    }),
];

/// Names the folder of the configuration files.
pub(crate) fn configuration_folder() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("lakesh"))
}

impl Configuration {
    /// Reads `config.toml` in a folder; a file that is not there says nothing.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("config.toml");
        let wrong = |message: String| {
            Failure::new(
                FailureKind::Usage,
                format!("`{}`: {message}", path.display()),
            )
        };
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|wrong_entry| {
                let failure = wrong(wrong_entry.message);
                match wrong_entry.hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }),
            Err(error) if is_missing(&error) => Ok(Self::default()),
            Err(error) => Err(wrong(reason(&error)).caused_by(error)),
        }
    }

    fn parse(text: &str) -> Result<Self, WrongEntry> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or(text);
                before.bytes().filter(|byte| *byte == b'\n').count() + 1
            });
            let message = error.message().replace('\n', ", ");
            WrongEntry::new(format!("line {line}: {message}"))
        })?;
        let mut configuration = Self::default();
        for (key, value) in &table {
            let Some((_, assign)) = KEYS.iter().find(|(known, _)| known == key) else {
                return Err(unknown_key(key));
            };
            assign(&mut configuration, value)
                .map_err(|message| WrongEntry::new(format!("key `{key}`: {message}")))?;
        }
        Ok(configuration)
    }
}

/// An entry that is wrong.
struct WrongEntry {
    message: String,
    hint: Option<String>,
}

impl WrongEntry {
    fn new(message: String) -> Self {
        Self {
            message,
            hint: None,
        }
    }
}

fn unknown_key(key: &str) -> WrongEntry {
    let names = KEYS.iter().map(|(known, _)| *known);
    let hint = match similar::closest(key, names.clone()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("keys: {}", names.collect::<Vec<_>>().join(", ")),
    };
    WrongEntry {
        message: format!("unknown key `{key}`"),
        hint: Some(hint),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        _ => Err("text is expected".to_owned()),
    }
}

fn switch(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "`true` or `false` is expected".to_owned())
}

fn size(value: &Value) -> Result<u64, String> {
    parse_limit(&text(value)?).map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::Configuration;
    use crate::arguments::MaxRows;

    fn read(text: &str) -> Result<Configuration, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), text).unwrap();
        Configuration::read(folder.path()).map_err(|failure| {
            let start = failure.message.find("config.toml").unwrap();
            let hints = failure.hints.join("; ");
            format!("{} [{hints}]", &failure.message[start..])
        })
    }

    #[test]
    fn values_are_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            Configuration::read(folder.path()).unwrap(),
            Configuration::default()
        );
        let text = "# mine\nformat = 'csv'\nmax_rows = 20\nmemory_limit = '1GiB'\ntiming = false\nthreads = 2\n";
        let expected = Configuration {
            format: Some("csv".into()),
            max_rows: Some(MaxRows::Rows(20)),
            memory_limit: Some(1 << 30),
            timing: Some(false),
            threads: Some(2),
            ..Configuration::default()
        };
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn mistakes_name_file_and_key() {
        let cases = [
            (
                "fromat = 'csv'",
                "config.toml`: unknown key `fromat` [did you mean `format`?]",
            ),
            (
                "timing = 'on'",
                "config.toml`: key `timing`: `true` or `false` is expected []",
            ),
            (
                "threads = 0",
                "config.toml`: key `threads`: a whole number from 1 to 1024 is expected []",
            ),
            (
                "max_rows = 'x'",
                "config.toml`: key `max_rows`: write a number, or `all` []",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap_err(), expected);
        }
        let broken = read("a = 1\nb = ").unwrap_err();
        assert!(broken.starts_with("config.toml`: line 2: "), "{broken}");
    }
}
