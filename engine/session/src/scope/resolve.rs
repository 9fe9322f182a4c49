//! Opens what a query names: catalog tables, views with all that they name, attachments, files.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::sql::sqlparser::ast::Ident;
use lakesh_catalog::Entry;
use lakesh_catalog::definition::{TableDefinition, TableRead, TableVersion, ViewDefinition};
use lakesh_plan::directive::{HintSource, Marks, rewrite};
use lakesh_semantics::mark_merged_columns;
use lakesh_sql::{Query, TableName};
use lakesh_text::failure::{Failure, FailureKind, Subject};
use lakesh_text::similar::closest;

use super::collect::{Relation, Request, collect};
use super::expand::expand_statement;
use super::substitute::call_key;
use super::{Opened, StatementScope, StoredEncoder, function, names, planner, version};
use crate::{FoundResult, Overlay, StatementContext};

/// Opens the relations of one statement; each table and version once.
pub struct Resolver<'a> {
    pub(super) context: &'a StatementContext,
    pub(super) opened: HashMap<(String, TableVersion), Arc<dyn TableSource>>,
    /// The views that are being resolved, outermost first.
    pub(super) views: Vec<TableName>,
    /// What was opened, in the order of first mention.
    pub reads: Vec<TableRead>,
    /// What stands behind the names of plans.
    pub opened_relations: Opened,
    /// The encoders that are applied.
    pub(super) encoders: Vec<StoredEncoder>,
    /// Which view reads which table or view.
    pub(super) edges: Vec<(TableName, TableName)>,
    /// The versions of tables by location, while the query of an earlier result is resolved.
    pub(super) pinned: HashMap<String, u64>,
    /// Whether the query of an earlier result is being resolved.
    pub(super) is_earlier: bool,
    /// Cached tables whose own rows are being computed.
    pub(super) uncached: Vec<TableName>,
}

impl<'a> Resolver<'a> {
    /// Makes a resolver that has opened nothing yet.
    pub fn new(context: &'a StatementContext) -> Self {
        Self {
            context,
            opened: HashMap::new(),
            views: Vec::new(),
            reads: Vec::new(),
            opened_relations: Opened::default(),
            encoders: Vec::new(),
            edges: Vec::new(),
            pinned: HashMap::new(),
            is_earlier: false,
            uncached: Vec::new(),
        }
    }

    /// Resolves a query's relations and plans it.
    pub async fn plan(&mut self, query: Query) -> Result<LogicalPlan, Failure> {
        let schema = self.context.current_schema().to_owned();
        let source = HintSource::Statement(&self.context.text);
        let (scope, tree) = self.scope(query, &schema, source).await?;
        for warning in self.leakage_warnings() {
            self.context.notice(warning).await?;
        }
        planner::plan(
            &self.context.state,
            &scope,
            tree.tree,
            self.context.parameters(),
        )
        .map_err(|error| self.context.failure(error))
    }

    /// Opens a query's relations.
    pub(crate) async fn resolve(&mut self, query: Query) -> Result<(), Failure> {
        let schema = self.context.current_schema().to_owned();
        let source = HintSource::Statement(&self.context.text);
        self.scope(query, &schema, source).await.map(drop)
    }

    /// Opens all that a query names; returns what its names stand for, and the query as it is to be planned.
    pub async fn scope(
        &mut self,
        mut query: Query,
        current_schema: &str,
        source: HintSource<'_>,
    ) -> Result<(StatementScope, Query), Failure> {
        let functions = expand_statement(self.context, &mut query.tree, current_schema)
            .map_err(|error| self.context.failure(error))?;
        let marks = self.hints(&mut query, source);
        let is_ours = |name: &str| function::is_ours(&self.context.session, name);
        let asked = collect(&mut query, &is_ours).map_err(|error| self.context.failure(error))?;
        let mut scope = StatementScope {
            functions,
            marks,
            ..StatementScope::default()
        };
        for Relation { key, request } in asked.relations {
            if let Some(source) = self.request(&request, current_schema).await? {
                self.opened_relations.note_key(&key, &source);
                scope.relations.insert(key, source);
            }
        }
        for call in asked.encoders {
            let function = self.encoder_function(&call, current_schema)?;
            scope.functions.insert(function.name().to_owned(), function);
        }
        self.names(&scope, &mut query)
            .and_then(|()| mark_merged_columns(&mut query.tree))
            .map_err(|error| self.context.failure(error))?;
        Ok((scope, query))
    }

