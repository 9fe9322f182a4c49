//! Finds the Delta table that a statement or a table function names outside a query.

use std::sync::Arc;

use datafusion::datasource::TableProvider;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use lakesh_catalog::definition::TableDefinition;
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind};

use super::{Found, Resolver};

/// A Delta table that is named outside a query.
pub enum DeltaTarget {
    /// One that is there.
    Table {
        /// The name or path, as a user would write it.
        shown: String,
        /// What it is and where it lies.
        definition: TableDefinition,
    },
    /// One that an earlier statement would have made; only while checking.
    Assumed(Arc<dyn TableProvider>),
}

impl Resolver<'_> {
    /// Finds a Delta table by its name or by a path in single quotes; refuses everything else.
    pub async fn delta(&self, name: &ObjectName) -> Result<DeltaTarget, Failure> {
        let context = self.context();
        let (found, parts) = TableName::from_object(name, context.current_schema())?;
        let target = self.delta_parts(&found, &parts).await;
        match parts.last() {
            Some(last) if last.span.start.line > 0 => {
                target.map_err(|failure| failure.at(context.place(last.span.start)))
            }
            _ => target,
        }
    }

    async fn delta_parts(&self, name: &TableName, parts: &[Ident]) -> Result<DeltaTarget, Failure> {
        let context = self.context();
        let (shown, definition) = match parts {
            [path] if path.quote_style == Some('\'') => {
                let absolute = context.absolute(&path.value)?;
                if let Some(provider) = context.assumed_path(&absolute) {
                    return Ok(DeltaTarget::Assumed(provider));
                }
                let definition =
                    lakesh_table::detect(&path.value, &context.table_context()).await?;
                (path.value.clone(), definition)
            }
            parts => {
                let shown = name.shown(context.current_schema());
                match self.find(name, parts).await? {
                    Found::Table(definition) => (shown, definition),
                    Found::View(_) => return Err(not_delta(&shown, "a view")),
                    Found::Provider(provider) if context.overlay(name).is_some() => {
                        return Ok(DeltaTarget::Assumed(provider));
                    }
                    Found::Earlier(..) => return Err(not_delta(&shown, "an earlier result")),
                    Found::Provider(_) => return Err(not_delta(&shown, "a system table")),
                }
            }
        };
        if !definition.is_delta() {
            let what = format!("a table of format `{}`", definition.format);
            return Err(not_delta(&shown, &what));
        }
        context.hold(&definition);
        Ok(DeltaTarget::Table { shown, definition })
    }
}

fn not_delta(shown: &str, what: &str) -> Failure {
    Failure::new(
        FailureKind::Plan,
        format!("`{shown}` is {what}, not a Delta table"),
    )
    .hint("only Delta tables have versions")
}
