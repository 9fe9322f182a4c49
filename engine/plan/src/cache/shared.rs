//! Rows that are computed by whoever needs them first.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::future::{BoxFuture, try_join_all};
use futures::{FutureExt, StreamExt};
use tokio::sync::OnceCell;

use super::Budget;
use super::rows::{HeldRows, Keeper, KeptPart, PartKeeper, Storage};

/// Rows that several readers share; the first of them computes them.
pub struct SharedRows {
    storage: Storage,
    budget: Arc<Budget>,
    rows: OnceCell<Arc<HeldRows>>,
    /// Whether somebody has begun to compute them.
    begun: AtomicBool,
}

impl fmt::Debug for SharedRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rows.get() {
            Some(rows) => fmt::Debug::fmt(rows, formatter),
            None => formatter.write_str("not computed yet"),
        }
    }
}

impl SharedRows {
    pub(crate) fn new(storage: Storage, budget: Arc<Budget>) -> Self {
        Self {
            storage,
            budget,
            rows: OnceCell::new(),
            begun: AtomicBool::new(false),
        }
    }

    /// Returns the rows if they are there.
    pub(crate) fn get(&self) -> Option<Arc<HeldRows>> {
        self.rows.get().cloned()
    }

    /// Returns the rows, and computes them if nobody has. A reader that is dropped on the way leaves the
    /// work to the next one.
    pub(crate) fn compute<'a>(
        &'a self,
        input: &'a Arc<dyn ExecutionPlan>,
        context: &'a Arc<TaskContext>,
    ) -> BoxFuture<'a, Result<Arc<HeldRows>>> {
        async move {
            let computed = self.rows.get_or_try_init(|| self.fill(input, context));
            computed.await.map(Arc::clone)
        }
        .boxed()
    }

    async fn fill(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
    ) -> Result<Arc<HeldRows>> {
        let keeper = Arc::new(Keeper::new(
            input.schema(),
            self.storage,
            Arc::clone(&self.budget),
            context,
        ));
        let partitions = input.output_partitioning().partition_count();
        // After a failure, or for a reader that was dropped, it runs once more: operators run once only.
        let input = match self.begun.swap(true, Ordering::Relaxed) {
            false => Arc::clone(input),
            true => reset_plan_states(Arc::clone(input))?,
        };
        let tasks = (0..partitions).map(|partition| {
            let (input, context) = (Arc::clone(&input), Arc::clone(context));
            let part = keeper.part();
            let task = datafusion::common::runtime::SpawnedTask::spawn(keep(
                input, partition, context, part,
            ));
            async move {
                let joined = task.join().await;
                joined.map_err(|error| DataFusionError::Execution(error.to_string()))?
            }
        });
        let parts = try_join_all(tasks).await?;
        match Arc::try_unwrap(keeper) {
            Ok(keeper) => Ok(Arc::new(keeper.finish(parts))),
            Err(_) => Err(DataFusionError::Execution(
                "rows that are complete are still being written".to_owned(),
            )),
        }
    }
}

async fn keep(
    input: Arc<dyn ExecutionPlan>,
    partition: usize,
    context: Arc<TaskContext>,
    mut part: PartKeeper,
) -> Result<KeptPart> {
    let mut rows = input.execute(partition, context)?;
    while let Some(batch) = rows.next().await {
        part.push(batch?)?;
    }
    part.finish()
}
