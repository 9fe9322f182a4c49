//! EXPLAIN LEAKAGE: which features can see the future or the target.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_session::scope::Resolver;
use lakesh_session::{Output, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::Query;
use lakesh_text::failure::Failure;

use crate::leakage;

/// The statement `EXPLAIN LEAKAGE`.
pub static EXPLAIN_LEAKAGE: StatementKind = StatementKind {
    name: "EXPLAIN LEAKAGE",
    usage: "EXPLAIN LEAKAGE LABEL target AT time FOR query",
    summary: "Lists which columns of a training set can see rows at or after the label's time, or the target, and at which expression.",
    examples: &[
        "CREATE TABLE visits AS SELECT value % 3 AS who, to_timestamp(value) AS ts, value AS spent, value % 2 AS y FROM generate_series(1, 20); \
         EXPLAIN LEAKAGE LABEL y AT ts FOR SELECT ts, y, avg(spent) OVER (PARTITION BY who) AS usual FROM visits;",
    ],
    parse: |parser| {
        if !parser.accept(&["explain", "leakage"]) {
            return Ok(None);
        }
        parser.expect(&["label"])?;
        let target = parser.name()?;
        parser.expect(&["at"])?;
        let time = parser.name()?;
        parser.expect(&["for"])?;
        if !starts_query(parser) {
            return parser.expected("a query");
        }
        let query = parser.query()?;
        Ok(Some(Box::new(ExplainLeakage {
            target,
            time,
            query,
        })))
    },
};

struct ExplainLeakage {
    target: ObjectName,
    time: ObjectName,
    query: Query,
}

impl ExplainLeakage {
    async fn find(&self, context: &StatementContext) -> Result<leakage::Findings, Failure> {
        // Nothing is run, fitted or told on the way.
        let quiet = context.without_events();
        let mut resolver = Resolver::new(&quiet);
        let plan = resolver.plan(self.query.clone()).await?;
        quiet
            .state
            .analyzer()
            .execute_and_check(plan.clone(), quiet.state.config_options(), |_, _| {})
            .map_err(|error| context.failure(error))?;
        let parts = (&self.query, &plan, &resolver.opened_relations);
        leakage::find(parts, &self.target, &self.time, context)
    }
}

#[async_trait]
impl Statement for ExplainLeakage {
    fn verb(&self) -> &'static str {
        "EXPLAIN"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let findings = self.find(context).await?;
        for notice in findings.notices {
            context.notice(notice).await?;
        }
        if findings.rows.num_rows() == 0 {
            let count = findings.features;
            let features = if count == 1 { "feature" } else { "features" };
            let notice = format!(
                "none of {count} {features} can see rows at or after `{}`, or `{}`",
                self.time, self.target
            );
            context.notice(notice).await?;
        }
        Ok(Output::Batches {
            schema: findings.rows.schema(),
            batches: vec![findings.rows],
        })
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.find(context).await.map(drop)
    }
}
