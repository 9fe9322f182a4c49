//! What a table function of the engine itself is: the twin in FROM of a statement that returns rows.
//!
//! Which ones there are, the session is told.

mod arguments;
mod versions;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::datasource::TableProvider;
use datafusion::sql::sqlparser::ast::Ident;
use futures::future::BoxFuture;
use lakesh_catalog::definition::TableVersion;
use lakesh_sql::TableName;
use lakesh_table::Argument;
use lakesh_text::failure::{Failure, FailureKind};

use super::Session;
use crate::scope::Resolver;

pub use arguments::Bound;
pub use versions::version;

type Open = for<'a, 'b> fn(
    &'a mut Resolver<'b>,
    Vec<Argument>,
) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, Failure>>;

/// A table function of the engine.
pub struct TableFunction {
    /// What a user calls it.
    pub name: &'static str,
    /// Its arguments.
    pub usage: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// A query; the tests have the tables that it names.
    pub example: &'static str,
    /// Opens it for the arguments of a call.
    pub open: Open,
}

impl Session {
    /// Finds a table function of the engine.
    pub(crate) fn table_function(&self, name: &str) -> Option<&'static TableFunction> {
        let mut functions = self.vocabulary.table_functions.iter().copied();
        functions.find(|function| function.name == name)
    }

    /// Describes every table function of ours, readers included.
    pub(super) fn described_table_functions(&self) -> Vec<Described> {
        let readers = lakesh_table::READERS.iter().map(|reader| Described {
            name: reader.name.to_owned(),
            usage: reader.usage(),
            summary: reader.summary.to_owned(),
            example: Some(reader.example.to_owned()),
        });
        let functions = self.vocabulary.table_functions.iter();
        let ours = functions.map(|function| Described {
            name: function.name.to_owned(),
            usage: function.usage.to_owned(),
            summary: function.summary.to_owned(),
            example: Some(function.example.to_owned()),
        });
        readers.chain(ours).collect()
    }
}

/// What help says of a table function.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) usage: String,
    pub(super) summary: String,
    pub(super) example: Option<String>,
}

/// Opens the table that the only argument names.
pub async fn named_table(
    resolver: &mut Resolver<'_>,
    function: &str,
    arguments: Vec<Argument>,
) -> Result<(String, Arc<dyn datafusion::logical_expr::TableSource>), Failure> {
    let usage = || {
        Failure::new(
            FailureKind::Plan,
            format!("{function} takes one argument, the name of a table in quotes"),
        )
    };
    let [argument] = arguments.as_slice() else {
        return Err(usage());
    };
    let (ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text))) = &argument.value
    else {
        return Err(usage());
    };
    let name = arguments::table_name(text)?;
    let schema = resolver.context().current_schema().to_owned();
    let (name, parts) = TableName::from_object(&name, &schema)?;
    let is_path = parts.len() == 1 && parts[0].quote_style == Some('\'');
    let source = if is_path {
        resolver.path(&parts[0].value, TableVersion::Latest).await?
    } else {
        let parts: Vec<Ident> = parts;
        resolver.named(&name, &parts, TableVersion::Latest).await?
    };
    Ok((name.table, source))
}