    /// Spells names as what they stand for, now that it is known what there is.
    fn names(&self, scope: &StatementScope, query: &mut Query) -> Result<(), DataFusionError> {
        let known = planner::Known::new(&self.context.state, scope);
        match names::is_needed(&query.tree, &known) {
            true => names::resolve(&mut query.tree, &known, self.is_strict()),
            false => Ok(()),
        }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.context.session.behaviour().strict_names
    }

    /// Takes the hints out of a query and does what they ask for.
    fn hints(&self, query: &mut Query, source: HintSource<'_>) -> Marks {
        rewrite(&mut query.tree, &source, &self.context.hints)
    }

    async fn request(
        &mut self,
        request: &Request,
        current_schema: &str,
    ) -> Result<Option<Arc<dyn TableSource>>, Failure> {
        match request {
            Request::Named { parts, version } => {
                let name = TableName::from_parts(parts, current_schema);
                let at = match self.version(version.as_ref()) {
                    Ok(at) => at,
                    Err(failure) => {
                        let found = self.find(&name, parts).await;
                        return Err(self.with_versions(failure, found).await);
                    }
                };
                let place = parts.last().map(|part| self.context.place(part.span.start));
                let found = self.named(&name, parts, at).await;
                let found = match place {
                    Some(place) => found.map_err(|failure| failure.at(place))?,
                    None => found?,
                };
                Ok(Some(found))
            }
            Request::Path {
                path,
                version,
                location,
            } => {
                let at = match self.version(version.as_ref()) {
                    Ok(at) => at,
                    Err(failure) => {
                        let context = self.context.table_context();
                        let found = lakesh_table::detect(path, &context).await;
                        let found = found.map(Found::Table).map_err(Failure::from);
                        return Err(self.with_versions(failure, found).await);
                    }
                };
                let source = self.path(path, at).await;
                Ok(Some(source.map_err(|failure| {
                    failure.at(self.context.place(*location))
                })?))
            }
            Request::Function {
                name,
                arguments,
                text,
            } => {
                let key = call_key(text);
                if let Some(source) = self.opened.get(&key) {
                    return Ok(Some(Arc::clone(source)));
                }
                let read_before = self.reads.len();
                let provider = function::call(self, name, arguments)
                    .await
                    .map_err(|failure| failure.at(self.context.place(name.span.start)))?;
                let source = provider_as_source(provider);
                if let [read] = &self.reads[read_before..]
                    && let Some(location) = read.location.clone()
                {
                    self.opened_relations.note_location(&source, location);
                }
                self.opened.insert(key, Arc::clone(&source));
                Ok(Some(source))
            }
        }
    }

    pub(super) fn version(
        &self,
        clause: Option<&lakesh_sql::VersionClause>,
    ) -> Result<TableVersion, Failure> {
        clause.map_or(Ok(TableVersion::Latest), |clause| {
            version::evaluate(clause, self.context)
        })
    }

    /// Adds to a version that makes no sense which versions there are, where that is known.
    async fn with_versions(&self, mut failure: Failure, found: Result<Found, Failure>) -> Failure {
        let Ok(Found::Table(definition)) = found else {
            return failure;
        };
        let context = self.context.table_context();
        if definition.is_delta()
            && let Ok((first, last)) = lakesh_table::delta_range(&definition, &context).await
        {
            failure.message = format!(
                "{}; the log holds versions {first} to {last}",
                failure.message
            );
        }
        failure
    }

