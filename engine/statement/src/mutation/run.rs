//! Takes a mutation from its plan to its commit, and plans it anew when another writer came first.

use deltalake::DeltaTableError;
use futures::FutureExt;
use lakesh_event::event::Summary;
use lakesh_session::{Output, StatementContext};
use lakesh_table::commit::{ATTEMPTS, is_conflict};
use lakesh_table::conflict_reason;
use lakesh_text::failure::{Failure, FailureKind};

use super::target::DeltaTarget;
use super::{Change, Changes, Commit, Mutation, PlanningState, Target, Written};

/// Runs a mutation and says what it did.
pub(crate) async fn run(
    mutation: &dyn Mutation,
    context: &StatementContext,
) -> Result<Output, Failure> {
    let mut attempt = 1;
    loop {
        let delta = DeltaTarget::open(context, mutation).await?;
        let change = mutation.plan(context, &delta.target).await?;
        match write(context, &delta, change).await? {
            Ok(written) => return Ok(Output::Done(summary(mutation.verb(), &written))),
            Err(error) if is_conflict(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) if is_conflict(&error) => {
                return Err(lost(context, mutation, &delta, &error).await);
            }
            Err(error) => return Err(delta.failed(context, mutation, error)),
        }
    }
}

/// Plans a mutation, as `--check` does.
pub(crate) async fn check(
    mutation: &dyn Mutation,
    context: &StatementContext,
) -> Result<(), Failure> {
    let target = Target::for_check(context, mutation).await?;
    mutation.plan(context, &target).await.map(drop)
}

/// Plans a mutation and returns the query that lists the files it would touch.
pub(crate) async fn explain(
    mutation: &dyn Mutation,
    context: &StatementContext,
) -> Result<Output, Failure> {
    let delta = DeltaTarget::open(context, mutation).await?;
    let change = mutation.plan(context, &delta.target).await?;
    match change.touched(&delta.target)? {
        Some(plan) => Ok(Output::Plan(plan.into())),
        None => super::touched::nothing(context),
    }
}

/// Writes and commits on a task of its own, which is aborted with this future up to the commit.
async fn write(
    context: &StatementContext,
    delta: &DeltaTarget,
    change: Box<dyn Change>,
) -> Result<Result<Written, DeltaTableError>, Failure> {
    let point = context.point_of_no_return();
    let commit = Commit {
        table: delta.guarded(&point)?,
        properties: point.commit_properties(change.is_blind_append()),
        state: PlanningState::new(&context.state),
    };
    let work = async move { change.write(commit).await }.boxed();
    context.to_commit(point, work).await
}

/// Explains a conflict that came back again and again: who won, and what to do.
async fn lost(
    context: &StatementContext,
    mutation: &dyn Mutation,
    delta: &DeltaTarget,
    error: &DeltaTableError,
) -> Failure {
    let reason = conflict_reason(error);
    let winner = match delta.newest_commit(context).await {
        Some(winner) => format!("; the last to win was {winner}"),
        None => String::new(),
    };
    Failure::new(
        FailureKind::Execution,
        format!(
            "{} gave up after {ATTEMPTS} attempts: other writers keep changing what it reads in `{}` ({}){winner}",
            mutation.verb(),
            delta.target.shown,
            reason,
        ),
    )
    .hint("the table is unchanged by this statement; run it again when the other writers are done")
}

fn summary(verb: &str, written: &Written) -> Summary {
    let changes: &Changes = &written.changes;
    let mut counts = changes.named();
    if let Some(version) = written.table.version() {
        counts.push(("version".to_owned(), version));
    }
    Summary {
        verb: verb.to_owned(),
        rows: changes.rows(),
        counts,
        ..Summary::default()
    }
}
