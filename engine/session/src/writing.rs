//! Statements that change a Delta table: the work runs on a task of its own up to its commit.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::datatypes::Schema;
use datafusion::execution::SessionState;
use futures::FutureExt;
use futures::future::BoxFuture;
use lakesh_catalog::definition::TableDefinition;
use lakesh_event::event::Event;
use lakesh_table::commit::{ATTEMPTS, PointOfNoReturn, run_to_commit};
use lakesh_table::{Maintained, Maintenance, TableContext, TableError, WriteReport, WriteRequest};
use lakesh_text::effect::Effect;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::execute::PROGRESS_INTERVAL;
use super::{EventSender, Session, StatementContext, unexpected_end};

/// What table formats need, for work that may outlive its statement.
struct Surroundings {
    session: Arc<Session>,
    state: Erased<SessionState>,
    working_directory: PathBuf,
}

impl Surroundings {
    fn context(&self) -> TableContext<'_> {
        TableContext {
            state: &self.state,
            working_directory: &self.working_directory,
            environment: &self.session.options().environment,
            cache: self.session.tables(),
            outside_files: self.session.behaviour().outside_files,
            keeps_checkpoints: !self.session.options().capabilities.is_read_only(),
        }
    }
}

impl StatementContext {
    /// Writes rows to a Delta table. Dropping the future cancels it up to the commit, not beyond.
    pub fn write_delta(
        &self,
        definition: &TableDefinition,
        mut request: WriteRequest,
    ) -> BoxFuture<'_, Result<WriteReport, Failure>> {
        let point = self.point_of_no_return();
        request.commit = point.commit_properties(false);
        request.point_of_no_return = Some(point.clone());
        let surroundings = self.surroundings();
        let definition = definition.clone();
        let work = async move {
            lakesh_table::write_delta(&definition, request, &surroundings.context()).await
        };
        let done = self.to_commit(point, work.boxed());
        async move { Ok(done.await??) }.boxed()
    }

    /// Makes a Delta table of Parquet files; returns how many. Cancelled like `write_delta`.
    pub fn convert_to_delta(
        &self,
        definition: &TableDefinition,
        partitions: Schema,
    ) -> BoxFuture<'_, Result<u64, Failure>> {
        let point = self.point_of_no_return();
        let passed = point.clone();
        let surroundings = self.surroundings();
        let definition = definition.clone();
        let work = async move {
            let context = surroundings.context();
            lakesh_table::convert_to_delta(&definition, &partitions, &passed, &context).await
        };
        let done = self.to_commit(point, work.boxed());
        async move { Ok(done.await??) }.boxed()
    }

    /// Does work on a task of its own, which is aborted with the statement up to the commit, and says
    /// meanwhile how far it is.
    pub fn to_commit<T: Send + 'static>(
        &self,
        point: PointOfNoReturn,
        work: BoxFuture<'static, T>,
    ) -> BoxFuture<'_, Result<T, Failure>> {
        let refused = self
            .session
            .require(Effect::WriteTables, "changing a table is refused");
        let running = Arc::clone(&self.session.commits);
        let watched = point.clone();
        let committed = point.clone();
        let session = Arc::clone(&self.session);
        // A statement that was interrupted may have committed all the same, and UNDO has to know of it.
        let work = async move {
            let done = work.await;
            if let Some(change) = committed.change() {
                session.note_change(change);
            }
            done
        };
        let done = run_to_commit(point, running, work);
        async move {
            refused?;
            let done = match &self.events {
                Some(events) => watch(events, &watched, done).await,
                None => done.await,
            };
            done.map_err(|error| unexpected_end(Err(error)))
        }
        .boxed()
    }

    /// Makes the point of no return of an operation on a Delta table.
    pub fn point_of_no_return(&self) -> PointOfNoReturn {
        PointOfNoReturn::new(self.session.behaviour().durable_commits)
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            session: Arc::clone(&self.session),
            state: self.state.clone(),
            working_directory: self.working_directory().to_owned(),
        }
    }

    /// Runs an operation on a Delta table, anew when another writer came first. Dropping the future
    /// cancels it up to its first commit, not beyond.
    pub fn maintain<M: Maintenance>(
        &self,
        definition: &TableDefinition,
        operation: M,
    ) -> BoxFuture<'_, Result<M::Report, Failure>> {
        let point = self.point_of_no_return();
        let passed = point.clone();
        let surroundings = self.surroundings();
        let definition = definition.clone();
        let work = async move {
            let context = surroundings.context();
            let mut attempt = 1;
            loop {
                let table = Maintained::new(&definition, &context, passed.clone())?;
                match operation.run(&table).await {
                    Err(TableError::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                    done => return done,
                }
            }
        };
        let done = self.to_commit(point, work.boxed());
        async move { Ok(done.await??) }.boxed()
    }
}

/// Waits for work, and sends how far it is from time to time.
async fn watch<T>(
    events: &EventSender,
    point: &PointOfNoReturn,
    work: impl Future<Output = T>,
) -> T {
    let begin = Instant::now();
    let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.reset();
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => {
                events.try_send(Event::Progress(point.traffic().progress(begin.elapsed())));
            }
        }
    }
}
