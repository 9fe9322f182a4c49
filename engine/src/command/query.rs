//! What `\gset`, `\gexec` and their kin share: a query whose rows the command takes for itself.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use futures::StreamExt;
use lakesh_event::event::Event;
use lakesh_session::command::Invocation;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::input::{Cell, Terminator};
use lakesh_text::source::Place;

/// The rows of a query.
pub(super) struct Rows {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
}

impl Rows {
    /// Returns the values as text, a vector a row; NULL is `None`.
    pub(super) fn texts(&self) -> Vec<Vec<Option<String>>> {
        self.batches.iter().flat_map(lakesh_format::texts).collect()
    }

    /// Returns the names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }
}

/// Runs the command's query and keeps its rows, at most so many; what it says beside them is passed on.
pub(super) async fn rows(invocation: &Invocation, most: usize) -> Result<Rows, Failure> {
    let place = invocation.query()?;
    let mut events = invocation.session().run(statement(&place));
    let mut schema = None;
    let (mut batches, mut count) = (Vec::new(), 0);
    while let Some(event) = events.next().await {
        match event {
            Event::Schema(found) => schema = Some(found),
            Event::Batch(batch) => {
                count += batch.num_rows();
                if count > most {
                    let message = format!("the query returns more than {most} rows");
                    return Err(Failure::new(FailureKind::Usage, message).at(place));
                }
                batches.push(batch);
            }
            Event::Notice(_) | Event::Progress(_) => invocation.send(event).await?,
            Event::Failed(failure) => return Err(failure),
            _ => {}
        }
    }
    match schema {
        Some(schema) => Ok(Rows { schema, batches }),
        None => Err(invocation.wrong("the statement returns no rows").at(place)),
    }
}

/// The cell of a statement that a command runs.
pub(super) fn statement(place: &Place) -> Cell {
    Cell::Statement {
        place: place.clone(),
        terminator: Terminator::Go,
    }
}

/// Passes a result on that the command has made.
pub(super) async fn send(invocation: &Invocation, batch: RecordBatch) -> Result<u64, Failure> {
    let rows = batch.num_rows() as u64;
    invocation
        .send(Event::Schema(Arc::clone(&batch.schema())))
        .await?;
    if rows > 0 {
        invocation.send(Event::Batch(batch)).await?;
    }
    Ok(rows)
}
