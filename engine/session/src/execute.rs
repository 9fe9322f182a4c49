//! Executes plans and forwards their rows; retries a join that did not fit into memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{Array, RecordBatch, RecordBatchOptions, UInt64Array};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use lakesh_event::event::{Event, Progress, Summary};
use lakesh_memory::planning::adjust_for_spilling_joins;
use lakesh_sql::ShownNames;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::queries::Observer;
use super::{EventSender, StatementContext};

/// How often a running query says how far it is.
pub(super) const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What the user is told before a join runs a second time.
const RETRY_NOTICE: &str =
    "the join did not fit into memory; running it again as a sort-merge join";

/// What a statement hands back.
pub enum Output {
    /// A plan that is still to be executed.
    Plan(Erased<LogicalPlan>),
    /// The same, with the names under which its columns are shown.
    Shown(Erased<LogicalPlan>, ShownNames),
    /// Rows that are there already.
    Batches {
        /// The columns.
        schema: SchemaRef,
        /// The rows.
        batches: Vec<RecordBatch>,
    },
    /// No rows.
    Done(Summary),
}

impl Output {
    /// No rows, and nothing to say but what was done.
    pub fn done(verb: &str) -> Self {
        Self::Done(Summary {
            verb: verb.to_owned(),
            ..Summary::default()
        })
    }

    /// One batch of rows.
    pub fn batch(batch: RecordBatch) -> Self {
        Self::Batches {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }
}

/// Executes a logical plan and forwards its rows.
pub(super) async fn run_plan(
    context: &StatementContext,
    plan: Erased<LogicalPlan>,
    names: ShownNames,
    verb: &'static str,
    events: &EventSender,
) -> Result<Summary, Failure> {
    let mut forward = Forward::new(verb, names, events);
    let first = attempt(context, &context.state, &plan, &mut forward).await;
    let error = match first {
        Ok(()) => return Ok(forward.summary()),
        Err(Stopped::Unheard(failure)) => return Err(failure),
        Err(Stopped::Failed(error)) => error,
    };
    if forward.rows > 0 || !context.join_was_too_large(&error) {
        return Err(context.failure_of_rows(error).await);
    }
    context.notice(RETRY_NOTICE).await?;
    let state = with_sort_merge_join(&context.state);
    match attempt(context, &state, &plan, &mut forward).await {
        Ok(()) => Ok(forward.summary()),
        Err(Stopped::Unheard(failure)) => Err(failure),
        Err(Stopped::Failed(error)) => Err(context.failure(error)),
    }
}

/// Runs a plan that writes rows and returns how many it wrote.
pub async fn count_rows(state: &SessionState, plan: &LogicalPlan) -> Result<u64, DataFusionError> {
    let physical = state.create_physical_plan(plan).await?;
    let observer = state.config().get_extension::<Observer>();
    if let Some(observer) = &observer {
        observer.planned();
    }
    let mut rows = execute_stream(Arc::clone(&physical), state.task_ctx())?;
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += counted(&batch?);
    }
    drop(rows);
    if let Some(observer) = &observer {
        observer.ran(&physical);
    }
    Ok(count)
}

impl StatementContext {
    /// Says whether a query failed because the build side of a hash join did not fit.
    fn join_was_too_large(&self, error: &DataFusionError) -> bool {
        let exhausted = self.session.memory().exhausted_by(error);
        // A build side is one batch, whose text has offsets of 32 bits.
        let overflows = || {
            matches!(error.find_root(), DataFusionError::ArrowError(error, _)
                if matches!(**error, ArrowError::OffsetOverflowError(_)))
        };
        exhausted.is_some_and(|exhausted| exhausted.was_join) || overflows()
    }

    /// Does some work; does it once more with sort-merge joins when a join did not fit into memory.
    /// The work must leave nothing behind when it fails.
    pub async fn with_join_retry<T, F>(
        &self,
        work: impl Fn(SessionState) -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, DataFusionError>> + Send,
    {
        let outcome = match work((*self.state).clone()).await {
            Err(error) if self.join_was_too_large(&error) => {
                self.notice(RETRY_NOTICE).await?;
                work(with_sort_merge_join(&self.state)).await
            }
            other => other,
        };
        outcome.map_err(|error| self.failure(error))
    }
}

/// Reads the count that DataFusion's sinks return.
fn counted(batch: &RecordBatch) -> u64 {
    let counts = batch
        .columns()
        .first()
        .and_then(|column| column.as_any().downcast_ref::<UInt64Array>());
    counts.map_or(0, |counts| {
        (0..counts.len())
            .filter(|row| counts.is_valid(*row))
            .map(|row| counts.value(row))
            .sum()
    })
}

fn with_sort_merge_join(state: &SessionState) -> SessionState {
    let mut state = state.clone();
    *state.config_mut() = adjust_for_spilling_joins(state.config().clone());
    state
}

/// Why an attempt ended early.
enum Stopped {
    /// The query failed.
    Failed(DataFusionError),
    /// Nobody listens any more.
    Unheard(Failure),
}

impl From<DataFusionError> for Stopped {
    fn from(error: DataFusionError) -> Self {
        Self::Failed(error)
    }
}

async fn attempt(
    context: &StatementContext,
    state: &SessionState,
    plan: &LogicalPlan,
    forward: &mut Forward<'_>,
) -> Result<(), Stopped> {
    let physical = state.create_physical_plan(plan).await?;
    context.observer.planned();
    let rows = execute_stream(Arc::clone(&physical), state.task_ctx())?;
    let watched = context.session.options().progress.then_some(&physical);
    let outcome = forward.all(rows, watched).await;
    context.observer.ran(&physical);
    outcome
}

/// Sends rows that are there already.
pub(super) async fn send_batches(
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    verb: &'static str,
    events: &EventSender,
) -> Result<Summary, Failure> {
    events.send(Event::Schema(schema)).await?;
    let mut rows = 0;
    for batch in batches.into_iter().filter(|batch| batch.num_rows() > 0) {
        rows += batch.num_rows() as u64;
        events.send(Event::Batch(batch)).await?;
    }
    Ok(Summary {
        verb: verb.to_owned(),
        rows: Some(rows),
        returned_rows: true,
        ..Summary::default()
    })
}

/// Sends the rows of one statement and counts them.
struct Forward<'a> {
    verb: &'static str,
    names: ShownNames,
    events: &'a EventSender,
    rows: u64,
    schema_sent: bool,
    begin: Instant,
}

