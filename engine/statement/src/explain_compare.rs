//! EXPLAIN COMPARE: two plans side by side, with ANALYZE run and measured.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use lakesh_event::observation::{Observation, Operator, compare};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::Query;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

/// The statement `EXPLAIN COMPARE`.
pub static EXPLAIN_COMPARE: StatementKind = StatementKind {
    name: "EXPLAIN COMPARE",
    usage: "EXPLAIN COMPARE [ANALYZE] (query) WITH (query)",
    summary: "Puts the plans of two queries side by side and says what moved; with ANALYZE both are run and measured.",
    examples: &[
        "EXPLAIN COMPARE (SELECT 1 AS a) WITH (SELECT 1 AS a WHERE 1 > 0);",
        "EXPLAIN COMPARE ANALYZE (SELECT count(*) FROM generate_series(1, 9)) WITH (SELECT sum(value) FROM generate_series(1, 9));",
    ],
    parse: |parser| {
        if !parser.accept(&["explain", "compare"]) {
            return Ok(None);
        }
        let analyze = parser.accept(&["analyze"]);
        let first = parser.query_in_brackets()?;
        parser.expect(&["with"])?;
        let second = parser.query_in_brackets()?;
        Ok(Some(Box::new(ExplainCompare {
            analyze,
            first,
            second,
        })))
    },
};

struct ExplainCompare {
    analyze: bool,
    first: Query,
    second: Query,
}

#[async_trait]
impl Statement for ExplainCompare {
    fn verb(&self) -> &'static str {
        "EXPLAIN COMPARE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        // Both are planned before one of them runs, so that a mistake in the second costs nothing.
        let first = context.plan(self.first.clone()).await?;
        let second = context.plan(self.second.clone()).await?;
        let first = observed(context, &first, self.analyze).await;
        let first = first.map_err(|error| context.failure(error))?;
        let second = observed(context, &second, self.analyze).await;
        let second = second.map_err(|error| context.failure(error))?;
        let batch = side_by_side(&first, &second, self.analyze);
        Ok(Output::batch(
            batch.map_err(|error| context.failure(error))?,
        ))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.first.clone()).await?;
        context.plan(self.second.clone()).await.map(drop)
    }
}

/// Plans a query, runs it if it is to be measured, and observes its plan.
pub(super) fn observed<'a>(
    context: &'a StatementContext,
    plan: &'a Erased<LogicalPlan>,
    analyze: bool,
) -> BoxFuture<'a, Result<Observation, DataFusionError>> {
    async move {
        let physical = context.state.create_physical_plan(plan).await?;
        if analyze {
            let mut rows = execute_stream(Arc::clone(&physical), context.state.task_ctx())?;
            while let Some(batch) = rows.next().await {
                batch?;
            }
        }
        Ok(Observation::of(&physical))
    }
    .boxed()
}

/// Makes the table of two plans; `measured` says whether they ran.
pub fn side_by_side(
    first: &Observation,
    second: &Observation,
    measured: bool,
) -> Result<RecordBatch, DataFusionError> {
    let pairs = compare(first, second);
    let lines = |of: fn(&lakesh_event::observation::Pair<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(pairs.iter().map(of).collect::<StringArray>())
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        (
            "change",
            lines(|pair| Some(pair.change.as_text().to_owned())),
        ),
        ("first", lines(|pair| pair.first.map(indented))),
        ("second", lines(|pair| pair.second.map(indented))),
    ];
    if measured {
        let times = |of: &dyn Fn(Option<f64>, Option<f64>) -> Option<f64>| -> ArrayRef {
            let values = pairs
                .iter()
                .map(|pair| of(elapsed(pair.first), elapsed(pair.second)));
            Arc::new(values.collect::<Float64Array>())
        };
        columns.push(("first_ms", times(&|first, _| first)));
        columns.push(("second_ms", times(&|_, second| second)));
        let difference = |first: Option<f64>, second: Option<f64>| Some(rounded(second? - first?));
        columns.push(("difference_ms", times(&difference)));
    }
    let rows = |operator: Option<&Operator>| match measured {
        true => operator?.rows,
        false => operator?.estimated_rows.map(|estimate| estimate.value),
    };
    let first_rows: UInt64Array = pairs.iter().map(|pair| rows(pair.first)).collect();
    let second_rows: UInt64Array = pairs.iter().map(|pair| rows(pair.second)).collect();
    let names = match measured {
        true => ("first_rows", "second_rows"),
        false => ("first_expected_rows", "second_expected_rows"),
    };
    columns.push((names.0, Arc::new(first_rows)));
    columns.push((names.1, Arc::new(second_rows)));
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )?)
}

fn indented(operator: &Operator) -> String {
    format!("{}{}", "  ".repeat(operator.depth), operator.line)
}

fn elapsed(operator: Option<&Operator>) -> Option<f64> {
    let elapsed: Duration = operator?.elapsed?;
    Some(rounded(elapsed.as_secs_f64() * 1000.0))
}

fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}
