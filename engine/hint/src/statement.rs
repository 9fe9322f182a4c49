//! EXPLAIN HINTS: what would make a query faster; with VERIFY it is measured.

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use lakesh_event::event::Event;
use lakesh_event::picture::Picture;
use lakesh_session::scope::Resolver;
use lakesh_session::{Output, Parsing, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{ParseResult, Query, syntax_error};
use lakesh_text::failure::Failure;

use super::{Evidence, inspect, last_hints, remember, report, verify};

/// The statement `EXPLAIN HINTS`.
pub static EXPLAIN_HINTS: StatementKind = StatementKind {
    name: "EXPLAIN HINTS",
    usage: "EXPLAIN HINTS [ANALYZE | VERIFY] query",
    summary: "Shows what would make a query faster and why; ANALYZE runs the query once and looks at its metrics, VERIFY runs it with and without each remedy, compares the rows and measures the time.",
    examples: &[
        "CREATE TABLE t AS SELECT value AS id, to_timestamp_seconds(value * 3600) AS ts FROM generate_series(1, 1000); \
         EXPLAIN HINTS SELECT count(*) FROM t WHERE CAST(ts AS DATE) = '1970-01-05';",
        "CREATE TABLE t AS SELECT value AS id, value % 7 AS k FROM generate_series(1, 1000); \
         EXPLAIN HINTS VERIFY SELECT DISTINCT k, count(*) AS n FROM t GROUP BY k;",
    ],
    parse: |parser| {
        if !parser.accept(&["explain", "hints"]) {
            return Ok(None);
        }
        let mode = match (parser.accept(&["analyze"]), parser.accept(&["verify"])) {
            (_, true) => Mode::Verify,
            (true, false) => Mode::Analyze,
            (false, false) => Mode::Plan,
        };
        if !starts_query(parser) {
            return refused(parser);
        }
        let query = parser.query()?;
        Ok(Some(Box::new(ExplainHints { query, mode })))
    },
};

/// Says why a statement that changes something is not looked at.
fn refused(parser: &mut Parsing) -> ParseResult<Option<Box<dyn Statement>>> {
    let start = parser.sql().peek_token_ref().span.start;
    let statement = parser.statement()?;
    let message = format!(
        "EXPLAIN HINTS looks at queries only: {} would have to be run to be measured, and nothing is written here",
        statement.verb()
    );
    Err(syntax_error(&message, start))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plan,
    Analyze,
    Verify,
}

struct ExplainHints {
    query: Query,
    mode: Mode,
}

#[async_trait]
impl Statement for ExplainHints {
    fn verb(&self) -> &'static str {
        "EXPLAIN HINTS"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let mut resolver = Resolver::new(context);
        let gathered = Evidence::gather(context, &mut resolver, &self.query).await?;
        let Some(mut evidence) = gathered else {
            return Ok(Output::done(self.verb()));
        };
        if self.mode != Mode::Plan {
            observe(context, &mut evidence)
                .await
                .map_err(|error| context.failure(error))?;
        }
        let open = resolver.sources();
        let mut hints = inspect(context, &open, &evidence).await;
        if self.mode == Mode::Verify {
            verify(context, &open, &self.query, &evidence, &mut hints).await?;
            remember(context, &evidence, &resolver.reads, &hints).await?;
        }
        context.session.remember_hints(last_hints(&hints));
        if let Some(events) = &context.events
            && context.session.options().pictures
        {
            let cards = hints
                .iter()
                .zip(1..)
                .map(|(hint, number)| hint.card(number));
            let picture = Picture::Hints(cards.collect());
            events.send(Event::Picture(picture)).await?;
        }
        let rows = report(&hints).map_err(|error| context.failure(error))?;
        Ok(Output::batch(rows))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.query.clone()).await.map(drop)
    }
}

/// Runs the query once, so that its nodes have metrics.
async fn observe(
    context: &StatementContext,
    evidence: &mut Evidence,
) -> Result<(), DataFusionError> {
    let plan = std::sync::Arc::clone(&evidence.physical);
    let mut rows = execute_stream(plan, context.state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        batch?;
    }
    evidence.observe();
    Ok(())
}
