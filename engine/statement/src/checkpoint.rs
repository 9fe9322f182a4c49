//! CHECKPOINT: writes a Delta table's state into one file, so that opening it reads less of the log.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_event::event::Summary;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_table::Checkpoint;
use lakesh_text::failure::Failure;

/// The statement `CHECKPOINT`.
pub static CHECKPOINT: StatementKind = StatementKind {
    name: "CHECKPOINT",
    usage: "CHECKPOINT [TABLE] name | 'path'",
    summary: "Writes the state of a Delta table into one file, so that opening it reads less of the log.",
    examples: &["CREATE TABLE t AS SELECT 1 AS n; CHECKPOINT t;"],
    parse: |parser| {
        if !parser.accept(&["checkpoint"]) {
            return Ok(None);
        }
        parser.accept(&["table"]);
        let name = parser.name()?;
        Ok(Some(Box::new(CheckpointStatement { name })))
    },
};

struct CheckpointStatement {
    name: ObjectName,
}

#[async_trait]
impl Statement for CheckpointStatement {
    fn verb(&self) -> &'static str {
        "CHECKPOINT"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let target = Resolver::new(context).delta(&self.name).await?;
        let DeltaTarget::Table { definition, .. } = target else {
            return Ok(Output::done(self.verb()));
        };
        let version = context.maintain(&definition, Checkpoint).await?;
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![("version".to_owned(), version)],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}
