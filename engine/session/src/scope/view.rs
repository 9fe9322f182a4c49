//! Views: their bodies are planned anew in each statement, with the folder and the schema that they were made in.

use std::mem;
use std::path::Path;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, TableSource};
use futures::future::BoxFuture;
use lakesh_catalog::definition::{TableVersion, ViewDefinition};
use lakesh_plan::directive::HintSource;
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind, Subject};

use super::Resolver;
use super::planner;

/// Planning takes time with each view below another, and no person writes so many.
const DEEPEST_VIEWS: usize = 64;

impl<'a> Resolver<'a> {
    /// Plans a view's query, with the names that it uses.
    pub(super) fn view<'b>(
        &'b mut self,
        name: &'b TableName,
        view: &'b ViewDefinition,
    ) -> BoxFuture<'b, Result<Arc<dyn TableSource>, Failure>> {
        Box::pin(async move {
            if let Some(start) = self.views.iter().position(|outer| outer == name) {
                let mut path: Vec<_> = self.views[start..]
                    .iter()
                    .map(|view| self.shown(view))
                    .collect();
                path.push(self.shown(name));
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("view `{}` names itself: {}", path[0], path.join(" -> ")),
                )
                .about(Subject::View));
            }
            if self.views.len() >= DEEPEST_VIEWS {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("views use each other more than {DEEPEST_VIEWS} deep"),
                )
                .hint("keep an intermediate result with CREATE TABLE … AS"));
            }
            self.views.push(name.clone());
            let plan = self.view_plan(name, view).await;
            self.views.pop();
            let plan = plan.map_err(|mut failure| {
                failure.place = None;
                failure.in_view(&self.shown(name))
            })?;
            let source =
                provider_as_source(Arc::new(ViewTable::new(plan, Some(view.query.clone()))));
            let shown = self.shown(name);
            self.opened_relations.note_view(&source, shown, view);
            Ok(source)
        })
    }

    /// Plans a view's query under the view's own name, which finds wrong names and cycles.
    pub(crate) async fn check_view(
        &mut self,
        name: &TableName,
        view: &ViewDefinition,
    ) -> Result<(), Failure> {
        self.views.push(name.clone());
        let own = (
            format!("{}\u{0}{}", name.schema, name.table),
            TableVersion::Latest,
        );
        self.opened.remove(&own);
        let query = self.view_plan(name, view).await;
        self.views.pop();
        query.map(drop)
    }

    /// Plans a view's query as it was meant where the view was made.
    pub(super) async fn view_plan(
        &mut self,
        name: &TableName,
        view: &ViewDefinition,
    ) -> Result<LogicalPlan, Failure> {
        let elsewhere = view
            .folder
            .as_deref()
            .map(Path::new)
            .filter(|folder| *folder != self.context.working_directory());
        let Some(folder) = elsewhere else {
            return self.view_plan_here(name, view).await;
        };
        let context = self.context.in_folder(folder);
        let mut resolver = Resolver {
            context: &context,
            opened: mem::take(&mut self.opened),
            views: mem::take(&mut self.views),
            reads: mem::take(&mut self.reads),
            opened_relations: mem::take(&mut self.opened_relations),
            encoders: mem::take(&mut self.encoders),
            edges: mem::take(&mut self.edges),
            pinned: mem::take(&mut self.pinned),
            is_earlier: self.is_earlier,
            uncached: self.uncached.clone(),
        };
        let plan = resolver.view_plan_here(name, view).await;
        self.encoders = resolver.encoders;
        self.edges = resolver.edges;
        self.opened = resolver.opened;
        self.views = resolver.views;
        self.reads = resolver.reads;
        self.opened_relations = resolver.opened_relations;
        self.pinned = resolver.pinned;
        plan
    }

    async fn view_plan_here(
        &mut self,
        name: &TableName,
        view: &ViewDefinition,
    ) -> Result<LogicalPlan, Failure> {
        let explain = |error| Failure::from_error(error);
        let query = lakesh_sql::parse_query(&view.query).map_err(explain)?;
        let shown = self.shown(name);
        let source = HintSource::View {
            name: &shown,
            text: &view.query,
        };
        let (scope, query) = self.scope(query, &view.current_schema, source).await?;
        // The query of an earlier result may name parameters; a stored view may not.
        let parameters = self.context.parameters().filter(|_| self.is_earlier);
        let plan =
            planner::plan(&self.context.state, &scope, query.tree, parameters).map_err(explain)?;
        rename_columns(plan, name, &view.columns).map_err(explain)
    }
}

/// Gives a view's columns the names of `CREATE VIEW v (a, b)`.
fn rename_columns(
    plan: LogicalPlan,
    view: &TableName,
    columns: &[String],
) -> Result<LogicalPlan, DataFusionError> {
    use datafusion::common::Column;
    use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
    if columns.is_empty() {
        return Ok(plan);
    }
    let found = plan.schema().columns();
    if found.len() != columns.len() {
        let message = format!(
            "view `{}` names {} columns, but its query returns {}",
            view.table,
            columns.len(),
            found.len()
        );
        let failure = Failure::new(FailureKind::Plan, message).about(Subject::View);
        return Err(DataFusionError::External(Box::new(failure)));
    }
    let renamed: Vec<Expr> = found
        .into_iter()
        .zip(columns)
        .map(|(column, name): (Column, &String)| Expr::Column(column).alias(name))
        .collect();
    LogicalPlanBuilder::from(plan).project(renamed)?.build()
}
