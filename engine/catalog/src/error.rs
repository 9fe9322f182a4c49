//! What can go wrong with the catalog, and how it reads to a person.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lakesh_text::failure::{Failure, FailureKind};
use rusqlite::ErrorCode;

/// What a name in the catalog can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A namespace of tables and views.
    Schema,
    /// A folder or bucket whose tables are discovered.
    Attachment,
    /// A table.
    Table,
    /// A stored query.
    View,
    /// A fitted encoder.
    Encoder,
    /// A function written in SQL.
    Function,
}

impl ObjectKind {
    fn with_article(self) -> &'static str {
        match self {
            Self::Schema => "a schema",
            Self::Attachment => "an attachment",
            Self::Table => "a table",
            Self::View => "a view",
            Self::Encoder => "an encoder",
            Self::Function => "a function",
        }
    }

    fn drop_statement(self) -> &'static str {
        match self {
            Self::Schema => "DROP SCHEMA",
            Self::Attachment => "DETACH",
            Self::Table => "DROP TABLE",
            Self::View => "DROP VIEW",
            Self::Encoder => "DROP ENCODER",
            Self::Function => "DROP FUNCTION",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Schema => "schema",
            Self::Attachment => "attachment",
            Self::Table => "table",
            Self::View => "view",
            Self::Encoder => "encoder",
            Self::Function => "function",
        })
    }
}

/// What was to be done to an object; decides which statement a hint names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was to be created or replaced.
    Create,
    /// It was to be dropped or detached.
    Drop,
    /// It was to be renamed or changed.
    Alter,
}

/// Why a catalog cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnlyCause {
    /// The session was started read-only.
    Session,
    /// The file or its folder does not permit it.
    Storage,
}

/// Why the catalog could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Nothing has this name.
    #[error("{kind} `{name}` not found")]
    NotFound {
        /// What was looked for.
        kind: ObjectKind,
        /// Its name, with the schema unless that is the default one.
        name: String,
        /// Names that the user may have meant, best first.
        similar: Vec<String>,
    },
    /// The name is taken.
    #[error("{kind} `{name}` exists already")]
    Exists {
        /// What has the name.
        kind: ObjectKind,
        /// The name.
        name: String,
    },
    /// The name stands for something else.
    #[error("`{name}` is {}, not {}", found.with_article(), expected.with_article())]
    WrongKind {
        /// The name.
        name: String,
        /// What it stands for.
        found: ObjectKind,
        /// What the statement needs.
        expected: ObjectKind,
        /// What was to be done.
        action: Action,
    },
    /// A schema that holds something was to be dropped.
    #[error(
        "schema `{schema}` is not empty: it holds {count} tables, views, encoders and functions, such as `{example}`"
    )]
    NotEmpty {
        /// The schema.
        schema: String,
        /// How many tables, views, encoders and functions it holds.
        count: u64,
        /// One of them.
        example: String,
    },
    /// The default schema was to be dropped.
    #[error(
        "schema `{}` always exists and cannot be dropped",
        super::DEFAULT_SCHEMA
    )]
    DefaultSchema,
    /// A name that cannot be stored.
    #[error("`{}` cannot be a name: {reason}", name.escape_debug())]
    InvalidName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A location that cannot be stored.
    #[error("`{}` cannot be a location: {reason}", location.escape_debug())]
    InvalidLocation {
        /// The location.
        location: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The catalog was to be written and must not or cannot be.
    #[error("catalog `{}` is read-only", path.display())]
    ReadOnly {
        /// The catalog.
        path: PathBuf,
        /// Why.
        cause: ReadOnlyCause,
    },
    /// A definition that holds a secret was to be stored.
    #[error("the catalog does not keep secrets")]
    Secret,
    /// A newer lakesh wrote the catalog.
    #[error("catalog `{}` was written by a newer lakesh (its format is {found}, this lakesh knows up to {known})", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this lakesh knows.
        known: u32,
    },
    /// An older lakesh wrote the catalog, and it cannot be upgraded now.
    #[error("catalog `{}` was written by an older lakesh (its format is {found}) and cannot be upgraded in a read-only session", path.display())]
    OlderVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file is damaged.
    #[error("catalog `{}` is damaged", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        source: rusqlite::Error,
    },
    /// The file is a database of something else.
    #[error("`{}` is not a lakesh catalog", path.display())]
    NotACatalog {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to trust.
    #[error("there is no catalog in `{}` yet", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// One definition cannot be read or written.
    #[error("the definition of `{name}` in the catalog cannot be understood")]
    BadDefinition {
        /// Whose definition.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Other processes kept the catalog locked.
    #[error("catalog `{}` stayed locked by another process for {} s", path.display(), waited.as_secs())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A file or a folder could not be used.
    #[error("cannot {action} `{}`: {}", path.display(), reason(source))]
    Io {
        /// What was to be done, such as `create the folder`.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed in another way.
    #[error("catalog `{}` failed: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl CatalogError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io {
            action,
            path,
            source,
        }
    }

    fn failure_kind(&self) -> FailureKind {
        match self {
            Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::WrongKind { .. }
            | Self::NotEmpty { .. }
            | Self::DefaultSchema
            | Self::InvalidName { .. }
            | Self::InvalidLocation { .. } => FailureKind::Plan,
            Self::ReadOnly { .. } | Self::OlderVersion { .. } | Self::Secret => FailureKind::Denied,
            Self::Io { .. } => FailureKind::InputOutput,
            Self::Database { source, .. } if is_of_the_disk(source) => FailureKind::InputOutput,
            Self::NewerVersion { .. }
            | Self::Corrupt { .. }
            | Self::NotACatalog { .. }
            | Self::Missing { .. }
            | Self::BadDefinition { .. }
            | Self::Busy { .. }
            | Self::Database { .. } => FailureKind::Execution,
        }
    }

    /// Says what to do about it, each a sentence of its own.
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound { similar, .. } => similar
                .iter()
                .take(1)
                .map(|name| format!("did you mean `{name}`?"))
                .collect(),
            Self::Exists { kind, name } => vec![exists_hint(*kind, name)],
            Self::WrongKind {
                name,
                found,
                action,
                ..
            } => vec![wrong_kind_hint(name, *found, *action)],
            Self::NotEmpty { schema, .. } => {
                vec![format!("`DROP SCHEMA {schema} CASCADE` drops them with it")]
            }
            Self::ReadOnly { cause, .. } => vec![match cause {
                ReadOnlyCause::Session => "start lakesh without the read-only option".to_owned(),
                ReadOnlyCause::Storage => {
                    "make its folder writable, or name another catalog with `--catalog`".to_owned()
                }
            }],
            Self::NewerVersion { .. } => {
                vec!["upgrade lakesh, or name another catalog with `--catalog`".to_owned()]
            }
            Self::OlderVersion { .. } => {
                vec!["open it once without the read-only option".to_owned()]
            }
            Self::Secret => vec![
                "set it in the environment, such as AWS_SECRET_ACCESS_KEY, or give it to the query that needs it"
                    .to_owned(),
            ],
            Self::Corrupt { path, .. } => corrupt_hints(path),
            Self::NotACatalog { .. } => {
                vec!["name the folder of another catalog with `--catalog`".to_owned()]
            }
            Self::BadDefinition { name, .. } => {
                vec![format!("drop `{name}` and create it anew")]
            }
            Self::Busy { .. } => {
                vec![
                    "another lakesh holds it in a long write; try again when that is done"
                        .to_owned(),
                ]
            }
            Self::InvalidName { .. }
            | Self::InvalidLocation { .. }
            | Self::DefaultSchema
            | Self::Missing { .. }
            | Self::Io { .. }
            | Self::Database { .. } => Vec::new(),
        }
    }
}

