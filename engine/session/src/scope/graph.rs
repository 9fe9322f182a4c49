//! The graph of feature views: what each reads, through whatever views, found by resolving them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::sql::sqlparser::ast::Ident;
use lakesh_catalog::Entry;
use lakesh_catalog::definition::TableVersion;
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind};

use super::Resolver;
use crate::StatementContext;

/// What reads what, by shown names; every node is a key.
#[derive(Default)]
struct Graph {
    reads: BTreeMap<String, BTreeSet<String>>,
    kinds: BTreeMap<String, &'static str>,
}

/// Lists feature views and what they read, as rows `position`, `name`, `kind`, `reads`: what is read comes
/// first, and otherwise names decide.
pub async fn feature_graph(
    context: &StatementContext,
    only: Option<TableName>,
) -> Result<RecordBatch, Failure> {
    let catalog = context.session.catalog();
    let mut graph = Graph::default();
    let views = match only {
        Some(name) => match catalog.get(&name.schema, &name.table)? {
            Some(Entry::View(view)) if view.feature.is_some() => vec![name],
            _ => {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("feature view `{}` not found", name.table),
                )
                .hint("SHOW FEATURE VIEWS lists what there is"));
            }
        },
        None => feature_views(context)?,
    };
    for name in views {
        graph.add(context, &name).await?;
    }
    graph.rows().map_err(Failure::from_error)
}

fn feature_views(context: &StatementContext) -> Result<Vec<TableName>, Failure> {
    let catalog = context.session.catalog();
    let mut views = Vec::new();
    for entry in catalog.list(None)? {
        if let Some(Entry::View(view)) = catalog.get(&entry.schema, &entry.name)?
            && view.feature.is_some()
        {
            views.push(TableName::new(&entry.schema, &entry.name));
        }
    }
    Ok(views)
}

impl Graph {
    async fn add(&mut self, context: &StatementContext, name: &TableName) -> Result<(), Failure> {
        let mut resolver = Resolver::new(context);
        let parts = [Ident::with_quote('"', &name.table)];
        resolver.named(name, &parts, TableVersion::Latest).await?;
        let shown = |name: &TableName| name.shown(context.current_schema());
        self.reads.entry(shown(name)).or_default();
        for (from, to) in &resolver.edges {
            self.reads.entry(shown(from)).or_default().insert(shown(to));
            self.reads.entry(shown(to)).or_default();
        }
        let edges = std::mem::take(&mut resolver.edges);
        let named = edges.iter().flat_map(|(from, to)| [from, to]).chain([name]);
        for name in named {
            let kind = match context.session.catalog().get(&name.schema, &name.table)? {
                Some(Entry::View(view)) if view.feature.is_some() => "feature view",
                Some(Entry::View(_)) => "view",
                _ => "table",
            };
            self.kinds.insert(shown(name), kind);
        }
        Ok(())
    }

    /// Orders the nodes: the least name of those whose reads are all listed comes next. Views cannot lead
    /// back to themselves, which resolving them has shown.
    fn ordered(&self) -> Vec<&String> {
        let mut ordered: Vec<&String> = Vec::new();
        while ordered.len() < self.reads.len() {
            let next = self.reads.iter().find(|(name, reads)| {
                !ordered.contains(name) && reads.iter().all(|read| ordered.contains(&read))
            });
            match next {
                Some((name, _)) => ordered.push(name),
                None => break,
            }
        }
        ordered
    }

    fn rows(&self) -> Result<RecordBatch, datafusion::arrow::error::ArrowError> {
        let ordered = self.ordered();
        let positions: Int64Array = (1..).take(ordered.len()).map(Some).collect();
        let names: StringArray = ordered.iter().map(|name| Some(name.as_str())).collect();
        let kinds: StringArray = ordered
            .iter()
            .map(|name| self.kinds.get(*name).copied())
            .collect();
        let reads: StringArray = ordered
            .iter()
            .map(|name| {
                let reads: Vec<_> = self.reads[*name].iter().map(String::as_str).collect();
                (!reads.is_empty()).then(|| reads.join(", "))
            })
            .collect();
        RecordBatch::try_from_iter_with_nullable([
            ("position", Arc::new(positions) as ArrayRef, true),
            ("name", Arc::new(names) as ArrayRef, true),
            ("kind", Arc::new(kinds) as ArrayRef, true),
            ("reads", Arc::new(reads) as ArrayRef, true),
        ])
    }
}
