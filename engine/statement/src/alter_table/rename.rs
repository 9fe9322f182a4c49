//! ALTER TABLE … RENAME TO: another name in the catalog; the files stay where they are.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_catalog::EntryKind;
use lakesh_session::scope::{Found, Resolver};
use lakesh_session::{Output, Overlay, Statement, StatementContext};
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind};

/// A table's new name.
pub(super) struct Rename {
    pub(super) table: ObjectName,
    pub(super) new_name: ObjectName,
}

impl Rename {
    /// Returns both names; they lie in one schema.
    fn names(&self, context: &StatementContext) -> Result<(TableName, TableName), Failure> {
        let (old, _) = TableName::from_object(&self.table, context.current_schema())?;
        let (new, parts) = TableName::from_object(&self.new_name, &old.schema)?;
        if new.schema == old.schema {
            return Ok((old, new));
        }
        let failure = Failure::new(
            FailureKind::Plan,
            format!(
                "a table keeps its schema `{}` when it is renamed",
                old.schema
            ),
        );
        Err(match parts.first() {
            Some(part) => failure.at(context.place(part.span.start)),
            None => failure,
        })
    }
}

#[async_trait]
impl Statement for Rename {
    fn verb(&self) -> &'static str {
        "ALTER TABLE"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (old, new) = self.names(context)?;
        context
            .session
            .catalog()
            .rename(&old.schema, &old.table, &new.table, EntryKind::Table)?;
        Ok(Output::done(self.verb()))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (old, new) = self.names(context)?;
        let (_, parts) = TableName::from_object(&self.table, context.current_schema())?;
        let mut resolver = Resolver::new(context);
        if matches!(resolver.find(&old, &parts).await?, Found::View(_)) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{}` is a view", old.table),
            ));
        }
        if context.name_exists(&new)? {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("table `{}` exists already", new.table),
            ));
        }
        let source = resolver
            .named(
                &old,
                &parts,
                lakesh_catalog::definition::TableVersion::Latest,
            )
            .await?;
        let schema = std::sync::Arc::clone(&source.schema());
        let provider = datafusion::datasource::empty::EmptyTable::new(schema);
        context.assume(old, Overlay::Dropped);
        context.assume(new, Overlay::Table(std::sync::Arc::new(provider)));
        Ok(())
    }
}
