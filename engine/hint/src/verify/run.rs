//! Runs a plan and hands its rows to whoever looks at them.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use futures::future::BoxFuture;

/// Plans physically and runs; each batch is looked at once.
pub(super) fn run<'a>(
    state: &'a SessionState,
    plan: &'a LogicalPlan,
    look: &'a mut (dyn FnMut(RecordBatch) -> Result<(), DataFusionError> + Send),
) -> BoxFuture<'a, Result<(), DataFusionError>> {
    Box::pin(async move {
        let physical = state.create_physical_plan(plan).await?;
        let mut rows = execute_stream(physical, state.task_ctx())?;
        while let Some(batch) = rows.next().await {
            look(batch?)?;
        }
        Ok(())
    })
}

/// Rows that are kept, charged to the memory pool.
pub(super) struct Kept {
    pub(super) batches: Vec<RecordBatch>,
    reservation: MemoryReservation,
}

impl Kept {
    pub(super) fn new(state: &SessionState) -> Self {
        let pool = &state.runtime_env().memory_pool;
        Self {
            batches: Vec::new(),
            reservation: MemoryConsumer::new("verifying hints").register(pool),
        }
    }

    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<(), DataFusionError> {
        self.reservation.try_grow(batch.get_array_memory_size())?;
        self.batches.push(batch);
        Ok(())
    }
}

/// Runs a plan and keeps its rows.
pub(super) async fn keep(
    state: &SessionState,
    plan: &LogicalPlan,
) -> Result<Arc<Kept>, DataFusionError> {
    let mut kept = Kept::new(state);
    run(state, plan, &mut |batch| kept.push(batch)).await?;
    Ok(Arc::new(kept))
}
