//! UNDO: takes back what a statement of this session committed last to a Delta table.
//!
//! It is a RESTORE to the version before, and thus a version of its own: UNDO after UNDO does the change
//! again. What other writers have committed since is never taken back with it.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use lakesh_catalog::definition::TableVersion;
use lakesh_event::event::Summary;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_table::Restore;
use lakesh_table::commit::TableChange;
use lakesh_text::effect::Effect;
use lakesh_text::failure::{Failure, FailureKind};

/// The statement `UNDO`.
pub static UNDO: StatementKind = StatementKind {
    name: "UNDO",
    usage: "UNDO",
    summary: "Takes back what a statement of this session committed last to a Delta table, unless somebody has changed the table since; a second UNDO does it again.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; INSERT INTO t VALUES (2); UNDO; SELECT * FROM t;",
    ],
    parse: |parser| {
        if !parser.accept(&["undo"]) {
            return Ok(None);
        }
        Ok(Some(Box::new(Undo)))
    },
};

struct Undo;

#[async_trait]
impl Statement for Undo {
    fn verb(&self) -> &'static str {
        "UNDO"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        context
            .session
            .require(Effect::WriteTables, "UNDO is refused")?;
        let change = last_change(context)?;
        let Some(before) = change.first.checked_sub(1) else {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{}` was made by the last change", change.location),
            )
            .hint("DROP TABLE takes a table away"));
        };
        let folder = Ident::with_quote('\'', change.location.as_str());
        let target = Resolver::new(context)
            .delta(&ObjectName::from(folder))
            .await?;
        let DeltaTarget::Table { definition, .. } = target else {
            return Ok(Output::done(self.verb()));
        };
        let restore = Restore {
            version: TableVersion::Number(before),
            newest: Some(change.last),
        };
        let report = context.maintain(&definition, restore).await?;
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![
                ("undone_version".to_owned(), change.last),
                ("restored_version".to_owned(), report.restored),
                ("files_added".to_owned(), report.files_added),
                ("files_removed".to_owned(), report.files_removed),
                ("version".to_owned(), report.version),
            ],
            ..Summary::default()
        }))
    }

    async fn check(&self, _: &StatementContext) -> Result<(), Failure> {
        Ok(())
    }
}

fn last_change(context: &StatementContext) -> Result<TableChange, Failure> {
    context.session.last_change().ok_or_else(|| {
        Failure::new(
            FailureKind::Plan,
            "there is nothing to undo: no statement of this session has changed a Delta table",
        )
        .hint("RESTORE TABLE … TO VERSION AS OF goes back to any version; DESCRIBE HISTORY lists them")
    })
}