impl<'a> Forward<'a> {
    fn new(verb: &'static str, names: ShownNames, events: &'a EventSender) -> Self {
        Self {
            verb,
            names,
            events,
            rows: 0,
            schema_sent: false,
            begin: Instant::now(),
        }
    }

    async fn all(
        &mut self,
        mut rows: SendableRecordBatchStream,
        watched: Option<&Arc<dyn ExecutionPlan>>,
    ) -> Result<(), Stopped> {
        let schema = self.shown(rows.schema());
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.reset();
        loop {
            let next = tokio::select! {
                biased;
                next = rows.next() => next,
                _ = ticks.tick(), if watched.is_some() => {
                    if let Some(plan) = watched {
                        let progress = progress(plan, self.begin.elapsed());
                        self.events.try_send(Event::Progress(progress));
                    }
                    continue;
                }
            };
            let batch = match next {
                None => break,
                Some(batch) => batch?,
            };
            if batch.num_rows() == 0 {
                continue;
            }
            self.announce(&schema).await?;
            self.rows += batch.num_rows() as u64;
            let batch = match self.names.is_empty() {
                true => batch,
                false => with_schema(&batch, &schema)?,
            };
            self.send(Event::Batch(batch)).await?;
        }
        self.announce(&schema).await
    }

    /// The columns under the names that the statement gives them.
    fn shown(&self, planned: SchemaRef) -> SchemaRef {
        if self.names.is_empty() {
            return planned;
        }
        let fields = planned.fields().iter().map(|field| {
            let name = self.names.shown(field.name());
            Field::clone(field).with_name(name)
        });
        let fields: Vec<Field> = fields.collect();
        Arc::new(Schema::new_with_metadata(
            fields,
            planned.metadata().clone(),
        ))
    }

    /// Sends the schema before the first row, so that a failure before it leaves no output behind.
    async fn announce(&mut self, schema: &SchemaRef) -> Result<(), Stopped> {
        if self.schema_sent {
            return Ok(());
        }
        self.schema_sent = true;
        self.send(Event::Schema(Arc::clone(schema))).await
    }

    async fn send(&self, event: Event) -> Result<(), Stopped> {
        self.events.send(event).await.map_err(Stopped::Unheard)
    }

    fn summary(&self) -> Summary {
        Summary {
            verb: self.verb.to_owned(),
            rows: Some(self.rows),
            returned_rows: true,
            ..Summary::default()
        }
    }
}

/// The same rows with other names of columns.
fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().to_vec();
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &options,
    )?)
}

/// Reads from the metrics of a running plan how far it is.
fn progress(plan: &Arc<dyn ExecutionPlan>, elapsed: Duration) -> Progress {
    let mut progress = Progress {
        elapsed,
        ..Progress::default()
    };
    let mut busiest: Option<(usize, String)> = None;
    let mut waiting = vec![Arc::clone(plan)];
    while let Some(node) = waiting.pop() {
        let children = node.children();
        if let Some(metrics) = node.metrics() {
            let metrics = metrics.aggregate_by_name();
            let counted = |name: &str| {
                metrics
                    .sum_by_name(name)
                    .map_or(0, |value| value.as_usize() as u64)
            };
            if children.is_empty() {
                progress.rows_scanned += metrics.output_rows().unwrap_or(0) as u64;
                progress.bytes_scanned += counted("bytes_scanned");
                progress.files.0 += counted("files_processed");
            }
            let busy = metrics.elapsed_compute().unwrap_or(0);
            if busiest.as_ref().is_none_or(|(most, _)| busy > *most) {
                busiest = Some((busy, node.name().trim_end_matches("Exec").to_owned()));
            }
        }
        waiting.extend(children.into_iter().map(Arc::clone));
    }
    progress.busiest = busiest.map(|(_, name)| name);
    progress
}