/// Says whether SQLite failed because a file could not be opened, read or written.
fn is_of_the_disk(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull | ErrorCode::CannotOpen)
    )
}

/// Returns what the system said, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => "unknown reason".to_owned(),
    }
}

fn exists_hint(kind: ObjectKind, name: &str) -> String {
    match kind {
        ObjectKind::Table | ObjectKind::View | ObjectKind::Function => {
            "`IF NOT EXISTS` keeps it, `OR REPLACE` replaces it".to_owned()
        }
        ObjectKind::Encoder => "`IF NOT EXISTS` keeps it, `OR REPLACE` adds a version".to_owned(),
        ObjectKind::Schema => "`IF NOT EXISTS` keeps it".to_owned(),
        ObjectKind::Attachment => format!("`DETACH {name}` frees the name"),
    }
}

fn wrong_kind_hint(name: &str, found: ObjectKind, action: Action) -> String {
    match (action, found) {
        (Action::Drop, _) => format!("use `{} {name}`", found.drop_statement()),
        (Action::Create, ObjectKind::Attachment) => {
            "tables cannot be created in an attachment; choose a schema".to_owned()
        }
        (Action::Create, _) => format!("`{} {name}` frees the name", found.drop_statement()),
        (Action::Alter, ObjectKind::View) => format!("use `ALTER VIEW {name}`"),
        (Action::Alter, ObjectKind::Table) => format!("use `ALTER TABLE {name}`"),
        (
            Action::Alter,
            ObjectKind::Schema
            | ObjectKind::Attachment
            | ObjectKind::Encoder
            | ObjectKind::Function,
        ) => {
            format!("`{name}` itself cannot be altered")
        }
    }
}

fn corrupt_hints(path: &Path) -> Vec<String> {
    vec![
        format!(
            "`sqlite3 {} .recover` may rescue its contents",
            path.display()
        ),
        "or move the file and those beside it that begin with its name away, and start with an empty \
         catalog; the data of tables lies elsewhere and is not affected"
            .to_owned(),
    ]
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        let mut failure = Failure::new(error.failure_kind(), error.to_string());
        failure.hints = error.hints();
        failure.caused_by(error)
    }
}
