//! Opens single relations of a query, and puts other sources in their place.
//!
//! Hints look at the tables of a query one by one, and try what the query would do over a copy.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::logical_expr::TableSource;
use datafusion::sql::sqlparser::ast::Ident;
use lakesh_catalog::definition::TableVersion;
use lakesh_sql::{TableName, VersionClause};
use lakesh_text::failure::Failure;

use super::Resolver;
use crate::StatementContext;

/// What a resolver calls a relation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceKey(String, TableVersion);

impl SourceKey {
    /// The key of a table without a version.
    pub(crate) fn newest(name: &TableName) -> Self {
        Self(
            format!("{}\u{0}{}", name.schema, name.table),
            TableVersion::Latest,
        )
    }
}

/// Relations that were opened, each once.
#[derive(Clone, Default)]
pub struct Sources(HashMap<(String, TableVersion), Arc<dyn TableSource>>);

impl<'a> Resolver<'a> {
    /// Resolves for another text over the sources that are open already.
    pub fn over(context: &'a StatementContext, open: &Sources) -> Self {
        let mut resolver = Self::new(context);
        resolver.opened = open.0.clone();
        resolver
    }

    /// Returns what was opened.
    pub fn sources(&self) -> Sources {
        Sources(self.opened.clone())
    }

    /// Opens what a query's text names by these parts; a source that is open already is not opened again.
    pub async fn open_relation(
        &mut self,
        parts: &[Ident],
        is_path: bool,
        version: Option<&VersionClause>,
    ) -> Result<(SourceKey, Arc<dyn TableSource>), Failure> {
        let at = self.version(version)?;
        if let [path] = parts
            && is_path
        {
            let absolute = self.context.absolute(&path.value)?;
            let source = self.path(&path.value, at).await?;
            return Ok((SourceKey(format!("path {absolute}"), at), source));
        }
        let name = TableName::from_parts(parts, self.context.current_schema());
        let source = self.named(&name, parts, at).await?;
        let SourceKey(key, _) = SourceKey::newest(&name);
        Ok((SourceKey(key, at), source))
    }

    /// Returns the source that a call of a table function has opened, by the text of the call.
    pub fn opened_call(&self, text: &str) -> Option<(SourceKey, Arc<dyn TableSource>)> {
        let (name, at) = call_key(text);
        let source = self.opened.get(&(name.clone(), at))?;
        Some((SourceKey(name, at), Arc::clone(source)))
    }

    /// Reads a relation from another source.
    pub fn substitute(&mut self, key: SourceKey, source: Arc<dyn TableSource>) {
        let SourceKey(name, at) = key;
        self.opened.insert((name, at), source);
    }
}

/// The key under which a call of a table function is kept while it is open.
pub(super) fn call_key(text: &str) -> (String, TableVersion) {
    (format!("call {text}"), TableVersion::Latest)
}
