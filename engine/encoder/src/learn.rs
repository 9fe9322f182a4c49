//! Fits the outputs of an encoder in one pass over the rows of a plan, every partition on its own task.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlanProperties, execute_stream_partitioned};
use futures::StreamExt;
use lakesh_text::erased::Erased;
use tokio::task::JoinSet;

use super::category::CategoryType;
use super::fit::{Fit, FitColumns};
use super::fitted::Fitted;
use super::index::CategoryIndex;
use super::kind::EncoderKind;

/// More folds than these are a mistake: each needs all that is learned once more.
const MOST_FOLDS: usize = 1_000;

/// What an output learns from, as positions of columns in the plan.
#[derive(Debug, Clone)]
pub struct FitColumn {
    /// What is learned.
    pub encoder: EncoderKind,
    /// The sort of the values, where they are categories.
    pub category: Option<CategoryType>,
    /// The value to encode.
    pub value: usize,
    /// What is to be predicted.
    pub target: Option<usize>,
    /// How much a row counts.
    pub weight: Option<usize>,
}

/// What is wrong with the rows or the parameters of one output.
#[derive(Debug)]
pub struct OutputError {
    /// The output's position.
    pub output: usize,
    /// What is wrong.
    pub error: DataFusionError,
}

impl fmt::Display for OutputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

/// What was learned of the rows of a plan.
pub struct Learned {
    pub rows: u64,
    folds: Folds,
    /// Holds the memory while the state is in use.
    reservations: Vec<MemoryReservation>,
}

/// States by fold and output; one fold where there is no column of folds.
struct Folds {
    column: Option<(usize, CategoryType)>,
    index: CategoryIndex,
    fits: Vec<Vec<Fit>>,
    rows: u64,
}

/// Why learning ended early.
enum Stopped {
    Failed(DataFusionError),
    OutputError(OutputError),
}

impl From<DataFusionError> for Stopped {
    fn from(error: DataFusionError) -> Self {
        Self::Failed(error)
    }
}

/// Runs a plan and fits every output. With a column of folds, each fold is learned apart.
pub async fn learn(
    state: Erased<SessionState>,
    plan: Erased<LogicalPlan>,
    outputs: Arc<Vec<FitColumn>>,
    folds: Option<(usize, CategoryType)>,
) -> Result<Result<Learned, OutputError>, DataFusionError> {
    let physical = state.create_physical_plan(&plan).await?;
    let partitions = physical.output_partitioning().partition_count();
    let streams = execute_stream_partitioned(physical, state.task_ctx())?;
    let pool = Arc::clone(&state.runtime_env().memory_pool);
    let mut tasks = JoinSet::new();
    for (partition, stream) in streams.into_iter().enumerate() {
        let reservation = MemoryConsumer::new(format!("encoder fit[{partition}]")).register(&pool);
        let begun = Folds::new(&outputs, folds);
        let outputs = Arc::clone(&outputs);
        tasks.spawn(async move {
            let done = learn_partition(stream, begun, &outputs, reservation).await;
            (partition, done)
        });
    }
    let mut learned: Vec<_> = (0..partitions).map(|_| None).collect();
    while let Some(task) = tasks.join_next().await {
        let (partition, done) = task.map_err(|error| DataFusionError::External(Box::new(error)))?;
        match done {
            Ok(done) => learned[partition] = Some(done),
            Err(Stopped::Failed(error)) => return Err(error),
            Err(Stopped::OutputError(wrong)) => return Ok(Err(wrong)),
        }
    }
    // In the order of the partitions, so that the same plan gives the same result.
    let mut all = Folds::new(&outputs, folds);
    let mut reservations = Vec::new();
    for (part, reservation) in learned.into_iter().flatten() {
        all.merge(part, &outputs)?;
        reservations.push(reservation);
    }
    Ok(Ok(Learned {
        rows: all.rows,
        folds: all,
        reservations,
    }))
}

async fn learn_partition(
    mut rows: SendableRecordBatchStream,
    mut folds: Folds,
    outputs: &[FitColumn],
    reservation: MemoryReservation,
) -> Result<(Folds, MemoryReservation), Stopped> {
    while let Some(batch) = rows.next().await {
        folds.update(&batch?, outputs)?;
        reservation.try_resize(folds.size())?;
    }
    Ok((folds, reservation))
}

impl Folds {
    fn new(outputs: &[FitColumn], column: Option<(usize, CategoryType)>) -> Self {
        Self {
            column,
            index: CategoryIndex::new(column.is_none_or(|(_, kind)| kind.is_text())),
            fits: match column {
                Some(_) => Vec::new(),
                None => vec![new_fits(outputs)],
            },
            rows: 0,
        }
    }

