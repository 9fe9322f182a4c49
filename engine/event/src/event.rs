//! What a running cell says: the stream between the session and a renderer.

use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_text::display::DisplayOptions;
use lakesh_text::failure::Failure;
use lakesh_text::secret::Secret;

use crate::picture::Picture;

/// One step of a running cell, in the order in which it happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A statement or command began.
    Started,
    /// A query is planned: what exactly it reads. Comes before its rows.
    Reads(QueryReads),
    /// The statement returns rows of this schema; comes once, before its first batch.
    Schema(SchemaRef),
    /// Rows of the announced schema, never empty.
    Batch(RecordBatch),
    /// Something to draw beside the result; only for front ends that draw.
    Picture(Picture),
    /// How far the statement is; may be dropped by a renderer.
    Progress(Progress),
    /// Something that the user should know and that is not a result.
    Notice(String),
    /// Text that a command prints to the results (`\echo`).
    Text(String),
    /// How results are shown from now on.
    Display(DisplayOptions),
    /// Results go to this file from now on; `None` brings them back.
    Output(Option<String>),
    /// The rows of this cell's next statement go to this file, and to nothing else.
    Save(String),
    /// The next rows go to this file, whichever cell they come from.
    Once(String),
    /// What is shown of the results so far is to be removed from the screen.
    Clear,
    /// Text that explains something, for a pager or the screen (`\help`).
    Page(String),
    /// The user asked to leave.
    Quit,
    /// A statement of a script that a command runs is done, or the rows of one that is drawn next; more of
    /// the cell follows.
    Step(Summary),
    /// The statement is done.
    Finished(Summary),
    /// The statement failed; nothing follows.
    Failed(Failure),
}

/// What a query reads: enough to run it again on the same rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryReads {
    /// The query's text with all text variables put in, secrets too.
    pub sql: Secret,
    /// The same for showing: without secrets.
    pub shown: String,
    /// The Delta tables that it reads.
    pub versions: Vec<VersionRead>,
}

/// A Delta table in the version in which a query reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionRead {
    /// Where the table lies.
    pub location: String,
    /// The version.
    pub version: u64,
}

/// How far a statement is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Rows that the scans have produced.
    pub rows_scanned: u64,
    /// Bytes that the scans have read.
    pub bytes_scanned: u64,
    /// Bytes of data files that were written.
    pub bytes_written: u64,
    /// Files that are done, and files in all where that is known.
    pub files: (u64, Option<u64>),
    /// Time since the statement began.
    pub elapsed: Duration,
    /// The operator that used most time so far.
    pub busiest: Option<String>,
}

/// What a statement did, as data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// What was done in the standard's words: `SELECT`, `CREATE TABLE`, `COPY`.
    pub verb: String,
    /// Rows returned or changed; `None` for statements that have no rows.
    pub rows: Option<u64>,
    /// Whether rows were sent as batches.
    pub returned_rows: bool,
    /// Further counts by name (`files`, `version`), in the order to show them.
    pub counts: Vec<(String, u64)>,
    /// Wall time.
    pub elapsed: Duration,
}