    /// Opens a table or view by its name.
    pub async fn named(
        &mut self,
        name: &TableName,
        parts: &[Ident],
        at: TableVersion,
    ) -> Result<Arc<dyn TableSource>, Failure> {
        if let Some(view) = self.views.last() {
            self.edges.push((view.clone(), name.clone()));
        }
        let key = (format!("{}\u{0}{}", name.schema, name.table), at);
        if let Some(source) = self.opened.get(&key) {
            return Ok(Arc::clone(source));
        }
        if at == TableVersion::Latest
            && let Some(entry) = self.cache_entry(name)
        {
            let source = self.cached(entry, parts).await?;
            self.opened.insert(key, Arc::clone(&source));
            return Ok(source);
        }
        let source = match self.find(name, parts).await? {
            Found::Table(definition) => self.catalogued(name, parts, definition, at).await?,
            Found::View(view) => {
                if at != TableVersion::Latest {
                    return Err(Failure::new(
                        FailureKind::Plan,
                        format!("view `{}` has no versions", self.shown(name)),
                    )
                    .about(Subject::View)
                    .hint("put the version behind the tables that the view reads"));
                }
                self.view(name, &view).await?
            }
            Found::Provider(provider) => {
                refuse_version(at, &self.shown(name))?;
                provider_as_source(provider)
            }
            Found::Earlier(view, versions) => {
                refuse_version(at, &self.shown(name))?;
                self.earlier(name, &view, versions).await?
            }
        };
        self.opened.insert(key, Arc::clone(&source));
        Ok(source)
    }

    /// Opens a table that a name stands for, anew if another one has taken its place meanwhile.
    async fn catalogued(
        &mut self,
        name: &TableName,
        parts: &[Ident],
        mut definition: TableDefinition,
        at: TableVersion,
    ) -> Result<Arc<dyn TableSource>, Failure> {
        let shown = self.shown(name);
        let mut attempt = 1;
        loop {
            let failure = match self.table(&definition, at, &shown).await {
                Ok(source) => return Ok(source),
                Err(failure) => failure,
            };
            let now = match self.find(name, parts).await {
                Ok(Found::Table(now)) => now,
                Ok(_) => return Err(replaced(&shown, "replaced")),
                Err(_) => return Err(replaced(&shown, "dropped")),
            };
            if now == definition || attempt == OPENINGS {
                return Err(failure);
            }
            definition = now;
            attempt += 1;
        }
    }

    pub(super) fn shown(&self, name: &TableName) -> String {
        name.shown(self.context.current_schema())
    }

    /// Looks a name up, in the order: this check's own definitions, system schemas, the catalog,
    /// attachments, and for a quoted name with a dot or a slash, files.
    pub async fn find(&self, name: &TableName, parts: &[Ident]) -> Result<Found, Failure> {
        if let Some(found) = self.find_spelled(name, parts).await? {
            return Ok(found);
        }
        if let Some(spelled) = self.spelled_otherwise(name, parts).await?
            && let Some(found) = self.find_spelled(&spelled, parts).await?
        {
            return Ok(found);
        }
        Err(self.not_found(name).await)
    }

