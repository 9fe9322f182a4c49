//! A session in process: statements in, rows out, without a process for each.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;
use lakesh_engine::event::{Event, Summary};
use lakesh_engine::failure::Failure;
use lakesh_engine::input::{Cell, Terminator};
use lakesh_engine::session::{Session, SessionOptions};
use lakesh_engine::source::{Place, Source};

use super::Lake;

/// What a statement gave: its rows as text, NULL as `NULL`, and its summary.
pub(crate) struct Answer {
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) summary: Summary,
}

/// Opens a session whose files lie in a lake.
pub(crate) fn session_in(lake: &Lake) -> Arc<Session> {
    lakesh_engine::open(SessionOptions::in_folder(lake.path())).unwrap()
}

/// Runs one statement.
pub(crate) async fn run(session: &Arc<Session>, sql: &str) -> Result<Answer, Failure> {
    let source = Source::new("test", sql);
    let cell = Cell::Statement {
        place: Place::new(&source, 0..sql.len()),
        terminator: Terminator::EndOfInput,
    };
    outcome(session, cell, sql).await
}

/// Runs one cell of a text.
pub(crate) async fn outcome(
    session: &Arc<Session>,
    cell: Cell,
    text: &str,
) -> Result<Answer, Failure> {
    let mut events = session.run(cell);
    let mut rows = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Event::Batch(batch) => rows.extend(lines(&batch)),
            Event::Failed(failure) => return Err(failure),
            Event::Finished(summary) => return Ok(Answer { rows, summary }),
            _ => {}
        }
    }
    panic!("the stream of `{text}` ended without an outcome");
}

fn lines(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect()
        })
        .collect()
}