    fn update(&mut self, batch: &RecordBatch, outputs: &[FitColumn]) -> Result<(), Stopped> {
        self.rows += batch.num_rows() as u64;
        let Some((column, category)) = self.column else {
            return update_fits(&mut self.fits[0], batch.columns(), outputs);
        };
        let keys = category
            .keys(batch.column(column))
            .map_err(DataFusionError::from)?;
        let numbers = self.index.insert(&keys)?;
        self.grow(outputs)?;
        let mut rows_of = vec![Vec::new(); self.fits.len()];
        for (row, fold) in (0_u32..).zip(numbers) {
            rows_of[fold as usize].push(row);
        }
        for (fold, rows) in rows_of.into_iter().enumerate() {
            if rows.is_empty() {
                continue;
            }
            let rows = UInt32Array::from(rows);
            let columns = batch
                .columns()
                .iter()
                .map(|column| take(column, &rows, None))
                .collect::<Result<Vec<_>, _>>()
                .map_err(DataFusionError::from)?;
            update_fits(&mut self.fits[fold], &columns, outputs)?;
        }
        Ok(())
    }

    fn grow(&mut self, outputs: &[FitColumn]) -> Result<(), DataFusionError> {
        if self.index.len() > MOST_FOLDS {
            return Err(exec_datafusion_err!(
                "there are more than {MOST_FOLDS} folds; `BY HASH(column)` makes as many as it is told"
            ));
        }
        while self.fits.len() < self.index.len() {
            self.fits.push(new_fits(outputs));
        }
        Ok(())
    }

    fn merge(&mut self, other: Self, outputs: &[FitColumn]) -> Result<(), DataFusionError> {
        self.rows += other.rows;
        let numbers = match other.column {
            None => vec![0],
            Some(_) => self.index.insert(&other.index.to_keys())?,
        };
        if self.column.is_some() {
            self.grow(outputs)?;
        }
        for (fold, fits) in numbers.into_iter().zip(other.fits) {
            for (ours, theirs) in self.fits[fold as usize].iter_mut().zip(&fits) {
                ours.merge(theirs)?;
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.fits.iter().flatten().map(Fit::size).sum()
    }
}

fn new_fits(outputs: &[FitColumn]) -> Vec<Fit> {
    outputs
        .iter()
        .map(|output| Fit::new(&output.encoder, output.category))
        .collect()
}

fn update_fits(
    fits: &mut [Fit],
    columns: &[ArrayRef],
    outputs: &[FitColumn],
) -> Result<(), Stopped> {
    let column = |position: usize| Arc::clone(&columns[position]);
    for (output, (fit, definition)) in fits.iter_mut().zip(outputs).enumerate() {
        let columns = FitColumns {
            value: column(definition.value),
            target: definition.target.map(column),
            weight: definition.weight.map(column),
        };
        fit.update(&columns)
            .map_err(|error| Stopped::OutputError(OutputError { output, error }))?;
    }
    Ok(())
}

impl Learned {
    /// Ends learning on all rows.
    pub fn finish(mut self) -> Result<Vec<Fitted>, OutputError> {
        let fits = self.folds.fits.pop().unwrap_or_default();
        let fitted = finish_fits(fits, Fit::finish)?;
        drop(self.reservations);
        Ok(fitted)
    }

    /// Ends learning on all rows; says of each output whether it could be fitted.
    pub fn finish_each(mut self) -> Vec<Result<Fitted, DataFusionError>> {
        let fits = self.folds.fits.pop().unwrap_or_default();
        let fitted = fits.into_iter().map(Fit::finish).collect();
        drop(self.reservations);
        fitted
    }

    /// Ends learning with an encoder for each fold, fitted on all the other folds; with the folds' keys.
    pub fn finish_folds(
        self,
        outputs: &[FitColumn],
    ) -> Result<(ArrayRef, Vec<Vec<Fitted>>), OutputError> {
        let fits = self.folds.fits;
        // What stands before and behind each fold, so that k folds take 2k merges and not k².
        let mut behind = vec![new_fits(outputs)];
        for fold in fits.iter().skip(1).rev() {
            let mut merged = behind.last().cloned().unwrap_or_default();
            merge_fits(&mut merged, fold)?;
            behind.push(merged);
        }
        let mut before = new_fits(outputs);
        let mut fitted = Vec::with_capacity(fits.len());
        for fold in &fits {
            let mut others = before.clone();
            if let Some(behind) = behind.pop() {
                merge_fits(&mut others, &behind)?;
            }
            fitted.push(finish_fits(others, Fit::finish_or_nothing)?);
            merge_fits(&mut before, fold)?;
        }
        drop(self.reservations);
        Ok((self.folds.index.to_keys(), fitted))
    }
}

fn merge_fits(into: &mut [Fit], from: &[Fit]) -> Result<(), OutputError> {
    for (output, (into, from)) in into.iter_mut().zip(from).enumerate() {
        into.merge(from)
            .map_err(|error| OutputError { output, error })?;
    }
    Ok(())
}

fn finish_fits(
    fits: Vec<Fit>,
    finish: fn(Fit) -> Result<Fitted, DataFusionError>,
) -> Result<Vec<Fitted>, OutputError> {
    fits.into_iter()
        .enumerate()
        .map(|(output, fit)| finish(fit).map_err(|error| OutputError { output, error }))
        .collect()
}
