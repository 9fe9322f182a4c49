//! `\l`: where tables come from: the catalog and the folders that are attached to it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use lakesh_catalog::Discovery;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::{Failure, FailureKind};

pub(super) struct Attachments;

#[async_trait]
impl Command for Attachments {
    fn names(&self) -> &'static [&'static str] {
        &["l", "list", "databases"]
    }

    fn usage(&self) -> &'static str {
        "\\l"
    }

    fn summary(&self) -> &'static str {
        "lists the catalog and the folders that are attached to it"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\l"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let catalog = invocation.session().catalog();
        let location = catalog.location();
        let found = match (location.folder(), location.discovery()) {
            (None, _) => "catalog in memory",
            (Some(_), Discovery::Explicit) => "catalog, as chosen",
            (Some(_), Discovery::WalkedUp) => "catalog of the project",
            (Some(_), Discovery::UserData) => "catalog of the user",
        };
        let folder = location.folder().map(|folder| folder.display().to_string());
        let mut rows = vec![("main".to_owned(), found, folder)];
        for attachment in catalog.attachments()? {
            rows.push((attachment.name, "attached", Some(attachment.location)));
        }
        let column = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
        let columns = [
            (
                "name",
                column(rows.iter().map(|row| Some(row.0.as_str())).collect()),
            ),
            ("kind", column(rows.iter().map(|row| Some(row.1)).collect())),
            (
                "location",
                column(rows.iter().map(|row| row.2.as_deref()).collect()),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).map_err(|error| {
            Failure::new(FailureKind::Execution, "the list cannot be made").caused_by(error)
        })?;
        let count = batch.num_rows() as u64;
        invocation.send(Event::Schema(batch.schema())).await?;
        invocation.send(Event::Batch(batch)).await?;
        Ok(Summary {
            rows: Some(count),
            returned_rows: true,
            ..invocation.done()
        })
    }
}
