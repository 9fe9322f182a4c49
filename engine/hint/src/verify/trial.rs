//! One way to run the query: as it is, or with a remedy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use lakesh_session::StatementContext;
use lakesh_session::scope::{Resolver, SourceKey, Sources};
use lakesh_sql::Query;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;
use lakesh_text::input::Substituted;

use super::answer::{Answer, WHOLE};
use super::copy::Copy;
use super::order::Checkable;
use super::run::run;
use crate::evidence::Evidence;
use crate::finding::Remedy;
use crate::text::query_text;

/// A way to run the query.
pub(super) struct Trial {
    context: StatementContext,
    query: Query,
    change: Change,
}

enum Change {
    None,
    /// Settings take effect when files are opened: these were opened with them.
    Anew(Sources),
    /// A copy stands in a table's place.
    Copied {
        key: SourceKey,
        source: Arc<dyn TableSource>,
        /// Deletes the copy when the trial is over.
        _copy: Copy,
    },
}

impl Trial {
    /// The query as it is.
    pub(super) fn baseline(context: &StatementContext, query: &Query) -> Self {
        Self {
            context: context.aside(context.text.clone()),
            query: query.clone(),
            change: Change::None,
        }
    }

    /// The query with a remedy; the reason where that cannot be tried.
    pub(super) async fn of(
        context: &StatementContext,
        query: &Query,
        evidence: &Evidence,
        remedy: &Remedy,
        copy_bytes: u64,
    ) -> Result<Self, String> {
        match remedy {
            Remedy::Rewrite { tree, .. } => {
                let text = query_text(tree);
                let query = lakesh_sql::parse_query(&text).map_err(|error| super::short(&error))?;
                Ok(Self {
                    context: context
                        .aside(Substituted::detached(&text))
                        .with_hinted_settings(),
                    query,
                    change: Change::None,
                })
            }
            Remedy::Setting { name, value } => {
                let mut aside = context.aside(context.text.clone());
                aside.state = with_setting(context, name, value)?;
                let sources = {
                    let mut resolver = Resolver::new(&aside);
                    let planned = planned(&mut resolver, query.clone()).await;
                    planned.map_err(|error| super::short(&error))?;
                    resolver.sources()
                };
                Ok(Self {
                    context: aside,
                    query: query.clone(),
                    change: Change::Anew(sources),
                })
            }
            Remedy::Layout { table, copy, .. } => {
                let table = evidence.table(table).ok_or("the table was not found")?;
                if !table.files.partition_columns.is_empty() {
                    return Err("simulated only: a copy would not be partitioned".to_owned());
                }
                if table.bytes() > copy_bytes {
                    return Err(format!(
                        "simulated only: the table has {} bytes, and copies are made up to `lakesh.hint_copy_limit` and the room for temporary files",
                        table.bytes()
                    ));
                }
                let copied = Copy::make(context, table, copy).await;
                let (copy, source) = copied.map_err(|failure: Failure| failure.message)?;
                Ok(Self {
                    context: context.aside(context.text.clone()),
                    query: query.clone(),
                    change: Change::Copied {
                        key: table.key.clone(),
                        source,
                        _copy: copy,
                    },
                })
            }
        }
    }

    /// Says what is special about how it was tried.
    pub(super) fn note(&self) -> Option<&'static str> {
        match self.change {
            Change::Copied { .. } => Some("tried on a copy"),
            Change::None | Change::Anew(_) => None,
        }
    }

    /// Runs the query and keeps what is needed to compare its rows.
    pub(super) async fn answer(
        &self,
        open: &Sources,
        how: &Checkable,
    ) -> Result<Answer, DataFusionError> {
        let plan = self.plan(open).await?;
        let schema: SchemaRef = Arc::new(Schema::clone(plan.schema().as_arrow()));
        let pool = &self.context.state.runtime_env().memory_pool;
        let reservation = MemoryConsumer::new("verifying hints").register(pool);
        let mut answer = Answer::new(&schema, &how.order, WHOLE).charged_to(reservation);
        run(&self.context.state, &plan, &mut |batch| answer.push(&batch)).await?;
        Ok(answer)
    }

    /// Runs the query, planned anew, and returns how long that took.
    pub(super) async fn time(&self, open: &Sources) -> Result<Duration, DataFusionError> {
        let begin = Instant::now();
        let plan = self.plan(open).await?;
        run(&self.context.state, &plan, &mut |_| Ok(())).await?;
        Ok(begin.elapsed())
    }

    async fn plan(&self, open: &Sources) -> Result<Erased<LogicalPlan>, DataFusionError> {
        let mut resolver = match self.change {
            Change::Anew(ref sources) => Resolver::over(&self.context, sources),
            _ => Resolver::over(&self.context, open),
        };
        match &self.change {
            Change::None | Change::Anew(_) => {}
            Change::Copied { key, source, .. } => {
                resolver.substitute(key.clone(), Arc::clone(source));
            }
        }
        planned(&mut resolver, self.query.clone()).await
    }
}

async fn planned(
    resolver: &mut Resolver<'_>,
    query: Query,
) -> Result<Erased<LogicalPlan>, DataFusionError> {
    let plan = resolver.plan(query).await;
    plan.map(Erased::new)
        .map_err(|failure| DataFusionError::Execution(failure.message))
}

/// Returns the session's state with another value of a setting.
fn with_setting(
    context: &StatementContext,
    name: &str,
    value: &str,
) -> Result<Erased<SessionState>, String> {
    let mut state = (*context.state).clone();
    if name == "lakesh.threads" {
        let threads = value.parse().map_err(|_| "no number".to_owned())?;
        let limit = context.session.memory().usage().limit;
        let adjusted = lakesh_memory::planning::adjust(state.config().clone(), limit, threads);
        *state.config_mut() = adjusted;
        return Ok(Erased::new(state));
    }
    let options = state.config_mut().options_mut();
    options
        .set(name, value)
        .map_err(|error| super::short(&error))?;
    Ok(Erased::new(state))
}
