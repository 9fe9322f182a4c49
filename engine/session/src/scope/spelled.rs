//! Tables by other names than their own: in another case, and as files of a format.

use datafusion::sql::sqlparser::ast::Ident;
use lakesh_sql::{Meaning, TableName, ambiguous, meaning};
use lakesh_text::failure::{Failure, FailureKind};

use super::{Found, Resolver};

impl Resolver<'_> {
    /// Opens what Spark calls ``format.`path` ``.
    pub(super) async fn file_of(&self, format: &str, path: &str) -> Result<Found, Failure> {
        let definition = lakesh_table::detect(path, &self.context.table_context()).await?;
        match definition.format == format {
            true => Ok(Found::Table(definition)),
            false => Err(Failure::new(
                FailureKind::Plan,
                format!("`{path}` is {} and not {format}", definition.format),
            )
            .hint(format!("read_{format}('{path}') reads it as that"))),
        }
    }

    /// Finds the only table that has a name in another case.
    pub(super) async fn spelled_otherwise(
        &self,
        name: &TableName,
        parts: &[Ident],
    ) -> Result<Option<TableName>, Failure> {
        let Some(word) = parts.last().filter(|word| word.quote_style.is_none()) else {
            return Ok(None);
        };
        if self.is_strict() {
            return Ok(None);
        }
        // What cannot be listed has no such table; the failure is about the name that was written.
        let Ok(tables) = self.context.session.table_names(&name.schema).await else {
            return Ok(None);
        };
        match meaning(tables.iter().map(String::as_str), &name.table) {
            Meaning::Folded(table) => Ok(Some(TableName::new(&name.schema, table))),
            Meaning::Several(tables) => Err(self.context.failure(ambiguous(word, &tables))),
            Meaning::Exact | Meaning::Nothing => Ok(None),
        }
    }
}
