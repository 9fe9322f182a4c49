//! What can go wrong with a table, in words that name the table, the file or the option.
//!
//! It decides nothing about exit statuses beyond the kind of failure.

mod wording;

use std::error::Error;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::Schema;
use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;
use deltalake::kernel::transaction::TransactionError;
use lakesh_text::failure::{CREDENTIALS_HINT, Failure, FailureKind, lacks_credentials, store_said};
use lakesh_text::similar::closest;

use wording::{moment, plain, suggestion, unprefixed};

/// Why a table could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Nothing lies at the path.
    #[error("no file or folder at `{path}`")]
    NotFound {
        /// The absolute path or the URL.
        path: String,
        /// A sibling with a similar name.
        similar: Option<String>,
    },
    /// The folder or pattern holds no file that could be read.
    #[error("no {what} files at `{location}`")]
    NoFiles {
        /// The absolute path, URL or pattern.
        location: String,
        /// What sort of file was looked for.
        what: String,
    },
    /// Files of several formats lie together.
    #[error("`{location}` holds files of several formats: {}", .formats.join(", "))]
    MixedFormats {
        /// The folder or pattern.
        location: String,
        /// The formats, each with an example.
        formats: Vec<String>,
    },
    /// The format of a file cannot be told.
    #[error("cannot tell the format of `{location}`")]
    UnknownFile {
        /// The absolute path or URL.
        location: String,
    },
    /// No table format or reader of that name exists.
    #[error("there is no {what} `{name}`")]
    UnknownName {
        /// `table format` or `reader`.
        what: &'static str,
        /// The name as given.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// The text is not a location that can be read.
    #[error("cannot use `{location}` as a location: {reason}")]
    Location {
        /// The text as given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The format or reader has no such option.
    #[error("`{target}` has no option `{option}`")]
    UnknownOption {
        /// The format or reader.
        target: String,
        /// The option as given.
        option: String,
        /// The options that exist.
        known: Vec<&'static str>,
    },
    /// An option or argument has a value that does not fit.
    #[error("option `{option}` of `{target}` cannot be `{value}`: expected {expected}")]
    OptionValue {
        /// The format or reader.
        target: String,
        /// The option.
        option: String,
        /// The value as given.
        value: String,
        /// What would fit.
        expected: String,
    },
    /// A reader was called with the wrong arguments.
    #[error("`{reader}` {problem}")]
    Arguments {
        /// The reader.
        reader: String,
        /// What is wrong, as the rest of a sentence that starts with the reader.
        problem: String,
    },
    /// A version was asked of a format that keeps none.
    #[error("a table of format `{format}` has no versions, only Delta tables do")]
    NoHistory {
        /// The format.
        format: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{path}`: {}", plain(.source))]
    File {
        /// The absolute path or URL of the file.
        path: String,
        /// What the reader said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// Two files do not fit into one table.
    #[error("`{other}` does not fit `{first}`: {problem}")]
    Incompatible {
        /// The file that gave the columns.
        first: String,
        /// The file that differs.
        other: String,
        /// How it differs.
        problem: String,
    },
    /// A Delta table does not have the version.
    #[error("`{location}` has no version {version}; its log holds versions {first} to {last}")]
    NoVersion {
        /// The table.
        location: String,
        /// The version asked for.
        version: u64,
        /// The oldest version that can be read.
        first: u64,
        /// The newest version.
        last: u64,
    },
    /// A Delta table did not exist at the moment asked for.
    #[error(
        "`{location}` has no version at {}; its log holds versions {first} of {} to {last} of {}",
        moment(.timestamp),
        moment(.oldest),
        moment(.newest)
    )]
    TooEarly {
        /// The table.
        location: String,
        /// The moment asked for.
        timestamp: DateTime<Utc>,
        /// The oldest version that can be read.
        first: u64,
        /// When that was committed.
        oldest: DateTime<Utc>,
        /// The newest version.
        last: u64,
        /// When that was committed.
        newest: DateTime<Utc>,
    },
    /// A file of a version was deleted.
    #[error(
        "cannot read version {version} of `{location}`: its file `{file}` is gone; the log holds versions {first} to {last}"
    )]
    MissingFile {
        /// The table.
        location: String,
        /// The version that needs the file.
        version: u64,
        /// The file's path below the table's folder.
        file: String,
        /// The oldest version of the log.
        first: u64,
        /// The newest version.
        last: u64,
    },
    /// The log of a Delta table names a file that is not the table's own.
    #[error(
        "refused to read `{location}`: its log names the file `{file}`, which lies outside of the table's folder"
    )]
    Outside {
        /// The table.
        location: String,
        /// The path as the log has it.
        file: String,
    },
    /// A table has newer versions than the one that was to be taken back.
    #[error(
        "`{location}` was changed since: version {version} was to be undone, and {newest} is the newest"
    )]
    ChangedSince {
        /// The table.
        location: String,
        /// The version that was to be undone.
        version: u64,
        /// The newest version.
        newest: u64,
    },
    /// A repair would take every file out of a table.
    #[error("every file of `{location}` is gone; a repair would leave an empty table")]
    NothingLeft {
        /// The table.
        location: String,
    },
    /// No version lies between a begin and an end.
    #[error("no version of `{location}` lies between the begin, {first}, and the end, {last}")]
    EmptyRange {
        /// The table.
        location: String,
        /// The first version.
        first: u64,
        /// The last version.
        last: u64,
    },
    /// Changes were asked for that were not recorded.
    #[error(
        "`{location}` did not record its changes at version {version}: it has no change data feed there"
    )]
    NoFeed {
        /// The table.
        location: String,
        /// The first version without a feed.
        version: u64,
    },
    /// A replacement of the table is partitioned otherwise.
    #[error("`{location}` is partitioned by ({kept}), and replacing its rows does not change that")]
    Partitioning {
        /// The table.
        location: String,
        /// Its partition columns.
        kept: String,
    },
    /// A vacuum would delete files that are too young.
    #[error(
        "refused to vacuum `{location}` down to {asked}: the table keeps deleted files for {least}, and whoever still reads or writes a version of that time would find its files gone"
    )]
    Retention {
        /// The table.
        location: String,
        /// The retention asked for.
        asked: String,
        /// The table's own.
        least: String,
    },
    /// The folder is no Delta table.
    #[error("`{location}` is not a Delta table")]
    NotDelta {
        /// The folder.
        location: String,
    },
    /// A Delta table exists already where one was to be created.
    #[error("a Delta table exists already at `{location}`")]
    Exists {
        /// The folder.
        location: String,
    },
    /// The table needs features that the Delta library lacks.
    #[error("cannot read `{location}`: it uses the Delta table {} {}, which cannot be read yet", if .features.len() == 1 { "feature" } else { "features" }, .features.iter().map(|feature| format!("`{feature}`")).collect::<Vec<_>>().join(", "))]
    Features {
        /// The table.
        location: String,
        /// The features by their names in the Delta protocol.
        features: Vec<String>,
    },
    /// Only the numbers of a file's columns say which column of the table they are.
    #[error(
        "cannot read `{location}`: it uses column mapping by id, and its file `{file}` calls column {number} `{column}`, which is not the table's name for it; reading by number alone is not possible yet"
    )]
    ColumnNumbers {
        /// The table.
        location: String,
        /// The path of the file below the table's folder.
        file: String,
        /// The name of the column in the file.
        column: String,
        /// Its field number.
        number: i64,
    },
    /// The query whose rows are written failed.
    #[error("{}", plain(.source))]
    Query {
        /// What the query engine said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// Another writer changed what an operation had read, again and again; nothing was committed.
    #[error("other writers keep changing `{location}` meanwhile: {}", conflict_reason(.source))]
    Conflict {
        /// The table.
        location: String,
        /// What the library said.
        #[source]
        source: Box<DeltaTableError>,
    },
    /// The Delta library failed.
    #[error("cannot use the Delta table `{location}`: {}", unprefixed(&.source.to_string()))]
    Delta {
        /// The table.
        location: String,
        /// What the library said.
        #[source]
        source: Box<DeltaTableError>,
    },
    /// An object store cannot be reached or refuses.
    #[error("cannot reach `{location}`: {}", store_said(.source))]
    Store {
        /// The path or URL.
        location: String,
        /// What the store said.
        #[source]
        source: Box<object_store::Error>,
    },
}

impl TableError {
    /// Wraps what a reader said about one file.
    pub(crate) fn file(path: impl Into<String>, source: impl Into<DataFusionError>) -> Self {
        Self::File {
            path: path.into(),
            source: Box::new(source.into()),
        }
    }

    /// Wraps what a query said whose rows were to be written.
    pub(crate) fn query(source: DataFusionError) -> Self {
        Self::Query {
            source: Box::new(source),
        }
    }

    /// Wraps what an object store said.
    pub fn store(location: impl Into<String>, source: object_store::Error) -> Self {
        Self::Store {
            location: location.into(),
            source: Box::new(source),
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::UnknownOption { .. } | Self::OptionValue { .. } | Self::Arguments { .. } => {
                FailureKind::Usage
            }
            Self::File { source, .. } if is_exhausted(source) => FailureKind::Resources,
            Self::File { .. } | Self::Store { .. } | Self::MissingFile { .. } => {
                FailureKind::InputOutput
            }
            Self::Delta { source, .. } if comes_from_store(source.as_ref()) => {
                FailureKind::InputOutput
            }
            Self::Delta { .. } | Self::Conflict { .. } => FailureKind::Execution,
            Self::Outside { .. } => FailureKind::Denied,
            _ => FailureKind::Plan,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound {
                similar: Some(similar),
                ..
            } => vec![format!("did you mean `{similar}`?")],
            Self::Store { source, .. } if lacks_credentials(source) => {
                vec![CREDENTIALS_HINT.into()]
            }
            Self::Conflict { .. } => vec![
                "the table is unchanged by this statement; run it again when the other writers are done"
                    .into(),
            ],
            Self::MixedFormats { .. } => {
                vec!["name one format, for example with a pattern like `folder/*.parquet`".into()]
            }
            Self::UnknownFile { .. } => {
                vec!["name the format with a reader, for example `read_csv('…')`".into()]
            }
            Self::UnknownName { name, known, .. } => suggestion(name, known),
            Self::UnknownOption { option, known, .. } => suggestion(option, known),
            Self::MissingFile { .. } => {
                vec!["VACUUM deletes the files that old versions need; DESCRIBE HISTORY lists the versions".into()]
            }
            Self::Outside { .. } => vec![
                "a shallow clone names files of another table, and a link in the folder may be meant: \
                 `SET lakesh.outside_files = true` reads them where the catalog is trusted"
                    .into(),
            ],
            Self::ChangedSince { .. } => vec![
                "DESCRIBE HISTORY shows what came after it, and RESTORE TABLE … TO VERSION AS OF takes that back \
                 too"
                    .into(),
            ],
            Self::NothingLeft { .. } => vec![
                "see whether the disk or bucket is the right one; DELETE FROM empties a table".into(),
            ],
            Self::NoFeed { .. } => vec![
                "`ALTER TABLE … SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')` records \
                 the changes from then on"
                    .into(),
                "DIFF TABLE compares versions without a change data feed".into(),
            ],
            Self::Partitioning { kept, .. } => vec![
                format!(
                    "keep `PARTITIONED BY ({kept})` and the columns, or choose another location; a \
                     table is partitioned anew in a folder of its own"
                ),
            ],
            Self::Retention { .. } => vec![
                "if nobody does, `SET lakesh.vacuum_retention_check = false` permits it; the \
                 table property `delta.deletedFileRetentionDuration` changes the retention"
                    .into(),
            ],
            Self::Incompatible { .. } => vec![
                "`union_by_name => true` merges the columns of all files and fills what a file \
                 lacks with NULL"
                    .into(),
            ],
            _ => Vec::new(),
        }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        if let TableError::Query { source } = error {
            return Failure::from_error(*source);
        }
        if let Some(failure) = failure_in(&error) {
            return failure.clone();
        }
        let mut failure = Failure::new(error.kind(), error.to_string());
        failure.hints = error.hints();
        failure.caused_by(error)
    }
}

impl From<TableError> for DataFusionError {
    fn from(error: TableError) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

/// Finds what the session itself has refused, or what a reader of ours says of a file with its name, below
/// what libraries say of it.
fn failure_in(error: &TableError) -> Option<&Failure> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            let whole = matches!(
                failure.kind,
                FailureKind::Denied | FailureKind::InputOutput | FailureKind::Resources
            );
            return whole.then_some(failure);
        }
        cause = error.source();
    }
    None
}

/// Says whether memory has run out.
fn is_exhausted(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// Takes from a conflict who changed what.
pub fn conflict_reason(error: &DeltaTableError) -> String {
    let reason = match error {
        DeltaTableError::Transaction {
            source: TransactionError::CommitConflict(conflict),
        } => conflict.to_string(),
        other => other.to_string(),
    };
    reason.trim_end_matches('.').to_owned()
}

/// Says whether an object store or the disk is at the root of an error: a full disk, a lost connection.
fn comes_from_store(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<object_store::Error>() || error.is::<std::io::Error>() {
            return true;
        }
        next = error.source();
    }
    // The library's Z-order keeps no more than the text of what the system said.
    error.to_string().contains("(os error ")
}

/// Explains a partition column that is not among a table's columns.
pub fn unknown_partition_column(column: &str, schema: &Schema) -> Failure {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let failure = Failure::new(
        FailureKind::Plan,
        format!("partition column `{column}` is not a column of the rows"),
    );
    match closest(column, names) {
        Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
        None => failure,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