    /// Looks a name up as it is spelled.
    async fn find_spelled(
        &self,
        name: &TableName,
        parts: &[Ident],
    ) -> Result<Option<Found>, Failure> {
        let context = self.context;
        match context.overlay(name) {
            Some(Overlay::Dropped) => return Err(self.not_found(name).await),
            Some(Overlay::View(view)) => return Ok(Some(Found::View(view))),
            Some(Overlay::Table(provider)) => return Ok(Some(Found::Provider(provider))),
            None => {}
        }
        if let Some(view) = self.cached_query(name) {
            return Ok(Some(Found::View(view)));
        }
        if let Some(provider) = crate::system_table(context, name) {
            return Ok(Some(Found::Provider(provider)));
        }
        if parts.len() == 1
            && let Some(found) = context.session.earlier_result(&name.table)?
        {
            return Ok(Some(match found {
                FoundResult::Rows(provider) => Found::Provider(provider),
                FoundResult::Query(view, versions) => Found::Earlier(view, versions),
            }));
        }
        match context.session.temporary(name) {
            Some(Entry::Table { definition, .. }) => return Ok(Some(Found::Table(definition))),
            Some(Entry::View(view)) => return Ok(Some(Found::View(view))),
            None => {}
        }
        let catalog = context.session.catalog();
        match catalog.get(&name.schema, &name.table)? {
            Some(Entry::Table { definition, .. }) => return Ok(Some(Found::Table(definition))),
            Some(Entry::View(view)) => return Ok(Some(Found::View(view))),
            None => {}
        }
        if let Some(attachment) = catalog.attachment(&name.schema)? {
            let found = lakesh_table::discover_one(
                &attachment.location,
                &name.table,
                &context.table_context(),
            )
            .await?;
            if let Some(found) = found {
                return Ok(Some(Found::Table(found.definition(&attachment.options))));
            }
        }
        let is_path =
            |part: &Ident| part.quote_style.is_some() && part.value.contains(['/', '.', '*']);
        if let [part] = parts
            && is_path(part)
        {
            let definition = lakesh_table::detect(&part.value, &context.table_context()).await?;
            return Ok(Some(Found::Table(definition)));
        }
        if let [format, part] = parts
            && is_path(part)
        {
            let format = lakesh_sql::normalized(format);
            if lakesh_table::format(&format).is_ok() {
                return self.file_of(&format, &part.value).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn not_found(&self, name: &TableName) -> Failure {
        let catalog = self.context.session.catalog();
        let mut failure = Failure::new(
            FailureKind::Plan,
            format!("table `{}` not found", self.shown(name)),
        );
        if let Some(attached) = self.attached_like(name).await {
            return failure.hint(format!("did you mean `{}`?", self.shown(&attached)));
        }
        let similar = catalog.similar(&name.table, 3).unwrap_or_default();
        if let Some(first) = similar.first() {
            let first = TableName::new(&first.schema, &first.name);
            failure = failure.hint(format!("did you mean `{}`?", self.shown(&first)));
        } else if name.table.contains('/') || name.table.ends_with("parquet") {
            failure = failure.hint("put a path in single quotes: FROM 'dir/file.parquet'");
        } else {
            failure = failure.hint("SHOW TABLES lists what there is");
        }
        failure
    }

    /// Finds the table of an attachment whose last part is the name, or whose name is near.
    async fn attached_like(&self, name: &TableName) -> Option<TableName> {
        let session = &self.context.session;
        // What cannot be listed gives no hint; the failure is about something else.
        session.catalog().attachment(&name.schema).ok()??;
        let tables = session.table_names(&name.schema).await.ok()?;
        let last = |table: &&String| {
            let last = table.rsplit('.').next();
            // Files of one name and two formats are called `name_csv` and `name_parquet`.
            last.is_some_and(|last| {
                let stem = last.rsplit_once('_').map_or(last, |(stem, _)| stem);
                [last, stem]
                    .iter()
                    .any(|part| part.eq_ignore_ascii_case(&name.table))
            })
        };
        let found = match tables.iter().find(last) {
            Some(table) => table.clone(),
            None => closest(&name.table, tables.iter().map(String::as_str))?.to_owned(),
        };
        Some(TableName::new(&name.schema, &found))
    }

    async fn table(
        &mut self,
        definition: &TableDefinition,
        at: TableVersion,
        shown: &str,
    ) -> Result<Arc<dyn TableSource>, Failure> {
        let pinned = definition.locations.first();
        let pinned = pinned.and_then(|location| self.pinned.get(location));
        let at = match (at, pinned) {
            (TableVersion::Latest, Some(version)) => TableVersion::Number(*version),
            _ => self.moment(at, &definition.format, shown)?,
        };
        self.context.hold(definition);
        let open = lakesh_table::open(definition, at, &self.context.table_context()).await?;
        if let Some(version) = open.version {
            self.context.note_read(definition, version);
        }
        self.reads.push(TableRead {
            name: shown.to_owned(),
            version: open.version,
            fingerprint: lakesh_table::fingerprint(open.provider.as_ref()),
            location: Some(open.location.to_string()),
        });
        let source = provider_as_source(open.provider);
        let location = open.location.to_string();
        self.opened_relations.note_location(&source, location);
        Ok(source)
    }

    /// Returns the version to read where the query names none: the one of `lakesh.as_of`.
    pub(super) fn moment(
        &self,
        at: TableVersion,
        format: &str,
        shown: &str,
    ) -> Result<TableVersion, Failure> {
        let behaviour = self.context.session.behaviour();
        let Some(moment) = behaviour.as_of.filter(|_| at == TableVersion::Latest) else {
            return Ok(at);
        };
        if lakesh_table::has_versions(format) {
            return Ok(TableVersion::Timestamp(moment));
        }
        if !behaviour.as_of_strict {
            return Ok(at);
        }
        Err(Failure::new(
            FailureKind::Plan,
            format!(
                "`{shown}` has no history: it cannot be read as of {}",
                crate::moment_text(moment)
            ),
        )
        .hint("SET lakesh.as_of_strict = false reads such tables as they are now; RESET lakesh.as_of goes back to the newest versions"))
    }

    /// Opens a path, URL, glob or folder.
    pub(crate) async fn path(
        &mut self,
        path: &str,
        at: TableVersion,
    ) -> Result<Arc<dyn TableSource>, Failure> {
        let absolute = self.context.absolute(path)?;
        let key = (format!("path {absolute}"), at);
        if let Some(source) = self.opened.get(&key) {
            return Ok(Arc::clone(source));
        }
        if let Some(provider) = self.context.assumed_path(&absolute) {
            return Ok(provider_as_source(provider));
        }
        let definition = lakesh_table::detect(path, &self.context.table_context()).await?;
        let source = self.table(&definition, at, path).await?;
        self.opened.insert(key, Arc::clone(&source));
        Ok(source)
    }

    /// Plans the query of an earlier result, on the versions that it read then.
    async fn earlier(
        &mut self,
        name: &TableName,
        view: &ViewDefinition,
        versions: HashMap<String, u64>,
    ) -> Result<Arc<dyn TableSource>, Failure> {
        // What this statement has opened is in other versions.
        let opened = mem::take(&mut self.opened);
        let pinned = mem::replace(&mut self.pinned, versions);
        let was_earlier = mem::replace(&mut self.is_earlier, true);
        let source = self.view(name, view).await;
        self.is_earlier = was_earlier;
        self.pinned = pinned;
        self.opened = opened;
        source
    }

    /// The statement that is being resolved.
    pub fn context(&self) -> &'a StatementContext {
        self.context
    }
}

/// How often a table is opened that others replace meanwhile.
const OPENINGS: usize = 20;

/// What a name stands for.
pub enum Found {
    /// A table.
    Table(TableDefinition),
    /// A view.
    View(ViewDefinition),
    /// Rows that are open already.
    Provider(Arc<dyn TableProvider>),
    /// The query of an earlier result, and the versions to read by location.
    Earlier(ViewDefinition, HashMap<String, u64>),
}

/// Says what became of a table between its being found and opened.
fn replaced(shown: &str, what: &str) -> Failure {
    Failure::new(
        FailureKind::Plan,
        format!("table `{shown}` was {what} while the statement began"),
    )
    .hint("run the statement again")
}

fn refuse_version(at: TableVersion, shown: &str) -> Result<(), Failure> {
    if at == TableVersion::Latest {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Plan,
        format!("table `{shown}` has no versions"),
    ))
}
