//! What there is to know of a table beside its columns: format, version, files, bytes, rows.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use futures::StreamExt;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_event::event::Event;
use lakesh_sql::TableName;
use lakesh_text::failure::Failure;
use lakesh_text::input::Substituted;
use lakesh_text::quantity::format_size;
use lakesh_text::source::{Place, Source};

use super::{Session, StatementContext};
use crate::scope::{Found, Resolver};

/// Rows that take longer to count are not counted.
const PATIENCE: Duration = Duration::from_millis(500);

impl Session {
    /// Returns facts about a table or a view by name, in the order to show them.
    pub async fn table_facts(
        self: &Arc<Self>,
        table: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let context = StatementContext::new(self, Substituted::detached(table), None);
        let found = find(&context, table).await?;
        let mut facts = Vec::new();
        match found {
            Found::Table(definition) => push_files(&context, &definition, &mut facts).await?,
            Found::View(view) => facts.push(("view".to_owned(), view.query)),
            Found::Earlier(view, _) => facts.push(("result".to_owned(), view.query)),
            Found::Provider(_) => facts.push(("format".to_owned(), "in memory".to_owned())),
        }
        if let Some(rows) = self.counted(table).await {
            facts.push(("rows".to_owned(), rows));
        }
        Ok(facts)
    }

    /// Counts the rows of a table, if that does not take long.
    async fn counted(self: &Arc<Self>, table: &str) -> Option<String> {
        let sql = format!("SELECT count(*) FROM {table}");
        let source = Source::new("inspect", sql);
        let mut events = self.run_aside(Place::new(&source, 0..source.text.len()));
        let count = async {
            let mut count = None;
            while let Some(event) = events.next().await {
                if let Event::Batch(batch) = event {
                    let column = batch.column(0).as_primitive_opt::<Int64Type>()?;
                    count = Some(column.value(0).to_string());
                }
            }
            count
        };
        tokio::time::timeout(PATIENCE, count).await.ok().flatten()
    }
}

async fn find(context: &StatementContext, table: &str) -> Result<Found, Failure> {
    let name = lakesh_sql::parse_name(table).map_err(|error| context.failure(error))?;
    let (name, parts) = TableName::from_object(&name, context.current_schema())?;
    if let [part] = parts.as_slice()
        && part.quote_style == Some('\'')
    {
        let found = lakesh_table::detect(&part.value, &context.table_context()).await?;
        return Ok(Found::Table(found));
    }
    Resolver::new(context).find(&name, &parts).await
}

async fn push_files(
    context: &StatementContext,
    definition: &TableDefinition,
    facts: &mut Vec<(String, String)>,
) -> Result<(), Failure> {
    let tables = context.table_context();
    let at = match context.session.as_of() {
        Some(moment) if lakesh_table::has_versions(&definition.format) => {
            TableVersion::Timestamp(moment)
        }
        _ => TableVersion::Latest,
    };
    let open = lakesh_table::open(definition, at, &tables).await?;
    facts.push(("format".to_owned(), definition.format.clone()));
    if let Some(version) = open.version {
        facts.push(("version".to_owned(), version.to_string()));
    }
    facts.push(("location".to_owned(), definition.locations.join(", ")));
    if let Ok(footprint) = lakesh_table::footprint(definition, at, &tables).await {
        facts.push(("files".to_owned(), footprint.files.to_string()));
        facts.push(("size".to_owned(), format_size(footprint.bytes)));
    }
    if let Some(comment) = &definition.comment {
        facts.push(("comment".to_owned(), comment.clone()));
    }
    Ok(())
}
