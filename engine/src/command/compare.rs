//! `\compare` and `\plan`: the plans of the queries that ran last, as they were measured then.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use lakesh_event::event::{Event, Summary};
use lakesh_event::observation::{cut, tree};
use lakesh_session::QueryRecord;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_statement::side_by_side;
use lakesh_text::failure::Failure;

/// So much of a query's text is shown above its plan.
const SHOWN_TEXT: usize = 70;

/// `\compare`.
pub(super) struct Compare;

#[async_trait]
impl Command for Compare {
    fn names(&self) -> &'static [&'static str] {
        &["compare"]
    }

    fn usage(&self) -> &'static str {
        "\\compare"
    }

    fn summary(&self) -> &'static str {
        "puts the plans of the last two queries side by side, with the time of each operator"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT 1 AS a;\nSELECT 2 AS a;\n\\compare"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let queries = queries(invocation);
        let [.., first, second] = queries.as_slice() else {
            return Err(invocation.wrong("fewer than two queries have run in this session"));
        };
        for (what, query) in [("first", first), ("second", second)] {
            invocation
                .notice(format!("{what}: {}", shown(query)))
                .await?;
        }
        let batch = side_by_side(&first.observation, &second.observation, true);
        let batch = batch.map_err(Failure::from_error)?;
        send(invocation, batch).await
    }
}

/// `\plan`.
pub(super) struct Plan;

#[async_trait]
impl Command for Plan {
    fn names(&self) -> &'static [&'static str] {
        &["plan"]
    }

    fn usage(&self) -> &'static str {
        "\\plan"
    }

    fn summary(&self) -> &'static str {
        "shows the operators of the last query with bars of time and rows, the slowest path marked"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT 1 AS a;\n\\plan"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let queries = queries(invocation);
        let Some(last) = queries.last() else {
            return Err(invocation.wrong("no query has run in this session"));
        };
        invocation.notice(shown(last)).await?;
        invocation.print(tree(&last.observation).join("\n")).await?;
        Ok(invocation.done())
    }
}

/// The queries that have a plan, oldest first.
fn queries(invocation: &Invocation) -> Vec<Arc<QueryRecord>> {
    let mut queries = invocation.session().queries();
    queries.retain(|query| !query.observation.operators.is_empty());
    queries
}

fn shown(query: &QueryRecord) -> String {
    let words: Vec<_> = query.sql.split_whitespace().collect();
    let milliseconds = lakesh_event::observation::milliseconds(query.duration);
    format!("{} ({milliseconds})", cut(&words.join(" "), SHOWN_TEXT))
}

async fn send(invocation: &Invocation, batch: RecordBatch) -> Result<Summary, Failure> {
    let rows = batch.num_rows() as u64;
    invocation.send(Event::Schema(batch.schema())).await?;
    if rows > 0 {
        invocation.send(Event::Batch(batch)).await?;
    }
    Ok(Summary {
        rows: Some(rows),
        returned_rows: true,
        ..invocation.done()
    })
}
